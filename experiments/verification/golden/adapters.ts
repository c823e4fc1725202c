// How a fixture's operation is called: names and attributes of the fixture schema to the engine's functions.
import * as w from '../../../engine/index.ts';
import type { Tensor } from '../../../engine/index.ts';
import { moduleAdapters } from './modules.ts';

export type Inputs = Readonly<Record<string, Tensor>>;
/** Attributes as the fixtures store them: JSON. */
export type Attributes = Readonly<Record<string, unknown>>;
export type Outputs = Record<string, Tensor>;
export type Adapter = (inputs: Inputs, attributes: Attributes) => Outputs | Tensor;

type Pair = [number, number];

const unary =
  (f: (x: Tensor) => Tensor): Adapter =>
  (t) =>
    f(t.x!);
const binary =
  (f: (a: Tensor, b: Tensor) => Tensor): Adapter =>
  (t) =>
    f(t.a!, t.b!);
const number = (a: Attributes, name: string) => a[name] as number;
const numbers = (a: Attributes, name: string) => a[name] as number[];
const keepdim = (a: Attributes) => ({ keepdim: a.keepdim as boolean });
const axesOf = (a: Attributes) => (a.axes as number[] | null) ?? undefined;
const reduction = (f: (x: Tensor, axes: number[] | undefined, options: w.ReduceOptions) => Tensor): Adapter => {
  return (t, a) => f(t.x!, axesOf(a), keepdim(a));
};
const numbered = (t: Inputs) => Object.keys(t).map((_, i) => t[`x${i}`]!);
const lossReduction = (a: Attributes) => ({ reduction: a.reduction as w.LossReduction });
const matmulFlags = (a: Attributes) => ({
  transposeA: a.transpose_a as boolean,
  transposeB: a.transpose_b as boolean,
});
const convolution = (a: Attributes) => ({
  stride: a.stride as Pair,
  padding: a.padding as Pair,
  dilation: a.dilation as Pair,
  groups: number(a, 'groups'),
});
const pool = (a: Attributes) => ({
  stride: a.stride as Pair,
  padding: a.padding as Pair,
  ceilMode: a.ceil_mode as boolean,
});
const pooled = ({ values, indices }: { values: Tensor; indices: Tensor }) => ({ y: values, indices });

const elementwise: Record<string, Adapter> = {
  neg: unary(w.neg),
  exp: unary(w.exp),
  log: unary(w.log),
  sqrt: unary(w.sqrt),
  rsqrt: unary(w.rsqrt),
  abs: unary(w.abs),
  sign: unary(w.sign),
  relu: unary(w.relu),
  silu: unary(w.silu),
  sigmoid: unary(w.sigmoid),
  tanh: unary(w.tanh),
  reciprocal: unary(w.reciprocal),
  square: unary(w.square),
  sin: unary(w.sin),
  cos: unary(w.cos),
  leaky_relu: (t, a) => w.leakyRelu(t.x!, number(a, 'negative_slope')),
  elu: (t, a) => w.elu(t.x!, number(a, 'alpha')),
  gelu: (t, a) => w.gelu(t.x!, a.approximate as 'none' | 'tanh'),
  softplus: (t, a) => w.softplus(t.x!, number(a, 'beta'), number(a, 'threshold')),
  clamp: (t, a) => w.clamp(t.x!, { min: a.min as number | null, max: a.max as number | null }),
  pow_scalar: (t, a) => w.pow(t.x!, number(a, 'exponent')),
  add: binary(w.add),
  sub: binary(w.sub),
  mul: binary(w.mul),
  div: binary(w.div),
  maximum: binary(w.maximum),
  minimum: binary(w.minimum),
  pow: binary(w.pow),
  eq: binary(w.eq),
  ne: binary(w.ne),
  lt: binary(w.lt),
  le: binary(w.le),
  gt: binary(w.gt),
  ge: binary(w.ge),
  where: (t) => w.where(t.cond!, t.a!, t.b!),
};

