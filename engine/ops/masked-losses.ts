// Losses of dense prediction: masked regression and classification, the scale-invariant log error, image gradients, SSIM.
import { tensor } from '../creation.ts';
import { countWithin, numberWithin } from '../checks.ts';
import { ShapeError, showShape } from '../errors.ts';
import { defineComposite } from '../operation.ts';
import { sameShape, type Shape } from '../shape.ts';
import { bool, float, int, optional, optionsWith, type Signature, value } from '../signature.ts';
import type { Tensor } from '../tensor.ts';
import { noGrad } from '../tape.ts';
import { add, div, maximum, mul, sub, where } from './binary.ts';
import { conv2d } from './convolution.ts';
import { crossEntropy } from './cross-entropy.ts';
import { expand } from './expand.ts';
import { narrow, pad } from './layout.ts';
import { checkSame, checkTarget } from './loss-options.ts';
import { mseLoss } from './losses.ts';
import { mean, sum } from './reduction.ts';
import { abs, affine, cast, clamp, log, sqrt, square } from './unary.ts';

/** Number of true elements as float32, at least 1. */
const countOf = (mask: Tensor): Tensor => noGrad(() => maximum(sum(cast(mask, 'float32')), 1));

const maskedMean = (values: Tensor, mask: Tensor): Tensor => div(sum(where(mask, values, 0)), countOf(mask));

const family = 'masked-losses';

function checkMask(operation: string, shape: Shape, mask: Tensor): void {
  if (sameShape(mask.shape, shape)) return;
  const details = { operation, argument: 'mask', expected: showShape(shape), given: showShape(mask.shape) };
  throw new ShapeError('the mask does not fit', details);
}

function checkImage(operation: string, x: Tensor): void {
  if (x.rank === 4 && x.shape[2]! > 0 && x.shape[3]! > 0) return;
  const expected = '(N, C, H, W) with H and W from 1';
  throw new ShapeError('not an image', { operation, argument: 'x', expected, given: showShape(x.shape) });
}

/** Mean of (x - target)^2 where `mask` (bool); 0 for an empty mask. */
export const maskedMse = defineComposite(
  'maskedMse',
  (x: Tensor, target: Tensor, mask: Tensor): Tensor => {
    checkSame('maskedMse', x, target);
    checkMask('maskedMse', x.shape, mask);
    return maskedMean(mseLoss(x, target, { reduction: 'none' }), mask);
  },
  { family, signature: { x: float, target: float, mask: bool } },
);

/** Mean cross-entropy of scores (N, C, H, W) over the positions where `mask` (bool, N, H, W); 0 for an empty mask. */
export const maskedCrossEntropy = defineComposite(
  'maskedCrossEntropy',
  (x: Tensor, target: Tensor, mask: Tensor): Tensor => {
    checkTarget('maskedCrossEntropy', x, target, {});
    checkMask('maskedCrossEntropy', target.shape, mask);
    return maskedMean(crossEntropy(x, target, { reduction: 'none' }), mask);
  },
  { family, signature: { x: float, target: int, mask: bool } },
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
    const g = sub(log(inside(x)), log(inside(target)));
    const average = (values: Tensor): Tensor => (mask ? div(sum(values), sum(cast(mask, 'float32'))) : mean(values));
    const spread = sub(average(square(g)), affine(square(average(g)), lambda, 0));
    return affine(options.sqrt ? sqrt(spread) : spread, scale, 0);
  },
  { family, signature: { x: float, target: float, options: optionsWith({ mask: optional(bool) }) } },
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

export interface SsimOptions {
  /** Largest possible value of a pixel. */
  maxValue?: number;
  filterSize?: number;
  sigma?: number;
  k1?: number;
  k2?: number;
}

/** Normalised Gaussian of size x size for each channel: (channels, 1, size, size). */
function gaussianWindow(size: number, sigma: number, channels: number, like: Tensor): Tensor {
  const line = Float64Array.from({ length: size }, (_, i) =>
    Math.exp(-((i - (size - 1) / 2) ** 2) / (2 * sigma * sigma)),
  );
  const total = line.reduce((a, b) => a + b, 0);
  const values = Float64Array.from(
    { length: size * size },
    (_, i) => (line[Math.floor(i / size)]! * line[i % size]!) / total ** 2,
  );
  return expand(tensor(values, [1, 1, size, size], { device: like.device }), [channels, 1, size, size]);
}

const ssimSignature: Signature = { x: float, target: float, options: value };

function checkSsim(operation: string, x: Tensor, target: Tensor, options: SsimOptions): void {
  const { maxValue = 1, filterSize = 11, sigma = 1.5, k1 = 0.01, k2 = 0.03 } = options;
  numberWithin(operation, 'maxValue', maxValue, { above: 0 });
  countWithin(operation, 'filterSize', filterSize, { from: 1 });
  numberWithin(operation, 'sigma', sigma, { above: 0 });
  numberWithin(operation, 'k1', k1, { from: 0 });
  numberWithin(operation, 'k2', k2, { from: 0 });
  checkImage(operation, x);
  checkSame(operation, x, target);
  if (Math.min(x.shape[2]!, x.shape[3]!) >= filterSize) return;
  throw new ShapeError('the window is larger than the image', {
    operation,
    argument: 'filterSize',
    expected: `at most ${Math.min(x.shape[2]!, x.shape[3]!)}`,
    given: String(filterSize),
  });
}

/** Structural similarity of images (N, C, H, W) per image (N), with valid windows: Wang et al. 2004, as tf.image.ssim. */
export const ssim = defineComposite(
  'ssim',
  (x: Tensor, target: Tensor, options: SsimOptions = {}): Tensor => {
    checkSsim('ssim', x, target, options);
    const { maxValue = 1, filterSize = 11, sigma = 1.5, k1 = 0.01, k2 = 0.03 } = options;
    const groups = x.shape[1]!;
    const window = gaussianWindow(filterSize, sigma, groups, x);
    const blur = (image: Tensor): Tensor => conv2d(image, window, undefined, { groups });
    const [c1, c2] = [(k1 * maxValue) ** 2, (k2 * maxValue) ** 2];
    const [meanX, meanY] = [blur(x), blur(target)];
    const product = mul(meanX, meanY);
    const squares = add(square(meanX), square(meanY));
    const covariance = sub(blur(mul(x, target)), product);
    const variances = sub(blur(add(square(x), square(target))), squares);
    const luminance = div(affine(product, 2, c1), affine(squares, 1, c1));
    const contrast = div(affine(covariance, 2, c2), affine(variances, 1, c2));
    return mean(mul(luminance, contrast), [1, 2, 3]);
  },
  { family, signature: ssimSignature },
);

/** Mean over images of clamp((1 - ssim) / 2, 0, 1). */
export const ssimLoss = defineComposite(
  'ssimLoss',
  (x: Tensor, target: Tensor, options: SsimOptions = {}): Tensor => {
    checkSsim('ssimLoss', x, target, options);
    return mean(clamp(affine(ssim(x, target, options), -0.5, 0.5), { min: 0, max: 1 }));
  },
  { family, signature: ssimSignature },
);
