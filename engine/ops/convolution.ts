// conv2d, convTranspose2d and the weight gradient. The three close under differentiation: each one's gradients are the
// other two, so gradients of gradients need nothing new.
import {
  conv2d as conv2dKernel,
  conv2dInputGradient,
  type Conv2dParams,
  conv2dWeightGradient,
  fill,
} from '../../kernels/index.ts';
import { wholeNumber, wholePair } from '../checks.ts';
import { ShapeError, showShape } from '../errors.ts';
import { type Apply, defineFunction, defineOperation } from '../operation.ts';
import { eachReadsOther } from '../saved.ts';
import { type Pair, type Shape, windowOutput } from '../shape.ts';
import { float, optional, optionsWith, size, sizes } from '../signature.ts';
import type { Tensor } from '../tensor.ts';
import { sum } from './reduction.ts';

/** Sizes shared by a convolution and its adjoints; `bias` is set per launch. */
type Geometry = Omit<Conv2dParams, 'bias'>;

const family = 'convolution';

const imageShape = (p: Geometry) => [p.batch, p.inChannels, p.inH, p.inW];
const outputShape = (p: Geometry) => [p.batch, p.outChannels, p.outH, p.outW];
const weightShape = (p: Geometry) => [p.outChannels, p.inChannels / p.groups, p.kernelH, p.kernelW];
const biasGradient = (g: Tensor): Tensor => sum(g, [0, 2, 3]);

function launch(kernel: typeof conv2dKernel, inputs: readonly (Tensor | undefined)[], y: Tensor, p: Geometry): void {
  if (y.size === 0) return;
  const given = inputs.filter((input) => input !== undefined);
  const bias = inputs[2] !== undefined;
  if (!bias && given.some((input) => input.size === 0)) {
    return y.device.launch(fill, [], [y.storage], { n: y.size, value: 0 });
  }
  y.device.launch(
    kernel,
    given.map((input) => input.storage),
    [y.storage],
    { ...p, bias: Number(bias) },
  );
}

const convOp: Apply<Geometry> = defineOperation<Geometry>({
  name: 'conv2d',
  family,
  infer: (_, p) => [{ shape: outputShape(p), dtype: 'float32' }],
  forward: (inputs, [y], p) => launch(conv2dKernel, inputs, y!, p),
  saves: { inputs: eachReadsOther },
  vjp: ({ gradients: [g], inputs: [x, w], needs, attrs }) => [
    needs[0] ? transposeOp([g, w], attrs)[0] : undefined,
    needs[1] ? weightGradientOp([x, g], attrs)[0] : undefined,
    needs[2] ? biasGradient(g!) : undefined,
  ],
});

const transposeOp: Apply<Geometry> = defineOperation<Geometry>({
  name: 'convTranspose2d',
  family,
  infer: (_, p) => [{ shape: imageShape(p), dtype: 'float32' }],
  forward: (inputs, [y], p) => launch(conv2dInputGradient, inputs, y!, p),
  saves: { inputs: eachReadsOther },
  vjp: ({ gradients: [g], inputs: [x, w], needs, attrs }) => [
    needs[0] ? convOp([g, w], attrs)[0] : undefined,
    needs[1] ? weightGradientOp([g, x], attrs)[0] : undefined,
    needs[2] ? biasGradient(g!) : undefined,
  ],
});

/** (image, output gradient) -> weight gradient. */
const weightGradientOp: Apply<Geometry> = defineOperation<Geometry>({
  name: 'conv2dWeightGradient',
  family,
  infer: (_, p) => [{ shape: weightShape(p), dtype: 'float32' }],
  forward: (inputs, [y], p) => launch(conv2dWeightGradient, inputs, y!, p),
  saves: { inputs: eachReadsOther },
  vjp: ({ gradients: [g], inputs: [x, y], needs, attrs }) => [
    needs[0] ? transposeOp([y, g], attrs)[0] : undefined,
    needs[1] ? convOp([x, g], attrs)[0] : undefined,
  ],
});

/** Geometry of a convolution: one number, or [height, width]. */
export interface Conv2dOptions {
  stride?: number | Pair;
  padding?: number | Pair;
  dilation?: number | Pair;
  groups?: number;
}

/** Geometry of a transposed convolution. */
export interface ConvTranspose2dOptions extends Conv2dOptions {
  /** Rows and columns added at the end of the output. */
  outputPadding?: number | Pair;
}

