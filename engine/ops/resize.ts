// Resampling of (N, C, H, W) images as torch's interpolate: nearest, and bilinear with either corner rule.
import {
  type Kernel,
  resize as resizeKernel,
  resizeBackward,
  ResizeMode,
  type ResizeParams,
} from '../../kernels/index.ts';
import { ConfigError, ShapeError, showShape } from '../errors.ts';
import { type Apply, defineOperation } from '../operation.ts';
import { type Pair, pair } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { reshape } from './reshape.ts';

const launch = (kernel: Kernel<ResizeParams>, x: Tensor, y: Tensor, p: ResizeParams): void => {
  if (y.size > 0) y.device.launch(kernel, [x.storage], [y.storage], p);
};

const resizeOp: Apply<ResizeParams> = defineOperation<ResizeParams>({
  name: 'interpolate',
  infer: (_, p) => [{ shape: [p.planes, p.outH, p.outW], dtype: 'float32' }],
  forward: ([x], [y], p) => launch(resizeKernel, x!, y!, p),
  vjp: ({ gradients, attrs }) => resizeBackwardOp([gradients[0]], attrs),
});

const resizeBackwardOp: Apply<ResizeParams> = defineOperation<ResizeParams>({
  name: 'interpolateBackward',
  infer: (_, p) => [{ shape: [p.planes, p.inH, p.inW], dtype: 'float32' }],
  forward: ([g], [y], p) => launch(resizeBackward, g!, y!, p),
  vjp: ({ gradients, attrs }) => resizeOp([gradients[0]], attrs),
});

export interface InterpolateOptions {
  mode?: 'nearest' | 'bilinear';
  /** Output [height, width]; or give `scaleFactor`. */
  size?: number | Pair | null;
  scaleFactor?: number | Pair | null;
  /** Bilinear only: map corner centres onto each other. */
  alignCorners?: boolean | null;
}

/** Source step per output position, in float32 as PyTorch has it. */
function sourceScale(input: number, output: number, factor: number | undefined, aligned: boolean): number {
  if (aligned) return output > 1 ? Math.fround((input - 1) / (output - 1)) : 0;
  return Math.fround(factor === undefined ? Math.fround(input) / output : 1 / factor);
}

/** Resizes the last two axes. With `scaleFactor` the output size is floor(size factor), and 1 / factor the source step. */
export function interpolate(x: Tensor, options: InterpolateOptions): Tensor {
  const { mode = 'nearest', alignCorners } = options;
  if (x.rank !== 4) throw new ShapeError('needs (N, C, H, W)', { operation: 'interpolate', given: showShape(x.shape) });
  const [n, c, inH, inW] = x.shape as [number, number, number, number];
  const given = (value: number | Pair | null | undefined) =>
    value === null || value === undefined ? undefined : pair(value);
  const size = given(options.size);
  const factor = given(options.scaleFactor);
  if ((size === undefined) === (factor === undefined)) {
    throw new ConfigError('give either size or scaleFactor', { operation: 'interpolate' });
  }
  const [outH, outW] = size ?? [Math.floor(inH * factor![0]), Math.floor(inW * factor![1])];
  if (![inH, inW, outH, outW].every((value) => Number.isInteger(value) && value > 0)) {
    throw new ShapeError('sizes must be 1 or more', {
      operation: 'interpolate',
      given: `${inH}x${inW} to ${outH}x${outW}`,
    });
  }
  const aligned = mode === 'bilinear' && alignCorners === true;
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
