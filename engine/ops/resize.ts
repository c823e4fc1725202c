// Resampling of (N, C, H, W) images as torch's interpolate: nearest, and bilinear with either corner rule.
import {
  type Kernel,
  resize as resizeKernel,
  resizeBackward,
  ResizeMode,
  type ResizeParams,
} from '../../kernels/index.ts';
import { numberWithin, oneOf, wholePair } from '../checks.ts';
import { ConfigError, ShapeError, showShape } from '../errors.ts';
import { type Apply, defineFunction, defineOperation } from '../operation.ts';
import { type Pair, pair } from '../shape.ts';
import { factors, flag, float, orNull, requiredOptions, sizes, text } from '../signature.ts';
import type { Tensor } from '../tensor.ts';
import { reshape } from './reshape.ts';

const launch = (kernel: Kernel<ResizeParams>, x: Tensor, y: Tensor, p: ResizeParams): void => {
  if (y.size > 0) y.device.launch(kernel, [x.storage], [y.storage], p);
};

const resizeOp: Apply<ResizeParams> = defineOperation<ResizeParams>({
  name: 'interpolate',
  family: 'resize',
  infer: (_, p) => [{ shape: [p.planes, p.outH, p.outW], dtype: 'float32' }],
  forward: ([x], [y], p) => launch(resizeKernel, x!, y!, p),
  vjp: ({ gradients, attrs }) => resizeBackwardOp([gradients[0]], attrs),
});

const resizeBackwardOp: Apply<ResizeParams> = defineOperation<ResizeParams>({
  name: 'interpolateBackward',
  family: 'resize',
  infer: (_, p) => [{ shape: [p.planes, p.inH, p.inW], dtype: 'float32' }],
  forward: ([g], [y], p) => launch(resizeBackward, g!, y!, p),
  vjp: ({ gradients, attrs }) => resizeOp([gradients[0]], attrs),
});

/** Options of `interpolate`. */
export interface InterpolateOptions {
  mode?: 'nearest' | 'bilinear';
  /** Output [height, width]; or give `scaleFactor`. */
  size?: number | Pair | null;
  scaleFactor?: number | Pair | null;
  /** Bilinear only: map corner centres onto each other. */
  alignCorners?: boolean | null;
}

/** Source step per output position. */
function sourceScale(input: number, output: number, factor: number | undefined, aligned: boolean): number {
  if (aligned) return output > 1 ? (input - 1) / (output - 1) : 0;
  return factor === undefined ? input / output : 1 / factor;
}

/** Resizes the last two axes. With `scaleFactor` the output size is floor(size factor), and 1 / factor the source step. */
export const interpolate = defineFunction('interpolate', resizeImage, {
  x: float,
  options: requiredOptions<InterpolateOptions>({
    mode: text,
    size: orNull(sizes),
    scaleFactor: orNull(factors),
    alignCorners: orNull(flag),
  }),
});

function resizeImage(x: Tensor, options: InterpolateOptions): Tensor {
  const { mode = 'nearest', alignCorners } = options;
  if (x.rank !== 4 || x.shape[2] === 0 || x.shape[3] === 0) {
    throw new ShapeError('not an image', {
      operation: 'interpolate',
      argument: 'x',
      expected: '(N, C, H, W) with H and W from 1',
      given: showShape(x.shape),
    });
  }
  oneOf('interpolate', 'mode', mode, ['nearest', 'bilinear']);
  const [n, c, inH, inW] = x.shape as [number, number, number, number];
  const isGiven = (value: number | Pair | null | undefined) => value !== null && value !== undefined;
  if (isGiven(options.size) === isGiven(options.scaleFactor)) {
    throw new ConfigError('give either a size or a factor', {
      operation: 'interpolate',
      argument: 'size',
      expected: 'size or scaleFactor',
      given: isGiven(options.size) ? 'both' : 'neither',
    });
  }
  const factor = isGiven(options.scaleFactor) ? pair(options.scaleFactor!) : undefined;
  for (const each of factor ?? []) numberWithin('interpolate', 'scaleFactor', each, { above: 0 });
  const [outH, outW] = factor
    ? wholePair('interpolate', 'scaleFactor', [Math.floor(inH * factor[0]), Math.floor(inW * factor[1])], 1)
    : wholePair('interpolate', 'size', options.size!, 1);
  const aligned = mode === 'bilinear' && alignCorners === true;
  const isUnscaled = aligned || !factor || (factor[0] === 1 && factor[1] === 1);
  if (isUnscaled && outH === inH && outW === inW) return reshape(x, x.shape);
  const y = resizeOp([reshape(x, [n * c, inH, inW])], {
    planes: n * c,
    inH,
    inW,
    outH,
    outW,
    mode: mode === 'nearest' ? ResizeMode.nearest : ResizeMode.bilinear,
    alignCorners: Number(aligned),
    scaleH: sourceScale(inH, outH, factor?.[0], aligned),
    scaleW: sourceScale(inW, outW, factor?.[1], aligned),
  })[0]!;
  return reshape(y, [n, c, outH, outW]);
}
