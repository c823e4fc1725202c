// Losses of dense prediction: masked regression and classification, the scale-invariant log error, image gradients.
import { ShapeError, showShape } from '../errors.ts';
import { defineComposite } from '../operation.ts';
import type { Tensor } from '../tensor.ts';
import { noGrad } from '../tape.ts';
import { add, div, maximum, sub, where } from './binary.ts';
import { narrow, pad } from './layout.ts';
import { crossEntropy, mseLoss } from './losses.ts';
import { mean, sum } from './reduction.ts';
import { abs, affine, cast, log, sqrt, square } from './unary.ts';

/** Number of true elements as float32, at least 1. */
const countOf = (mask: Tensor): Tensor => noGrad(() => maximum(sum(cast(mask, 'float32')), 1));

const maskedMean = (values: Tensor, mask: Tensor): Tensor => div(sum(where(mask, values, 0)), countOf(mask));

/** Mean of (x - target)^2 where `mask` (bool); 0 for an empty mask. */
export const maskedMse = defineComposite('maskedMse', (x: Tensor, target: Tensor, mask: Tensor): Tensor =>
  maskedMean(mseLoss(x, target, { reduction: 'none' }), mask),
);

/** Mean cross-entropy of scores (N, C, H, W) over the positions where `mask` (bool, N, H, W); 0 for an empty mask. */
export const maskedCrossEntropy = defineComposite('maskedCrossEntropy', (x: Tensor, target: Tensor, mask: Tensor) =>
  maskedMean(crossEntropy(x, target, { reduction: 'none' }), mask),
);

export interface SilogOptions {
  /** Weight of the squared mean: 1 ignores a common factor altogether. */
  lambda?: number;
  /** Square root of the variance, as in the KITTI benchmark. */
  sqrt?: boolean;
  scale?: number;
  mask?: Tensor | undefined;
}

/** Scale-invariant log error of Eigen et al. 2014: with g = log x - log target, mean(g^2) - lambda mean(g)^2. */
export const silog = defineComposite('silog', (x: Tensor, target: Tensor, options: SilogOptions = {}): Tensor => {
  const { lambda = 1, scale = 1, mask } = options;
  // Outside of the mask both are set to 1, so that an invalid 0 has no infinite logarithm.
  const inside = (values: Tensor): Tensor => (mask ? where(mask, values, 1) : values);
  const g = sub(log(inside(x)), log(inside(target)));
  const average = (values: Tensor): Tensor => (mask ? div(sum(values), sum(cast(mask, 'float32'))) : mean(values));
  const spread = sub(average(square(g)), affine(square(average(g)), lambda, 0));
  return affine(options.sqrt ? sqrt(spread) : spread, scale, 0);
});

/** Forward differences of (N, C, H, W) along H and W; zero in the last row and column. */
export const imageGradients = defineComposite('imageGradients', (x: Tensor): { dy: Tensor; dx: Tensor } => {
  if (x.rank !== 4)
    throw new ShapeError('needs (N, C, H, W)', { operation: 'imageGradients', given: showShape(x.shape) });
  const difference = (axis: number) => {
    const n = x.shape[axis]! - 1;
    return sub(narrow(x, axis, 1, n), narrow(x, axis, 0, n));
  };
  return { dy: pad(difference(2), [0, 0, 0, 1]), dx: pad(difference(3), [0, 1]) };
});

/** Mean of |dy(x) - dy(target)| + |dx(x) - dx(target)|. */
export const imageGradientLoss = defineComposite('imageGradientLoss', (x: Tensor, target: Tensor): Tensor => {
  const [a, b] = [imageGradients(x), imageGradients(target)];
  return mean(add(abs(sub(a.dy, b.dy)), abs(sub(a.dx, b.dx))));
});
