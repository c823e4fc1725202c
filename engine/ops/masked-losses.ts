// Losses of dense prediction: masked regression and classification, the scale-invariant log error, image gradients.
// What lies outside of a mask, be it NaN or a label that is not a class, is replaced before anything is computed from it: a value
// that was masked afterwards would still make the gradient 0 times NaN.
import { numberWithin } from '../checks.ts';
import { ShapeError, showShape } from '../errors.ts';
import { defineComposite } from '../operation.ts';
import { sameShape, type Shape } from '../shape.ts';
import { bool, flag, float, int, number, optionsWith } from '../signature.ts';
import type { Tensor } from '../tensor.ts';
import { noGrad } from '../grad-mode.ts';
import { add, div, logRatio, maximum, sub, where } from './binary.ts';
import { crossEntropy } from './cross-entropy.ts';
import { narrow, pad } from './layout.ts';
import { checkImage, checkSame, checkTarget, rootOrZero } from './loss-options.ts';
import { mseLoss } from './losses.ts';
import { mean, sum } from './reduction.ts';
import { unsqueeze } from './reshape.ts';
import { abs, affine, cast, square } from './unary.ts';

/** Number of true elements as float32, at least 1. */
const countOf = (mask: Tensor): Tensor => noGrad(() => maximum(sum(cast(mask, 'float32')), 1));

/** Mean of `values`, which are 0 outside of the mask; 0 for an empty one. */
const maskedMean = (values: Tensor, mask: Tensor): Tensor => div(sum(values), countOf(mask));

const family = 'masked-losses';

function checkMask(operation: string, shape: Shape, mask: Tensor): void {
  if (sameShape(mask.shape, shape)) return;
  const details = { operation, argument: 'mask', expected: showShape(shape), given: showShape(mask.shape) };
  throw new ShapeError('the mask does not fit', details);
}

/** Mean of (x - target)^2 where `mask` (bool); 0 for an empty mask. */
export const maskedMse = defineComposite(
  'maskedMse',
  (x: Tensor, target: Tensor, mask: Tensor): Tensor => {
    checkSame('maskedMse', x, target);
    checkMask('maskedMse', x.shape, mask);
    return maskedMean(mseLoss(where(mask, x, 0), where(mask, target, 0), { reduction: 'none' }), mask);
  },
  { family, signature: { x: float, target: float, mask: bool } },
);

/** A label that no set of classes has. */
const NO_LABEL = -(2 ** 31);

/**
 * Mean cross-entropy of scores (N, C, H, W) over the positions where `mask` (bool, N, H, W); 0 for an empty mask. What labels stand
 * outside of it does not matter.
 */
export const maskedCrossEntropy = defineComposite(
  'maskedCrossEntropy',
  (x: Tensor, target: Tensor, mask: Tensor): Tensor => {
    checkTarget('maskedCrossEntropy', x, target, {});
    checkMask('maskedCrossEntropy', target.shape, mask);
    const scores = where(unsqueeze(mask, 1), x, 0);
    const labels = noGrad(() => where(mask, target, NO_LABEL));
    return div(crossEntropy(scores, labels, { reduction: 'sum', ignoreIndex: NO_LABEL }), countOf(mask));
  },
  { family, signature: { x: float, target: int, mask: bool } },
);

const silogOptions = { lambda: number, sqrt: flag, scale: number, mask: bool };

/** Options of `silog`. */
export interface SilogOptions {
  /** Weight of the squared mean: 1 ignores a common factor altogether. */
  lambda?: number;
  /** Square root of the variance, as in the KITTI benchmark. */
  sqrt?: boolean;
  scale?: number;
  mask?: Tensor | undefined;
}

/**
 * Scale-invariant log error of Eigen et al. 2014: with g = log x - log target, mean(g^2) - lambda mean(g)^2. For lambda up to 1
 * that is mean((g - c mean(g))^2) with c = 1 - sqrt(1 - lambda), which is no difference of nearly equal numbers. The square
 * root has gradient 0 where it is 0; an empty mask gives 0.
 */
export const silog = defineComposite(
  'silog',
  (x: Tensor, target: Tensor, options: SilogOptions = {}): Tensor => {
    const { lambda = 1, scale = 1, mask } = options;
    numberWithin('silog', 'lambda', lambda);
    numberWithin('silog', 'scale', scale);
    checkSame('silog', x, target);
    if (mask) checkMask('silog', x.shape, mask);
    // Outside of the mask both are set to 1, so that an invalid 0 has no infinite logarithm.
    const inside = (values: Tensor): Tensor => (mask ? where(mask, values, 1) : values);
    const g = logRatio(inside(x), inside(target));
    const average = (values: Tensor): Tensor => (mask ? maskedMean(values, mask) : mean(values));
    /** Without c times the mean of all. */
    const centred = (values: Tensor, c: number): Tensor => {
      const difference = sub(values, affine(average(values), c, 0));
      return mask ? where(mask, difference, 0) : difference;
    };
    const spread = (): Tensor => {
      if (lambda === 0) return average(square(g));
      if (lambda > 1) return sub(average(square(g)), affine(square(average(g)), lambda, 0));
      const residual = centred(g, 1 - Math.sqrt(1 - lambda));
      // The mean is rounded. Taken once more, what is left of a constant g is 0 or next to it.
      return average(square(lambda === 1 ? centred(residual, 1) : residual));
    };
    return affine(options.sqrt ? rootOrZero(spread()) : spread(), scale, 0);
  },
  { family, signature: { x: float, target: float, options: optionsWith<SilogOptions>(silogOptions) } },
);

/** Forward differences of (N, C, H, W) along H and W; zero in the last row and column. */
export const imageGradients = defineComposite(
  'imageGradients',
  (x: Tensor): { dy: Tensor; dx: Tensor } => {
    checkImage('imageGradients', x);
    const difference = (axis: number) => {
      const n = x.shape[axis]! - 1;
      return sub(narrow(x, axis, 1, n), narrow(x, axis, 0, n));
    };
    return { dy: pad(difference(2), [0, 0, 0, 1]), dx: pad(difference(3), [0, 1]) };
  },
  { family, signature: { x: float } },
);

/** Mean of |dy(x) - dy(target)| + |dx(x) - dx(target)|. */
export const imageGradientLoss = defineComposite(
  'imageGradientLoss',
  (x: Tensor, target: Tensor): Tensor => {
    checkImage('imageGradientLoss', x);
    checkSame('imageGradientLoss', x, target);
    const [a, b] = [imageGradients(x), imageGradients(target)];
    return mean(add(abs(sub(a.dy, b.dy)), abs(sub(a.dx, b.dx))));
  },
  { family, signature: { x: float, target: float } },
);
