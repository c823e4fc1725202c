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
  readonly eps?: number;
}

type Function = (x: w.Tensor, constants: Constants) => w.Tensor;

/** Each takes its tensor alone: most refuse options. */
const unary: Readonly<Record<string, (x: w.Tensor) => w.Tensor>> = {
  exp: (x) => w.exp(x),
  log: (x) => w.log(x),
  log1p: (x) => w.log1p(x),
  sqrt: (x) => w.sqrt(x),
  rsqrt: (x) => w.rsqrt(x),
  reciprocal: (x) => w.reciprocal(x),
  square: (x) => w.square(x),
  sigmoid: (x) => w.sigmoid(x),
  silu: (x) => w.silu(x),
  tanh: (x) => w.tanh(x),
  softplus: (x) => w.softplus(x, 1, Infinity),
  elu: (x) => w.elu(x),
  gelu: (x) => w.gelu(x),
  geluTanh: (x) => w.gelu(x, 'tanh'),
  erf: (x) => w.erf(x),
  erfc: (x) => w.erfc(x),
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
  layerNorm: (x, c) => w.sum(w.mul(w.layerNorm(x, [x.size], { eps: c.eps! }), w.tensor([...c.weights!], x.shape)), 1),
  groupNorm: (x, c) => w.sum(w.mul(w.groupNorm(x, 1, { eps: c.eps! }), w.tensor([...c.weights!], x.shape)), 1),
  diouLoss: (x, c) => w.diouLoss(x, targetOf(x, c), { reduction }),
  giouLoss: (x, c) => w.giouLoss(x, targetOf(x, c), { reduction }),
  logSumExp: (x) => w.logSumExp(x, 1),
  silog: (x, c) => w.silog(x, targetOf(x, c), { lambda: c.lambda!, sqrt: c.sqrt! }),
};

export const extremeFunctions: Readonly<Record<string, Function>> = { ...unary, ...losses };
