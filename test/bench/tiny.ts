// Networks of the benchmarks at sizes that take a moment.
import type { CaseShape } from '../../bench/peers/protocol.mjs';

/** By benchmark; what is not named stays as it is. */
export const tiny: Readonly<Record<string, CaseShape>> = {
  'unet.step': { batch: 2, size: 32, baseWidth: 4 },
  'multidepth.step': { batch: 2, baseWidth: 3 },
  'crossStitch.step': { batch: 4 },
  'denseDepth.step': { height: 64, width: 64 },
  'imbalancedMtl.step': { height: 64, width: 64 },
  'denseBlock.step': { batch: 2, height: 6, width: 5, layers: 3, growth: 8 },
};
