// The error model on whatever adapter there is.
import t from 'tap';
import { withWebGpu } from '../property/webgpu.ts';
import { testConvolutions, testLongProducts, testLongSoftmax, testLongSums } from './error-model-suite.ts';

t.setTimeout(300_000);

await withWebGpu(t, async (device, prefer) => {
  const variants = [undefined, 'direct', 'directSplitK'];
  for (const [i, plan] of variants.entries()) {
    prefer(plan);
    await testConvolutions(t, device, 6 + i, 7);
  }
  prefer();
  await testLongSums(t, device, [2 ** 20 + 3, 2 ** 22]);
  await testLongSums(t, device, [2 ** 25]);
  await testLongProducts(t, device, [2047, 2 ** 14 + 5]);
  await testLongSoftmax(t, device, [2 ** 20 + 3]);
});
