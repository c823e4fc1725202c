// The five networks of cross-stitch against PyTorch on WebGPU.
import t from 'tap';
import { networkNames } from '../../experiments/papers/cross-stitch/settings.ts';
import { withWebGpu } from '../property/webgpu.ts';
import { compareWithTorch, skip } from './cross-stitch.ts';

await withWebGpu(t, async (device) => {
  for (const network of networkNames) {
    await t.test(network, { skip }, (t) => compareWithTorch(t, network, device));
  }
});