const algebra: Record<string, Adapter> = {
  matmul: (t, a) => w.matmul(t.a!, t.b!, matmulFlags(a)),
  bmm: (t, a) => w.bmm(t.a!, t.b!, matmulFlags(a)),
  linear: (t) => w.linear(t.x!, t.weight!, t.bias),
  sum: reduction(w.sum),
  mean: reduction(w.mean),
  var: (t, a) => w.variance(t.x!, axesOf(a), { ...keepdim(a), correction: number(a, 'correction') }),
  logsumexp: reduction(w.logSumExp),
  amax: reduction(w.amax),
  amin: reduction(w.amin),
  max: (t, a) => w.max(t.x!, number(a, 'axis'), keepdim(a)),
  min: (t, a) => w.min(t.x!, number(a, 'axis'), keepdim(a)),
  argmax: (t, a) => w.argmax(t.x!, a.axis as number | null, keepdim(a)),
  argmin: (t, a) => w.argmin(t.x!, a.axis as number | null, keepdim(a)),
  softmax: (t, a) => w.softmax(t.x!, number(a, 'axis')),
  log_softmax: (t, a) => w.logSoftmax(t.x!, number(a, 'axis')),
};

const layout: Record<string, Adapter> = {
  permute: (t, a) => w.permute(t.x!, numbers(a, 'axes')),
  transpose: (t, a) => w.transpose(t.x!, number(a, 'axis0'), number(a, 'axis1')),
  reshape: (t, a) => w.reshape(t.x!, numbers(a, 'shape')),
  permute_reshape: (t, a) => w.reshape(w.permute(t.x!, numbers(a, 'axes')), numbers(a, 'shape')),
  slice: (t, a) => w.slice(t.x!, a.slices as w.SliceSpec),
  pad: (t, a) => w.pad(t.x!, numbers(a, 'pad'), a.mode as w.PadMode, (a.value as number | null) ?? 0),
  concat: (t, a) => w.concat(numbered(t), number(a, 'axis')),
  stack: (t, a) => w.stack(numbered(t), number(a, 'axis')),
  split: (t, a) => {
    const parts = w.split(t.x!, numbers(a, 'sizes'), number(a, 'axis'));
    return Object.fromEntries(parts.map((part, i) => [`y${i}`, part]));
  },
  gather: (t, a) => w.gather(t.x!, number(a, 'axis'), t.index!),
  index_select: (t, a) => w.indexSelect(t.x!, number(a, 'axis'), t.index!),
  flip: (t, a) => w.flip(t.x!, numbers(a, 'axes')),
  expand: (t, a) => w.expand(t.x!, numbers(a, 'shape')),
};

const images: Record<string, Adapter> = {
  conv2d: (t, a) => w.conv2d(t.x!, t.weight!, t.bias, convolution(a)),
  conv_transpose2d: (t, a) =>
    w.convTranspose2d(t.x!, t.weight!, t.bias, { ...convolution(a), outputPadding: a.output_padding as Pair }),
  max_pool2d: (t, a) =>
    pooled(w.maxPool2d(t.x!, a.kernel as Pair, { ...pool(a), dilation: a.dilation as Pair, returnIndices: true })),
  max_unpool2d: (t, a) => w.maxUnpool2d(t.x!, t.indices!, a.output_size as Pair),
  avg_pool2d: (t, a) =>
    w.avgPool2d(t.x!, a.kernel as Pair, { ...pool(a), countIncludePad: a.count_include_pad as boolean }),
  adaptive_avg_pool2d: (t, a) => w.adaptiveAvgPool2d(t.x!, a.output_size as Pair),
  adaptive_max_pool2d: (t, a) => pooled(w.adaptiveMaxPool2d(t.x!, a.output_size as Pair, { returnIndices: true })),
  interpolate: (t, a) =>
    w.interpolate(t.x!, {
      mode: a.mode as 'nearest' | 'bilinear',
      size: a.size as Pair | null,
      scaleFactor: a.scale_factor as Pair | null,
      alignCorners: a.align_corners as boolean | null,
    }),
  pixel_shuffle: (t, a) => w.pixelShuffle(t.x!, number(a, 'factor')),
};

const normalization: Record<string, Adapter> = {
  batch_norm: (t, a) => {
    // The running statistics change in place; the fixture's inputs must not.
    const copyOf = (x: Tensor | undefined) => x && w.affine(x, 1, 0);
    const [runningMean, runningVar] = w.noGrad(() => [copyOf(t.running_mean), copyOf(t.running_var)]);
    const { training, momentum, eps } = a as { training: boolean; momentum: number; eps: number };
    const options = { weight: t.weight, bias: t.bias, runningMean, runningVar, training, momentum, eps };
    const y = w.batchNorm(t.x!, options);
    const outputs: Outputs = { y };
    if (training && runningMean) Object.assign(outputs, { running_mean: runningMean, running_var: runningVar });
    return outputs;
  },
  dropout: (t, a) => w.dropout(t.x!, { p: number(a, 'p'), training: a.training as boolean }),
  layer_norm: (t, a) =>
    w.layerNorm(t.x!, numbers(a, 'normalized_shape'), { weight: t.weight, bias: t.bias, eps: number(a, 'eps') }),
  group_norm: (t, a) =>
    w.groupNorm(t.x!, number(a, 'groups'), { weight: t.weight, bias: t.bias, eps: number(a, 'eps') }),
};

