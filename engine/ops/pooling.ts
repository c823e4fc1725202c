// Pooling of (N, C, H, W) or (C, H, W) images, unpooling, and their adjoints.
import {
  type AdaptivePoolParams,
  adaptiveAveragePool,
  adaptiveAveragePoolBackward,
  adaptiveMaxPool,
  averagePool,
  averagePoolBackward,
  type Kernel,
  maxPool,
  maxPoolBackward,
  type PoolParams,
} from '../../kernels/index.ts';
import { wholePair } from '../checks.ts';
import { ShapeError, showShape } from '../errors.ts';
import { type Apply, defineComposite, defineFunction, defineOperation } from '../operation.ts';
import { type Pair, sameShape, type Shape, sizeOf, windowOutput } from '../shape.ts';
import { flag, float, int, optionsWith, orNull, sizes } from '../signature.ts';
import type { Tensor } from '../tensor.ts';
import { gather, scatter, scatterAdd } from './indexing.ts';
import { reshape } from './reshape.ts';

type Planes = AdaptivePoolParams;

const family = 'pooling';

const inputShape = (p: Planes): Shape => [p.planes, p.inH, p.inW];
const outputShape = (p: Planes): Shape => [p.planes, p.outH, p.outW];

function launch<P extends Planes>(
  kernel: Kernel<P>,
  inputs: readonly Tensor[],
  outputs: readonly Tensor[],
  p: P,
): void {
  if (outputs[0]!.size === 0) return;
  outputs[0]!.device.launch(
    kernel,
    inputs.map((x) => x.storage),
    outputs.map((y) => y.storage),
    p,
  );
}

/** A linear kernel from one float32 plane shape to another, whose adjoint is another such kernel. */
function definePair<P extends Planes>(name: string, forward: Kernel<P>, backward: Kernel<P>) {
  const down: Apply<P> = defineOperation<P>({
    name,
    family,
    infer: (_, p) => [{ shape: outputShape(p), dtype: 'float32' }],
    forward: (inputs, outputs, p) => launch(forward, inputs, outputs, p),
    vjp: ({ gradients, attrs }) => up([gradients[0]], attrs),
  });
  const up: Apply<P> = defineOperation<P>({
    name: `${name}Backward`,
    family,
    infer: (_, p) => [{ shape: inputShape(p), dtype: 'float32' }],
    forward: (inputs, outputs, p) => launch(backward, inputs, outputs, p),
    vjp: ({ gradients, attrs }) => down([gradients[0]], attrs),
  });
  return down;
}

const averageOp = definePair('avgPool2d', averagePool, averagePoolBackward);
const adaptiveAverageOp = definePair('adaptiveAvgPool2d', adaptiveAveragePool, adaptiveAveragePoolBackward);

const flatPlanes = (x: Tensor, planes: number): Tensor => reshape(x, [planes, x.size / Math.max(planes, 1)]);

const maxOp = defineOperation<PoolParams>({
  name: 'maxPool2d',
  family,
  infer: (_, p) => [
    { shape: outputShape(p), dtype: 'float32' },
    { shape: outputShape(p), dtype: 'int32' },
  ],
  forward: (inputs, outputs, p) => launch(maxPool, inputs, outputs, p),
  saves: { outputs: [1] },
  vjp: ({ gradients, outputs, attrs }) => maxBackwardOp([gradients[0], outputs[1]], attrs),
});

const maxBackwardOp = defineOperation<PoolParams>({
  name: 'maxPool2dBackward',
  family,
  dtypes: [['float32'], ['int32']],
  infer: (_, p) => [{ shape: inputShape(p), dtype: 'float32' }],
  forward: (inputs, outputs, p) => launch(maxPoolBackward, inputs, outputs, p),
  saves: { inputs: [1] },
  vjp: ({ gradients, inputs, attrs: { planes }, inputShapes }) => {
    const picked = gather(flatPlanes(gradients[0]!, planes), 1, flatPlanes(inputs[1]!, planes));
    return [reshape(picked, inputShapes[0]!)];
  },
});

