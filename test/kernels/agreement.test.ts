// The wasm kernels against `reference`: two threads, plain SIMD and, where the engine has it, relaxed SIMD. The number of
// threads must not change a bit.
import t from 'tap';
import fc from 'fast-check';
import { createWasmDevice } from '../../engine/devices/wasm/device.ts';
import { testAdjoints } from './adjoint.ts';
import { testAgreement } from './agreement.ts';
import { assertSameBits } from './compare.ts';
import { caseSources } from './generators/index.ts';

/** Products of sums of float32 numbers, relative to the lengths of the vectors. */
const ADJOINT_TOLERANCE = 1e-5;

for (const relaxedSimd of [false, true]) {
  await t.test(relaxedSimd ? 'relaxed SIMD' : 'plain SIMD', async (t) => {
    const device = await createWasmDevice({ threads: 2, relaxedSimd });
    await testAgreement(t, device, 60);
    await testAdjoints(t, device, 30, ADJOINT_TOLERANCE);
    device.dispose();
  });
}

await t.test('one thread and two give the same bits', async (t) => {
  const one = await createWasmDevice({ threads: 1 });
  const two = await createWasmDevice({ threads: 2 });
  for (const { kernel, cases, examples } of caseSources) {
    for (const tested of [...examples, ...fc.sample(cases, { seed: 23, numRuns: 20 })]) {
      assertSameBits(tested, await tested.run(one), await tested.run(two), 'one thread, then two');
    }
    t.pass(kernel);
  }
  one.dispose();
  two.dispose();
});
