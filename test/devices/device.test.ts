// What must hold on every device, and of the wasm device: results do not depend on threads, memory is joined and used again.
import t, { type Test } from 'tap';
import { createDevice, type Device, type DeviceName } from '../../engine/index.ts';
import { cases } from '../../experiments/verification/operations/cases/index.ts';
import { onEach, testedOn } from '../tested-on.ts';
import { disagreement, memoryOverSteps, scriptEnds, trainUNet } from './checks.ts';
import { checkLaunches } from './launch-checks.ts';

t.setTimeout(600_000);

async function testDevice(t: Test, device: Device, name: DeviceName): Promise<void> {
  const oracle = await createDevice('reference');

  await checkLaunches(t, device);

  await t.test('gradients agree with float64', async (t) => {
    for (const [i, item] of cases.entries()) {
      const excess = await disagreement(item, i, device, oracle);
      t.ok(excess < 1, `${item.operations.join(', ')} (case ${i}): ${excess.toFixed(3)} of the tolerance`);
    }
  });

  // A software adapter takes its time for each launch.
  const steps = name === 'webgpu' ? 500 : 2000;
  await t.test(`live tensors and bytes are flat over ${steps} steps`, async (t) => {
    const { early, late } = await memoryOverSteps(device, steps);
    t.same(late, early);
  });

  await t.test('the same seed gives the same bits', async (t) => {
    // The loops of the reference device take their time: it gets a narrow network.
    const options = { baseWidth: name === 'reference' ? 2 : 8 };
    const [first, second] = [await trainUNet(device, options), await trainUNet(device, options)];
    t.ok(new Float32Array(first).every(Number.isFinite));
    t.ok(Buffer.from(first).equals(Buffer.from(second)));
  });

  await t.test('a script that trains and returns ends by itself', async (t) => {
    t.equal(await scriptEnds(name), 'trained');
  });
}

async function testWasm(t: Test, device: Device): Promise<void> {
  await t.test('one thread and two give the same bits', async (t) => {
    const one = await createDevice('wasm', { threads: 1 });
    const [a, b] = [await trainUNet(one), await trainUNet(device)];
    t.ok(Buffer.from(a).equals(Buffer.from(b)));
    one.dispose();
  });

  await t.test('without relaxed SIMD the results stay within rounding', async (t) => {
    const plain = await createDevice('wasm', { relaxedSimd: false });
    const options = { steps: 1 };
    const [a, b] = [await trainUNet(plain, options), await trainUNet(device, options)].map(
      (bytes) => new Float32Array(bytes),
    );
    t.ok(a!.every((value, i) => Math.abs(value - b![i]!) <= 1e-4 + 1e-3 * Math.abs(b![i]!)));
    plain.dispose();
  });

  await t.test('released memory serves requests of other sizes before more is asked of the machine', async (t) => {
    const own = await createDevice('wasm', { threads: 1 });
    const [short, count] = [8000, 2000];
    const parts = Array.from({ length: count }, () => own.allocate(short, 'float32'));
    for (const part of parts) own.release(part);
    t.equal(own.statistics().pooledBytes, count * (4 * short + 64));
    const whole = own.allocate(count * short, 'float32');
    t.equal(own.statistics().pooledBytes, 0, 'the short ones were joined');
    own.release(whole);
    t.equal(own.statistics().pooledBytes, 0, 'a long one does not wait for the next of its size');
    own.dispose();
  });
}

const devices = testedOn('reference', 'wasm', 'webgpu');
await onEach(t, devices, testDevice);
if (devices.has('wasm')) await testWasm(t, await createDevice('wasm', { threads: 2 }));
