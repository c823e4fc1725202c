// Structural similarity with fused kernels: Wang et al. 2004, "Image quality assessment: from error visibility to structural
// similarity", equation 13, as in tf.image.ssim. Leaves out the multi-scale form and masks.
import { MAX_SSIM_WINDOW, ssim as ssimKernel, ssimBackward, type SsimParams } from '../../kernels/index.ts';
import { tensor } from '../creation.ts';
import { numberWithin, oneOf } from '../checks.ts';
import { ConfigError, ShapeError } from '../errors.ts';
import { defineComposite, defineFunction, defineOperation } from '../operation.ts';
import { type Pair, pair } from '../shape.ts';
import { float, number, optionsWith, type Signature, sizes, text } from '../signature.ts';
import type { Gradients } from '../tape.ts';
import type { Tensor } from '../tensor.ts';
import { add, div, mul, sub } from './binary.ts';
import { conv2d, convTranspose2d } from './convolution.ts';
import { narrow } from './layout.ts';
import { checkImage, checkSame } from './loss-options.ts';
import { mean } from './reduction.ts';
import { reshape } from './reshape.ts';
import { affine, clamp, square } from './unary.ts';

const family = 'ssim';
const signature: Signature = {
  x: float,
  target: float,
  options: optionsWith<SsimOptions>({
    maxValue: number,
    filterSize: sizes,
    window: text,
    sigma: number,
    padding: text,
    k1: number,
    k2: number,
  }),
};

/** (x, target, window) -> S per plane; shapes in kernels/ssim/ssim.ts. */
const mapOp = defineOperation<SsimParams>({
  name: 'ssimMap',
  family,
  infer: (_, p) => [{ shape: [p.planes, p.outH, p.outW], dtype: 'float32' }],
  forward(inputs, [map], p) {
    const storages = inputs.map((t) => t.storage);
    if (map!.size > 0) map!.device.launch(ssimKernel, storages, [map!.storage], p);
  },
  saves: { inputs: [0, 1, 2] },
  vjp({ gradients, inputs, needs, attrs, createGraph }): Gradients {
    const [x, target, window] = inputs as [Tensor, Tensor, Tensor];
    if (createGraph) return composedGradients(x, target, window, gradients[0]!, attrs);
    const [gx, gy] = backwardOp([x, target, window, gradients[0]], attrs);
    return [needs[0] ? gx : undefined, needs[1] ? gy : undefined];
  },
});

const backwardOp = defineOperation<SsimParams>({
  name: 'ssimMapBackward',
  family,
  noGradient: 'gradients of gradients of ssimMap are made of other operations',
  infer: ([x]) => [
    { shape: x!.shape, dtype: 'float32' },
    { shape: x!.shape, dtype: 'float32' },
  ],
  forward(inputs, outputs, p) {
    const storages = inputs.map((t) => t.storage);
    if (inputs[0]!.size === 0) return;
    inputs[0]!.device.launch(
      ssimBackward,
      storages,
      outputs.map((t) => t.storage),
      p,
    );
  },
});

/** The same gradients as differentiable expressions of x, y and g, for gradients of gradients. */
function composedGradients(x: Tensor, y: Tensor, window: Tensor, g: Tensor, p: SsimParams): Tensor[] {
  const column = reshape(narrow(window, 0, 0, p.windowH), [1, 1, p.windowH, 1]);
  const row = reshape(narrow(window, 0, p.windowH, p.windowW), [1, 1, 1, p.windowW]);
  const alongH = { padding: [p.padH, 0] as Pair };
  const alongW = { padding: [0, p.padW] as Pair };
  const image = (t: Tensor): Tensor => reshape(t, [p.planes, 1, p.inH, p.inW]);
  const blur = (t: Tensor): Tensor => conv2d(conv2d(t, row, undefined, alongW), column, undefined, alongH);
  const spread = (t: Tensor): Tensor =>
    convTranspose2d(convTranspose2d(t, column, undefined, alongH), row, undefined, alongW);

  const [a, b, cotangent] = [image(x), image(y), reshape(g, [p.planes, 1, p.outH, p.outW])];
  const [meanA, meanB] = [blur(a), blur(b)];
  const [product, squares] = [mul(meanA, meanB), add(square(meanA), square(meanB))];
  const covariance = sub(blur(mul(a, b)), product);
  const variances = sub(blur(add(square(a), square(b))), squares);
  const [brightness, deviation] = [affine(squares, 1, p.c1), affine(variances, 1, p.c2)];
  const luminance = div(affine(product, 2, p.c1), brightness);
  const contrast = div(affine(covariance, 2, p.c2), deviation);
  // With s the sum of the variances and c the covariance: g d/dc, 2 g d/ds, and g d/dmean without its way through both.
  const twice = affine(cotangent, 2, 0);
  const byCovariance = div(mul(twice, luminance), deviation);
  const byVariances = mul(affine(byCovariance, -1, 0), contrast);
  const byMeans = div(mul(twice, contrast), brightness);
  const gradient = (own: Tensor, meanOwn: Tensor, other: Tensor, meanOther: Tensor): Tensor => {
    const byMean = mul(byMeans, sub(meanOther, mul(luminance, meanOwn)));
    const constant = sub(byMean, add(mul(byVariances, meanOwn), mul(byCovariance, meanOther)));
    const total = add(spread(constant), add(mul(own, spread(byVariances)), mul(other, spread(byCovariance))));
    return reshape(total, x.shape);
  };
  return [gradient(a, meanA, b, meanB), gradient(b, meanB, a, meanA)];
}

