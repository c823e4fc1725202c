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
import { type Apply, defineComposite, defineFunction, defineOperation } from '../operation.ts';
import { eachReadsOther } from '../saved.ts';
import { type Pair, type Shape, windowOutput } from '../shape.ts';
import { float, optional, optionsWith, padding, padding1d, size, sizes } from '../signature.ts';
import type { Tensor } from '../tensor.ts';
import { pad } from './layout.ts';
import { sum } from './reduction.ts';
import { squeeze, unsqueeze } from './reshape.ts';

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
  /** Zeros around the image; 'same' (with a stride of 1) gives an output of its size, with the odd one behind it. */
  padding?: number | Pair | 'same';
  dilation?: number | Pair;
  groups?: number;
}

/** Geometry of a transposed convolution. */
export interface ConvTranspose2dOptions extends Omit<Conv2dOptions, 'padding'> {
  padding?: number | Pair;
  /** Rows and columns added at the end of the output. */
  outputPadding?: number | Pair;
}

type Numeric = Omit<Conv2dOptions, 'padding'> & { padding?: number | Pair };

function checkOperands(operation: string, x: Tensor, weight: Tensor, bias: Tensor | undefined, options: Numeric) {
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
const geometry = { stride: sizes, dilation: sizes, groups: size };

/** Cross-correlation of x (N, C, H, W) with weight (O, C / groups, kH, kW), plus bias (O); zero padding. */
export const conv2d = defineFunction('conv2d', convolve, {
  ...operands,
  options: optionsWith<Conv2dOptions>({ stride: sizes, padding, dilation: sizes, groups: size }),
});

/** x and its padding in numbers; the side that 'same' pads more has got its zeros already. */
function padded(x: Tensor, weight: Tensor, { padding, ...options }: Conv2dOptions): [Tensor, Numeric] {
  if (padding !== 'same') return [x, { ...options, ...(padding !== undefined && { padding }) }];
  const stride = wholePair('conv2d', 'stride', options.stride ?? 1, 1);
  if (stride[0] !== 1 || stride[1] !== 1) {
    const details = { operation: 'conv2d', argument: 'padding', expected: "numbers, or 'same' with a stride of 1" };
    throw new ShapeError("'same' needs a stride of 1", { ...details, given: `a stride of ${stride.join('x')}` });
  }
  const dilation = wholePair('conv2d', 'dilation', options.dilation ?? 1, 1);
  const totals = dilation.map((step, i) => step * ((weight.shape[2 + i] ?? 1) - 1));
  const [down, right] = totals.map((total) => total % 2) as [number, number];
  const before = totals.map((total) => Math.max(0, Math.floor(total / 2))) as unknown as Pair;
  const isImage = x.rank === 4 && down + right > 0;
  return [isImage ? pad(x, [0, right, 0, down]) : x, { ...options, padding: before }];
}

function convolve(image: Tensor, weight: Tensor, bias?: Tensor, options: Conv2dOptions = {}): Tensor {
  const [x, numeric] = padded(image, weight, options);
  const { groups, stride, padding, dilation } = checkOperands('conv2d', x, weight, bias, numeric);
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

/** Geometry of a convolution along one axis. */
export interface Conv1dOptions {
  stride?: number;
  /** Zeros at both ends; 'same' (with a stride of 1) gives an output of the length of the input. */
  padding?: number | 'same';
  dilation?: number;
  groups?: number;
}

/** Cross-correlation of x (N, C, L) with weight (O, C / groups, K), plus bias (O); zero padding. */
export const conv1d = defineComposite(
  'conv1d',
  (x: Tensor, weight: Tensor, bias?: Tensor, options: Conv1dOptions = {}): Tensor => {
    for (const [argument, given] of Object.entries({ x, weight })) {
      if (given.rank === 3) continue;
      const details = { operation: 'conv1d', argument, expected: 'three axes', given: showShape(given.shape) };
      throw new ShapeError('shapes do not fit', details);
    }
    const { stride = 1, padding = 0, dilation = 1, groups = 1 } = options;
    const y = conv2d(unsqueeze(x, 2), unsqueeze(weight, 2), bias, {
      stride: [1, wholeNumber('conv1d', 'stride', stride, 1)],
      padding: padding === 'same' ? padding : [0, wholeNumber('conv1d', 'padding', padding, 0)],
      dilation: [1, wholeNumber('conv1d', 'dilation', dilation, 1)],
      groups: wholeNumber('conv1d', 'groups', groups, 1),
    });
    return squeeze(y, 2);
  },
  {
    family,
    signature: {
      ...operands,
      options: optionsWith<Conv1dOptions>({ stride: size, padding: padding1d, dilation: size, groups: size }),
    },
  },
);

/** The adjoint of conv2d as a layer: x (N, C, H, W), weight (C, O / groups, kH, kW), bias (O). */
export const convTranspose2d = defineFunction('convTranspose2d', convolveTransposed, {
  ...operands,
  options: optionsWith<ConvTranspose2dOptions>({ ...geometry, padding: sizes, outputPadding: sizes }),
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
  if (inH < 1 || inW < 1) refuse('padding', 'one that leaves at least one element', `an output of ${inH} x ${inW}`);
  // In the shared geometry the image is this layer's output.
  const sizes = { batch, inChannels: outputs, inH, inW, outChannels, outH, outW, kernelH, kernelW, groups };
  return transposeOp([x, weight, bias], { ...sizes, ...named(stride, padding, dilation) })[0]!;
}
