// Losses of dense prediction: masked regression and classification, the scale-invariant log error, image gradients, SSIM.
import { tensor } from '../creation.ts';
import { ShapeError, showShape } from '../errors.ts';
import { defineComposite } from '../operation.ts';
import { sameShape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { noGrad } from '../tape.ts';
import { add, div, maximum, mul, sub, where } from './binary.ts';
import { conv2d } from './convolution.ts';
import { expand } from './expand.ts';
import { narrow, pad } from './layout.ts';
import { crossEntropy, mseLoss } from './losses.ts';
import { mean, sum } from './reduction.ts';
import { abs, affine, cast, clamp, log, sqrt, square } from './unary.ts';

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

/** Structural similarity of images (N, C, H, W) per image (N), with valid windows: Wang et al. 2004, as tf.image.ssim. */
export const ssim = defineComposite('ssim', (x: Tensor, target: Tensor, options: SsimOptions = {}): Tensor => {
  const { maxValue = 1, filterSize = 11, sigma = 1.5, k1 = 0.01, k2 = 0.03 } = options;
  if (x.rank !== 4 || !sameShape(x.shape, target.shape) || Math.min(x.shape[2]!, x.shape[3]!) < filterSize) {
    throw new ShapeError('needs two images (N, C, H, W) no smaller than the window', {
      operation: 'ssim',
      given: `${showShape(x.shape)} and ${showShape(target.shape)}, window ${filterSize}`,
    });
  }
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
});

/** Mean over images of clamp((1 - ssim) / 2, 0, 1). */
export const ssimLoss = defineComposite('ssimLoss', (x: Tensor, target: Tensor, options: SsimOptions = {}): Tensor =>
  mean(clamp(affine(ssim(x, target, options), -0.5, 0.5), { min: 0, max: 1 })),
);