const ssimOptions = (a: Attributes) => ({
  maxValue: number(a, 'max_val'),
  filterSize: number(a, 'filter_size'),
  sigma: number(a, 'sigma'),
  k1: number(a, 'k1'),
  k2: number(a, 'k2'),
});

const losses: Record<string, Adapter> = {
  masked_mse: (t) => w.maskedMse(t.x!, t.target!, t.mask!),
  masked_cross_entropy: (t) => w.maskedCrossEntropy(t.x!, t.target!, t.mask!),
  silog: (t, a) => {
    const { lambda, sqrt, scale } = a as { lambda: number; sqrt: boolean; scale: number };
    return w.silog(t.x!, t.target!, { lambda, sqrt, scale, mask: t.mask });
  },
  ssim: (t, a) => w.ssim(t.x!, t.target!, ssimOptions(a)),
  ssim_loss: (t, a) => w.ssimLoss(t.x!, t.target!, ssimOptions(a)),
  image_gradients: (t) => w.imageGradients(t.x!),
  image_gradient_loss: (t) => w.imageGradientLoss(t.x!, t.target!),
  diou_loss: (t, a) =>
    w.diouLoss(t.x!, t.target!, {
      ...lossReduction(a),
      eps: number(a, 'eps'),
      centerDistance: a.center_distance as 'squared' | 'norm',
    }),
  giou_loss: (t, a) => w.giouLoss(t.x!, t.target!, { ...lossReduction(a), eps: number(a, 'eps') }),
  uncertainty_weighting: (t, a) =>
    w.uncertaintyWeighting(t.losses!, t.s!, a.kinds as w.TaskKind[], a.variant as 'exp(-s)'),
  cross_entropy: (t, a) =>
    w.crossEntropy(t.x!, t.target!, {
      ...lossReduction(a),
      weight: t.weight,
      ignoreIndex: number(a, 'ignore_index'),
      labelSmoothing: number(a, 'label_smoothing'),
    }),
  nll_loss: (t, a) =>
    w.nllLoss(t.x!, t.target!, { ...lossReduction(a), weight: t.weight, ignoreIndex: number(a, 'ignore_index') }),
  mse_loss: (t, a) => w.mseLoss(t.x!, t.target!, lossReduction(a)),
  l1_loss: (t, a) => w.l1Loss(t.x!, t.target!, lossReduction(a)),
  smooth_l1_loss: (t, a) => w.smoothL1Loss(t.x!, t.target!, { ...lossReduction(a), beta: number(a, 'beta') }),
  huber_loss: (t, a) => w.huberLoss(t.x!, t.target!, { ...lossReduction(a), delta: number(a, 'delta') }),
  bce_with_logits: (t, a) =>
    w.bceWithLogits(t.x!, t.target!, { ...lossReduction(a), weight: t.weight, posWeight: t.pos_weight }),
};

/** Every operation of the fixtures that the engine has. */
export const adapters: Readonly<Record<string, Adapter>> = {
  ...elementwise,
  ...algebra,
  ...layout,
  ...images,
  ...normalization,
  ...losses,
  ...moduleAdapters,
  grad_of: (t, a) => {
    const { v, ...base } = t;
    const of = adapters[a.of as string];
    if (!of) throw new w.ConfigError('no such operation', { operation: 'grad_of', given: String(a.of) });
    const wrt = a.wrt as string[];
    const y = outputsOf(of(base, a.of_attrs as Attributes)).y!;
    const first = w.grad(
      y,
      wrt.map((name) => base[name]!),
      { gradOutputs: [v], createGraph: true },
    );
    return Object.fromEntries(wrt.map((name, i) => [`d.${name}`, first[i]!]));
  },
};

export const outputsOf = (result: Outputs | Tensor): Outputs => (result instanceof w.Tensor ? { y: result } : result);