const adaptiveMaxOp = defineOperation<Planes>({
  name: 'adaptiveMaxPool2d',
  family,
  infer: (_, p) => [
    { shape: outputShape(p), dtype: 'float32' },
    { shape: outputShape(p), dtype: 'int32' },
  ],
  forward: (inputs, outputs, p) => launch(adaptiveMaxPool, inputs, outputs, p),
  saves: { outputs: [1] },
  vjp: ({ gradients, outputs, attrs: { planes, inH, inW } }) => {
    const spread = scatterAdd(flatPlanes(gradients[0]!, planes), 1, flatPlanes(outputs[1]!, planes), inH * inW);
    return [reshape(spread, [planes, inH, inW])];
  },
});

function asPlanes(operation: string, x: Tensor): { planes: number; inH: number; inW: number; lead: Shape } {
  if (x.rank !== 3 && x.rank !== 4) {
    const expected = '(N, C, H, W) or (C, H, W)';
    throw new ShapeError('not an image', { operation, argument: 'x', expected, given: showShape(x.shape) });
  }
  const lead = x.shape.slice(0, -2);
  return { planes: sizeOf(lead), inH: x.shape.at(-2)!, inW: x.shape.at(-1)!, lead };
}

/** Geometry of pooling windows. */
export interface PoolOptions {
  /** Defaults to the kernel size. */
  stride?: number | Pair | null;
  padding?: number | Pair;
  ceilMode?: boolean;
}

const windows = { stride: orNull(sizes), padding: sizes, ceilMode: flag };

/** Options of `avgPool2d`. */
export interface AveragePoolOptions extends PoolOptions {
  /** Whether the padding counts in the divisor. Default true. */
  countIncludePad?: boolean;
}

/** Options of `maxPool2d`. */
export interface MaxPoolOptions extends PoolOptions {
  dilation?: number | Pair;
}

/** What max pooling gives. */
interface Wanted {
  /** Gives { values, indices } instead of the maxima alone. */
  returnIndices?: boolean;
}

/** Maxima, and where each was found: h W + w in the unpadded plane (int32). */
export interface Pooled {
  values: Tensor;
  indices: Tensor;
}

function geometry(operation: string, x: Tensor, kernel: number | Pair, options: MaxPoolOptions) {
  const { planes, inH, inW, lead } = asPlanes(operation, x);
  const [kernelH, kernelW] = wholePair(operation, 'kernel', kernel, 1);
  const [strideH, strideW] = wholePair(operation, 'stride', options.stride ?? kernel, 1);
  const [padH, padW] = wholePair(operation, 'padding', options.padding ?? 0, 0);
  const [dilationH, dilationW] = wholePair(operation, 'dilation', options.dilation ?? 1, 1);
  const refuse = (argument: string, expected: string, given: string): never => {
    throw new ShapeError('the window does not fit the image', { operation, argument, expected, given });
  };
  if (2 * padH > kernelH || 2 * padW > kernelW) {
    refuse('padding', `at most half of the kernel ${kernelH}x${kernelW}`, `${padH}x${padW}`);
  }
  const outH = windowOutput(inH, kernelH, strideH, padH, dilationH, options.ceilMode);
  const outW = windowOutput(inW, kernelW, strideW, padW, dilationW, options.ceilMode);
  if (outH < 1 || outW < 1) {
    const window = `${dilationH * (kernelH - 1) + 1}x${dilationW * (kernelW - 1) + 1}`;
    refuse('kernel', `a window within the padded image ${inH + 2 * padH}x${inW + 2 * padW}`, window);
  }
  const sizes = { planes, inH, inW, outH, outW, kernelH, kernelW, strideH, strideW, padH, padW, dilationH, dilationW };
  return { sizes, planar: reshape(x, [planes, inH, inW]), shape: [...lead, outH, outW] };
}

/** The maxima under their shape, with their indices where those are wanted. */
function pooled([values, indices]: readonly Tensor[], shape: Shape, withIndices = false): Tensor | Pooled {
  const maxima = reshape(values!, shape);
  return withIndices ? { values: maxima, indices: reshape(indices!, shape) } : maxima;
}

/** Windowed maximum; with `returnIndices` also where each was found. The first maximum wins; NaN always does. */
export const maxPool2d = defineFunction('maxPool2d', poolMaxima, {
  x: float,
  kernel: sizes,
  options: optionsWith<MaxPoolOptions & Wanted>({ ...windows, dilation: sizes, returnIndices: flag }),
});

