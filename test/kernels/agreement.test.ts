// Every kernel of `wasm` and `webgpu` against `reference`, on examples, on random cases, and on special values. On wasm with two
// threads, plain SIMD and, where the engine has it, relaxed SIMD; the number of threads must not change a bit.
import fc from 'fast-check';
import t, { type Test } from 'tap';
import type { Device } from '../../engine/devices/device.ts';
import { createReferenceDevice } from '../../engine/devices/reference/reference.ts';
import { createWasmDevice } from '../../engine/devices/wasm/device.ts';
import { hasEightLanes } from '../../kernels/shared/webgpu-plan.ts';
import { testedOn, withWebGpu } from '../tested-on.ts';
import { testAdjoints } from './adjoint.ts';
import { assertSameBits, checkAgreement } from './compare.ts';
import { caseSources } from './generators/index.ts';
import { specialCases } from './special.ts';

const SEED = 20;
/** Products of sums of float32 numbers, relative to the lengths of the vectors. */
const ADJOINT_TOLERANCE = 1e-5;

/** One subtest per kernel. `runs` random cases each; a failing one is shrunk to the smallest parameters that still fail. */
async function testAgreement(t: Test, device: Device, runs: number, mostExamples = Infinity): Promise<void> {
  const reference = createReferenceDevice();
  for (const { kernel, cases, examples: all } of caseSources) {
    const examples = all.slice(0, mostExamples);
    await t.test(kernel, async (t) => {
      for (const example of examples) await checkAgreement(example, device, reference);
      const agreement = fc.asyncProperty(cases, (tested) => checkAgreement(tested, device, reference));
      await fc.assert(agreement, {
        seed: SEED,
        numRuns: runs,
        interruptAfterTimeLimit: 20_000,
        includeErrorInReport: true,
      });
      t.pass(`${examples.length} examples and ${runs} random cases`);
    });
  }
  await t.test('NaN, infinities and signed zeros', async (t) => {
    for (const special of specialCases) {
      const failure = await checkAgreement(special, device, reference).then(
        () => undefined,
        (error: Error) => error.message,
      );
      t.equal(failure, undefined, special.label);
    }
  });
  t.equal(device.statistics().liveBuffers, 0, 'nothing is left on the device');
  reference.dispose();
}

async function testThreads(t: Test): Promise<void> {
  const one = await createWasmDevice({ threads: 1 });
  const two = await createWasmDevice({ threads: 2 });
  for (const { kernel, cases, examples } of caseSources) {
    for (const tested of [...examples, ...fc.sample(cases, { seed: 23, numRuns: 10 })]) {
      assertSameBits(tested, await tested.run(one), await tested.run(two), 'one thread, then two');
    }
    t.pass(kernel);
  }
  one.dispose();
  two.dispose();
}

const devices = testedOn('wasm', 'webgpu');
if (devices.has('wasm')) {
  for (const relaxedSimd of [false, true]) {
    await t.test(relaxedSimd ? 'relaxed SIMD' : 'plain SIMD', async (t) => {
      const device = await createWasmDevice({ threads: 2, relaxedSimd });
      await testAgreement(t, device, 20);
      await testAdjoints(t, device, 10, ADJOINT_TOLERANCE);
      device.dispose();
    });
  }
  await t.test('one thread and two give the same bits', testThreads);
}
if (devices.has('webgpu')) {
  await withWebGpu(t, async (device) => {
    // An adapter without eight lanes (SwiftShader) is very slow.
    const [runs, adjoints, examples] = hasEightLanes(device.planFacts) ? [10, 5] : [4, 2, 8];
    await testAgreement(t, device, runs, examples);
    await testAdjoints(t, device, adjoints, ADJOINT_TOLERANCE);
  });
}