function checkOperands(operation: string, x: Tensor, weight: Tensor, bias: Tensor | undefined, options: Conv2dOptions) {
  const refuse = (argument: string, expected: string, given: Shape): never => {
    throw new ShapeError('shapes do not fit', { operation, argument, expected, given: showShape(given) });
  };
  if (x.rank !== 4) refuse('x', '(N, C, H, W)', x.shape);
  if (weight.rank !== 4 || weight.shape[2] === 0 || weight.shape[3] === 0) {
    refuse('weight', 'four axes, the last two not empty', weight.shape);
  }
  const groups = wholeNumber(operation, 'groups', options.groups ?? 1, 1);
  const transposed = operation === 'convTranspose2d';
  const [first, second] = [weight.shape[0]!, weight.shape[1]!];
  const channels = transposed ? first : second * groups;
  if (x.shape[1] !== channels || first % groups !== 0) {
    const expected = transposed
      ? `[${x.shape[1]}, C, kH, kW] with ${groups} groups`
      : `[C, ${x.shape[1]! / groups}, kH, kW]`;
    refuse('weight', `${expected} for an input of ${showShape(x.shape)}`, weight.shape);
  }
  const outputs = transposed ? second * groups : first;
  if (bias && (bias.rank !== 1 || bias.shape[0] !== outputs)) refuse('bias', `[${outputs}]`, bias.shape);
  return {
    groups,
    outputs,
    stride: wholePair(operation, 'stride', options.stride ?? 1, 1),
    padding: wholePair(operation, 'padding', options.padding ?? 0, 0),
    dilation: wholePair(operation, 'dilation', options.dilation ?? 1, 1),
  };
}

function named([strideH, strideW]: Pair, [padH, padW]: Pair, [dilationH, dilationW]: Pair) {
  return { strideH, strideW, padH, padW, dilationH, dilationW };
}

const operands = { x: float, weight: float, bias: optional(float) };
const geometry = { stride: sizes, padding: sizes, dilation: sizes, groups: size };

/** Cross-correlation of x (N, C, H, W) with weight (O, C / groups, kH, kW), plus bias (O); zero padding. */
export const conv2d = defineFunction('conv2d', convolve, {
  ...operands,
  options: optionsWith<Conv2dOptions>(geometry),
});

function convolve(x: Tensor, weight: Tensor, bias?: Tensor, options: Conv2dOptions = {}): Tensor {
  const { groups, stride, padding, dilation } = checkOperands('conv2d', x, weight, bias, options);
  const [batch, inChannels, inH, inW] = x.shape as [number, number, number, number];
  const [outChannels, , kernelH, kernelW] = weight.shape as [number, number, number, number];
  const outH = windowOutput(inH, kernelH, stride[0], padding[0], dilation[0]);
  const outW = windowOutput(inW, kernelW, stride[1], padding[1], dilation[1]);
  if (outH < 1 || outW < 1) {
    throw new ShapeError('the kernel is larger than the padded image', {
      operation: 'conv2d',
      argument: 'weight',
      expected: `at most ${inH + 2 * padding[0]}x${inW + 2 * padding[1]}`,
      given: `${dilation[0] * (kernelH - 1) + 1}x${dilation[1] * (kernelW - 1) + 1}`,
    });
  }
  const sizes = { batch, inChannels, inH, inW, outChannels, outH, outW, kernelH, kernelW, groups };
  return convOp([x, weight, bias], { ...sizes, ...named(stride, padding, dilation) })[0]!;
}

/** The adjoint of conv2d as a layer: x (N, C, H, W), weight (C, O / groups, kH, kW), bias (O). */
export const convTranspose2d = defineFunction('convTranspose2d', convolveTransposed, {
  ...operands,
  options: optionsWith<ConvTranspose2dOptions>({ ...geometry, outputPadding: sizes }),
});

function convolveTransposed(x: Tensor, weight: Tensor, bias?: Tensor, options: ConvTranspose2dOptions = {}): Tensor {
  const { groups, outputs, stride, padding, dilation } = checkOperands('convTranspose2d', x, weight, bias, options);
  const [batch, outChannels, outH, outW] = x.shape as [number, number, number, number];
  const [, , kernelH, kernelW] = weight.shape as [number, number, number, number];
  const extra = wholePair('convTranspose2d', 'outputPadding', options.outputPadding ?? 0, 0);
  const size = (n: number, axis: 0 | 1, kernel: number): number =>
    (n - 1) * stride[axis] - 2 * padding[axis] + dilation[axis] * (kernel - 1) + extra[axis] + 1;
  const inH = size(outH, 0, kernelH);
  const inW = size(outW, 1, kernelW);
  const refuse = (argument: string, expected: string, given: string): never => {
    throw new ShapeError('no such output', { operation: 'convTranspose2d', argument, expected, given });
  };
  const limits = stride.map((n, i) => Math.max(n, dilation[i]!));
  if (extra.some((n, i) => n >= limits[i]!)) {
    refuse('outputPadding', `below the stride or the dilation (${limits.join(', ')})`, extra.join(', '));
  }
  if (inH < 1 || inW < 1) refuse('padding', 'one that leaves something', `an output of ${inH} x ${inW}`);
  // In the shared geometry the image is this layer's output.
  const sizes = { batch, inChannels: outputs, inH, inW, outChannels, outH, outW, kernelH, kernelW, groups };
  return transposeOp([x, weight, bias], { ...sizes, ...named(stride, padding, dilation) })[0]!;
}
