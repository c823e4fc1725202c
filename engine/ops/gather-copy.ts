// The strided copy that permute, slice, flip and expand are made of.
import { copy } from '../../kernels/index.ts';
import { mergeAxes, rowMajorStrides, sizeOf } from '../shape.ts';
import type { Tensor } from '../tensor.ts';

/** out[i] = in[offset + i . strides] for every index of the output. */
export function launchGatherCopy(x: Tensor, y: Tensor, strides: readonly number[], inOffset = 0): void {
  const n = sizeOf(y.shape);
  if (n === 0) return;
  const merged = mergeAxes('copy', y.shape, [...strides], rowMajorStrides(y.shape));
  const [inStrides, outStrides] = merged.strides as [number[], number[]];
  y.device.launch(copy, [x.storage], [y.storage], {
    shape: merged.shape,
    inStrides,
    outStrides,
    rank: merged.shape.length,
    n,
    inOffset,
    outOffset: 0,
    inSize: sizeOf(x.shape),
    outSize: n,
  });
}