function poolMaxima(x: Tensor, kernel: number | Pair, options: MaxPoolOptions & { returnIndices: true }): Pooled;
function poolMaxima(x: Tensor, kernel: number | Pair, options?: MaxPoolOptions & { returnIndices?: false }): Tensor;
function poolMaxima(x: Tensor, kernel: number | Pair, options: MaxPoolOptions & Wanted = {}): Tensor | Pooled {
  const { sizes, planar, shape } = geometry('maxPool2d', x, kernel, options);
  return pooled(maxOp([planar], { ...sizes, countPadding: 0 }), shape, options.returnIndices);
}

/** Windowed mean. The divisor is the window clipped to the padded plane, or to the plane if not `countIncludePad`. */
export const avgPool2d = defineFunction('avgPool2d', poolAverages, {
  x: float,
  kernel: sizes,
  options: optionsWith<AveragePoolOptions>({ ...windows, countIncludePad: flag }),
});

function poolAverages(x: Tensor, kernel: number | Pair, options: AveragePoolOptions = {}): Tensor {
  const { sizes, planar, shape } = geometry('avgPool2d', x, kernel, options);
  const { kernelH, kernelW, strideH, strideW, padH, padW } = sizes;
  // Each window is one element: the finest bins of a pyramid.
  if (Math.max(kernelH, kernelW, strideH, strideW) === 1 && padH + padW === 0) return reshape(x, shape);
  return reshape(averageOp([planar], { ...sizes, countPadding: Number(options.countIncludePad ?? true) })[0]!, shape);
}

function adaptive(operation: string, x: Tensor, outputSize: number | Pair) {
  const { planes, inH, inW, lead } = asPlanes(operation, x);
  const [outH, outW] = wholePair(operation, 'outputSize', outputSize, 1);
  if (inH < 1 || inW < 1) {
    const details = { operation, argument: 'x', expected: 'an image that is not empty', given: showShape(x.shape) };
    throw new ShapeError('there is nothing to pool', details);
  }
  const sizes = { planes, inH, inW, outH, outW };
  return { sizes, planar: reshape(x, [planes, inH, inW]), shape: [...lead, outH, outW] };
}

/** Mean over rows floor(i H / h) to ceil((i + 1) H / h) - 1 for output row i, columns alike. */
export const adaptiveAvgPool2d = defineFunction(
  'adaptiveAvgPool2d',
  (x: Tensor, outputSize: number | Pair): Tensor => {
    const { sizes, planar, shape } = adaptive('adaptiveAvgPool2d', x, outputSize);
    return reshape(adaptiveAverageOp([planar], sizes)[0]!, shape);
  },
  { x: float, outputSize: sizes },
);

/** Maximum over the windows of adaptiveAvgPool2d; with `returnIndices` also where each was found. */
export const adaptiveMaxPool2d = defineFunction('adaptiveMaxPool2d', poolAdaptiveMaxima, {
  x: float,
  outputSize: sizes,
  options: optionsWith<Wanted>({ returnIndices: flag }),
});

function poolAdaptiveMaxima(x: Tensor, outputSize: number | Pair, options: { returnIndices: true }): Pooled;
function poolAdaptiveMaxima(x: Tensor, outputSize: number | Pair, options?: { returnIndices?: false }): Tensor;
function poolAdaptiveMaxima(x: Tensor, outputSize: number | Pair, { returnIndices }: Wanted = {}): Tensor | Pooled {
  const { sizes, planar, shape } = adaptive('adaptiveMaxPool2d', x, outputSize);
  return pooled(adaptiveMaxOp([planar], sizes), shape, returnIndices);
}

/** Writes x at the pooled indices of a zero plane of `outputSize` [H, W]: the partial inverse of maxPool2d. */
export const maxUnpool2d = defineComposite(
  'maxUnpool2d',
  (x: Tensor, indices: Tensor, outputSize: Pair): Tensor => {
    const { planes, lead } = asPlanes('maxUnpool2d', x);
    if (!sameShape(indices.shape, x.shape)) {
      throw new ShapeError('needs one index per value', {
        operation: 'maxUnpool2d',
        argument: 'indices',
        expected: showShape(x.shape),
        given: showShape(indices.shape),
      });
    }
    const [height, width] = wholePair('maxUnpool2d', 'outputSize', outputSize, 1);
    const written = scatter(flatPlanes(x, planes), 1, flatPlanes(indices, planes), height * width);
    return reshape(written, [...lead, height, width]);
  },
  { family, signature: { x: float, indices: int, outputSize: sizes } },
);
