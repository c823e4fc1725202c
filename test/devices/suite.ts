// The checks of one device as tests.
import type t from 'tap';
import { createDevice, type Device, type DeviceChoice } from '../../engine/index.ts';
import { cases } from '../../experiments/verification/operations/cases.ts';
import { checkLaunches } from './launch-checks.ts';
import { disagreement, memoryOverSteps, scriptEnds, trainUNet } from './checks.ts';

export async function deviceSuite(test: typeof t, name: DeviceChoice, device: Device): Promise<void> {
  test.setTimeout(600_000);
  const oracle = await createDevice('reference');

  await checkLaunches(test, device);

  await test.test('gradients agree with float64', async (t) => {
    for (const [i, item] of cases.entries()) {
      const excess = await disagreement(item, i, device, oracle);
      t.ok(excess < 1, `${item.operations.join(', ')} (case ${i}): ${excess.toFixed(3)} of the tolerance`);
    }
  });

  await test.test('live tensors and bytes are flat over 2,000 steps', async (t) => {
    const { early, late } = await memoryOverSteps(device, 2000);
    t.same(late, early);
  });

  await test.test('the same seed gives the same bits', async (t) => {
    // The loops of the reference device take their time: it gets a narrow network.
    const options = { baseWidth: name === 'reference' ? 2 : 8 };
    const [first, second] = [await trainUNet(device, options), await trainUNet(device, options)];
    t.ok(new Float32Array(first).every(Number.isFinite));
    t.ok(Buffer.from(first).equals(Buffer.from(second)));
  });

  await test.test('a script that trains and returns ends by itself', async (t) => {
    t.equal(await scriptEnds(name), 'trained');
  });
}
