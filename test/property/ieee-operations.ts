// The operations of ieee.json by name, as PyTorch's are in ieee_oracle.py.
import * as w from '../../engine/index.ts';
import { powScalar } from '../../engine/ops/unary.ts';

type Operation = (...inputs: w.Tensor[]) => w.Tensor | readonly w.Tensor[];

const unary: Readonly<Record<string, (x: w.Tensor) => w.Tensor>> = {
  neg: w.neg,
  abs: w.abs,
  sign: w.sign,
  square: w.square,
  exp: w.exp,
  log: w.log,
  sqrt: w.sqrt,
  rsqrt: w.rsqrt,
  reciprocal: w.reciprocal,
  sin: w.sin,
  cos: w.cos,
  erf: w.erf,
  relu: w.relu,
  leakyRelu: (x) => w.leakyRelu(x, 0.25),
  elu: (x) => w.elu(x),
  silu: w.silu,
  sigmoid: w.sigmoid,
  tanh: w.tanh,
  gelu: (x) => w.gelu(x),
  geluTanh: (x) => w.gelu(x, 'tanh'),
  softplus: (x) => w.softplus(x),
  clamp: (x) => w.clamp(x, { min: -0.5, max: 1 }),
  clampMin: (x) => w.clamp(x, { min: 1 }),
  affine: (x) => w.affine(x, -2, 1),
};

const powers = Object.fromEntries(
  ['-1.0', '0.0', '0.5', '1.0', '2.0', '3.0', '2.5', 'inf', 'nan'].map((name) => {
    const exponent = name === 'inf' ? Infinity : Number(name);
    return [`pow${name}`, (x: w.Tensor) => powScalar(x, exponent)];
  }),
);

const binary: Readonly<Record<string, (a: w.Tensor, b: w.Tensor) => w.Tensor>> = {
  add: w.add,
  sub: w.sub,
  mul: w.mul,
  div: w.div,
  pow: w.pow,
  maximum: w.maximum,
  minimum: w.minimum,
  eq: w.eq,
  ne: w.ne,
  lt: w.lt,
  le: w.le,
  gt: w.gt,
  ge: w.ge,
  matmul: (a, b) => w.matmul(a, b),
  conv2d: (x, weight) => w.conv2d(x, weight),
};

type Reduction = (x: w.Tensor, axis: number) => w.Tensor | readonly w.Tensor[];

const reductions: Readonly<Record<string, Reduction>> = {
  sum: (x, axis) => w.sum(x, axis),
  mean: (x, axis) => w.mean(x, axis),
  amax: (x, axis) => w.amax(x, axis),
  amin: (x, axis) => w.amin(x, axis),
  max: (x, axis) => Object.values(w.max(x, axis)),
  min: (x, axis) => Object.values(w.min(x, axis)),
  argmax: (x, axis) => w.argmax(x, axis),
  argmin: (x, axis) => w.argmin(x, axis),
  variance: (x, axis) => w.variance(x, axis, { correction: 1 }),
  logSumExp: (x, axis) => w.logSumExp(x, axis),
  softmax: w.softmax,
  logSoftmax: w.logSoftmax,
};

const alongEither = Object.fromEntries(
  Object.entries(reductions).flatMap(([name, f]) =>
    [0, 1].map((axis): [string, Operation] => [`${name}${axis}`, (x) => f(x!, axis)]),
  ),
);

type Loss = (x: w.Tensor, target: w.Tensor, reduction: w.LossReduction) => w.Tensor;

const losses: Readonly<Record<string, Loss>> = {
  mseLoss: (x, y, reduction) => w.mseLoss(x, y, { reduction }),
  l1Loss: (x, y, reduction) => w.l1Loss(x, y, { reduction }),
  huberLoss: (x, y, reduction) => w.huberLoss(x, y, { reduction }),
  smoothL1Loss: (x, y, reduction) => w.smoothL1Loss(x, y, { reduction }),
  bceWithLogits: (x, y, reduction) => w.bceWithLogits(x, y, { reduction }),
  crossEntropy: (x, y, reduction) => w.crossEntropy(x, y, { reduction }),
  crossEntropySmoothed: (x, y, reduction) => w.crossEntropy(x, y, { reduction, labelSmoothing: 0.1 }),
  nllLoss: (x, y, reduction) => w.nllLoss(x, y, { reduction }),
};

const reduced = Object.fromEntries(
  Object.entries(losses).flatMap(([name, f]) =>
    (['mean', 'sum', 'none'] as const).map((how): [string, Operation] => [`${name} ${how}`, (x, y) => f(x!, y!, how)]),
  ),
);

const images: Readonly<Record<string, Operation>> = {
  maxPool2d: (x) => Object.values(w.maxPool2d(x!, 2, { stride: 1, padding: 1, returnIndices: true })),
  adaptiveMaxPool2d: (x) => Object.values(w.adaptiveMaxPool2d(x!, 3, { returnIndices: true })),
  avgPool2d: (x) => w.avgPool2d(x!, 2, { stride: 1 }),
  nearest: (x) => w.interpolate(x!, { mode: 'nearest', size: [3, 5] }),
  bilinear: (x) => w.interpolate(x!, { mode: 'bilinear', size: [4, 5], alignCorners: false }),
  batchNorm: (x, weight, bias) => w.batchNorm(x!, { weight, bias, training: true }),
  batchNormEval: (x, weight, bias, runningMean, runningVar) =>
    w.batchNorm(x!, { weight, bias, runningMean, runningVar }),
  layerNorm: (x) => w.layerNorm(x!, [3]),
};

export const ieeeOperations: Readonly<Record<string, Operation>> = {
  ...(unary as Record<string, Operation>),
  ...powers,
  ...(binary as Record<string, Operation>),
  where: (condition, a, b) => w.where(condition!, a!, b!),
  ...alongEither,
  ...reduced,
  ...images,
};
