// The functions of extremes.json by name, as those of mpmath are in extremes_oracle.py.
import * as w from '../../engine/index.ts';

export interface Constants {
  readonly target?: number | readonly number[];
  readonly limit?: number;
  readonly posWeight?: number;
  readonly label?: number;
  readonly smoothing?: number;
  readonly weights?: readonly number[];
  readonly lambda?: number;
  readonly sqrt?: boolean;
}

type Function = (x: w.Tensor, constants: Constants) => w.Tensor;

const unary: Readonly<Record<string, (x: w.Tensor) => w.Tensor>> = {
  exp: w.exp,
  log: w.log,
  log1p: w.log1p,
  sqrt: w.sqrt,
  rsqrt: w.rsqrt,
  reciprocal: w.reciprocal,
  square: w.square,
  sigmoid: w.sigmoid,
  silu: w.silu,
  tanh: w.tanh,
  softplus: (x) => w.softplus(x, 1, Infinity),
  elu: (x) => w.elu(x),
  gelu: (x) => w.gelu(x),
  geluTanh: (x) => w.gelu(x, 'tanh'),
  erf: w.erf,
  erfc: w.erfc,
};

const reduction = 'none';
const targetOf = (x: w.Tensor, { target }: Constants): w.Tensor =>
  typeof target === 'number' ? w.full(x.shape, target) : w.tensor([...target!], x.shape);
const labelOf = ({ label }: Constants): w.Tensor => w.tensor(Int32Array.of(label!), [1]);

const losses: Readonly<Record<string, Function>> = {
  mseLoss: (x, c) => w.mseLoss(x, targetOf(x, c), { reduction }),
  l1Loss: (x, c) => w.l1Loss(x, targetOf(x, c), { reduction }),
  huberLoss: (x, c) => w.huberLoss(x, targetOf(x, c), { reduction, delta: c.limit! }),
  smoothL1Loss: (x, c) => w.smoothL1Loss(x, targetOf(x, c), { reduction, beta: c.limit! }),
  bceWithLogits: (x, c) =>
    w.bceWithLogits(x, targetOf(x, c), {
      reduction,
      ...(c.posWeight !== 1 && { posWeight: w.full([], c.posWeight!) }),
    }),
  crossEntropy: (x, c) => w.crossEntropy(x, labelOf(c), { reduction, labelSmoothing: c.smoothing! }),
  nllLoss: (x, c) => w.nllLoss(w.logSoftmax(x, 1), labelOf(c), { reduction }),
  softmax: (x, c) => w.sum(w.mul(w.softmax(x, 1), w.tensor([...c.weights!], x.shape)), 1),
  logSumExp: (x) => w.logSumExp(x, 1),
  silog: (x, c) => w.silog(x, targetOf(x, c), { lambda: c.lambda!, sqrt: c.sqrt! }),
};

export const extremeFunctions: Readonly<Record<string, Function>> = { ...unary, ...losses };