/** Options of `ssim`. */
export interface SsimOptions {
  /** Largest possible value of a pixel: the dynamic range L. */
  maxValue?: number;
  /** Side of the window, or [height, width]; at most 127. */
  filterSize?: number | Pair;
  /** Shape of the window: a Gaussian of standard deviation `sigma` pixels, or the same weight everywhere. */
  window?: 'gaussian' | 'uniform';
  sigma?: number;
  /** 'valid': windows inside the image only. 'same': a map of the image's size, zeros around it; the window must be odd. */
  padding?: 'valid' | 'same';
  k1?: number;
  k2?: number;
}

/** Normalised weights along one axis. */
function lineWeights(size: number, sigma: number): number[] {
  const line = Array.from({ length: size }, (_, i) => Math.exp(-((i - (size - 1) / 2) ** 2) / (2 * sigma * sigma)));
  const total = line.reduce((a, b) => a + b, 0);
  return line.map((value) => value / total);
}

/** Sides of the window. Throws ConfigError for sides that no window has. */
function windowOf(operation: string, { filterSize = 11, padding = 'valid' }: SsimOptions): Pair {
  const sides = pair(filterSize);
  const isFitting = (n: number): boolean => Number.isInteger(n) && n >= 1 && n <= MAX_SSIM_WINDOW;
  if (!sides.every((n) => isFitting(n) && (padding === 'valid' || n % 2 === 1))) {
    throw new ConfigError('no such window', {
      operation,
      argument: 'filterSize',
      expected: `${padding === 'same' ? 'odd' : 'whole'} numbers from 1 to ${MAX_SSIM_WINDOW}`,
      given: String(filterSize),
    });
  }
  return sides;
}

/**
 * Structural similarity of images (N, C, H, W) at each position of the window: (N, C, H - h + 1, W - w + 1) with valid
 * windows, else (N, C, H, W). Differentiable in both images. Throws ShapeError for different shapes and for images smaller
 * than a valid window, ConfigError for options that make no sense.
 */
export const ssimMap = defineFunction(
  'ssimMap',
  (x: Tensor, target: Tensor, options: SsimOptions = {}): Tensor => mapOf('ssimMap', x, target, options),
  signature,
);

/** Largest |log2 maxValue| for which squares and quotients of squares stay in the range of float32. */
const USUAL_EXPONENT = 20;

/** The power of two that both images are divided by, on which S does not depend: 1 unless `maxValue` is extreme. */
function unitOf(maxValue: number): number {
  const exponent = Math.floor(Math.log2(maxValue));
  return Math.abs(exponent) <= USUAL_EXPONENT ? 1 : 2 ** Math.max(-126, Math.min(126, exponent));
}

function mapOf(operation: string, x: Tensor, target: Tensor, options: SsimOptions): Tensor {
  const { maxValue = 1, sigma = 1.5, k1 = 0.01, k2 = 0.03, window = 'gaussian', padding = 'valid' } = options;
  oneOf(operation, 'window', window, ['gaussian', 'uniform']);
  oneOf(operation, 'padding', padding, ['valid', 'same']);
  numberWithin(operation, 'maxValue', maxValue, { above: 0 });
  numberWithin(operation, 'sigma', sigma, { above: 0 });
  numberWithin(operation, 'k1', k1, { from: 0 });
  numberWithin(operation, 'k2', k2, { from: 0 });
  const [windowH, windowW] = windowOf(operation, options);
  checkImage(operation, x);
  checkSame(operation, x, target);
  const [padH, padW] = padding === 'same' ? [(windowH - 1) / 2, (windowW - 1) / 2] : [0, 0];
  const [n, c, inH, inW] = x.shape as [number, number, number, number];
  const [outH, outW] = [inH + 2 * padH - windowH + 1, inW + 2 * padW - windowW + 1];
  if (outH < 1 || outW < 1) {
    throw new ShapeError('the window is larger than the image', {
      operation,
      argument: 'filterSize',
      expected: `at most ${inH} x ${inW}`,
      given: `${windowH} x ${windowW}, padding ${padding}`,
    });
  }
  const width = window === 'gaussian' ? sigma : Infinity;
  const weights = [...lineWeights(windowH, width), ...lineWeights(windowW, width)];
  const planes = n * c;
  const flat = [planes, inH, inW];
  const unit = unitOf(maxValue);
  const [c1, c2] = [((k1 * maxValue) / unit) ** 2, ((k2 * maxValue) / unit) ** 2];
  const params = { planes, inH, inW, outH, outW, windowH, windowW, padH, padW, c1, c2 };
  const image = (t: Tensor): Tensor => reshape(unit === 1 ? t : affine(t, 1 / unit, 0), flat);
  const inputs = [image(x), image(target), tensor(weights, [weights.length], { device: x.device })];
  return reshape(mapOp(inputs, params)[0]!, [n, c, outH, outW]);
}

/** The mean of the map over its positions, one value per image. */
const similarity = (operation: string, x: Tensor, target: Tensor, options: SsimOptions): Tensor =>
  mean(mapOf(operation, x, target, options), [1, 2, 3]);

/** Structural similarity of images (N, C, H, W), one value per image (N): the mean of `ssimMap` over its positions. */
export const ssim = defineComposite(
  'ssim',
  (x: Tensor, target: Tensor, options: SsimOptions = {}): Tensor => similarity('ssim', x, target, options),
  { family, signature },
);

/** Mean over images of clamp((1 - ssim) / 2, 0, 1). */
export const ssimLoss = defineComposite(
  'ssimLoss',
  (x: Tensor, target: Tensor, options: SsimOptions = {}): Tensor =>
    mean(clamp(affine(similarity('ssimLoss', x, target, options), -0.5, 0.5), { min: 0, max: 1 })),
  { family, signature },
);
