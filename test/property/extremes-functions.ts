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
  readonly correction?: number;
  /** Running mean and variance. */
  readonly running?: readonly [number, number];
  /** Largest value of a pixel. */
  readonly largest?: number;
  readonly window?: 'gaussian' | 'uniform';
  readonly p?: number;
  readonly losses?: readonly number[];
  readonly s?: readonly number[];
  readonly variant?: 'exp(-s)' | 'exp(-s^2)';
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

/** The sum of what a norm gives, by weights. */
const weighted =
  (norm: (x: w.Tensor, eps: number) => w.Tensor): Function =>
  (x, c) =>
    w.sum(w.mul(w.reshape(norm(x, c.eps!), x.shape), w.tensor([...c.weights!], x.shape)), 1);

const uncertaintyTotal = (losses: w.Tensor, s: w.Tensor, { variant }: Constants): w.Tensor =>
  w.uncertaintyWeighting(losses, s, ['regression', 'classification', 'regression'], variant).total;

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
  crossEntropyOfShares: (x, c) => w.crossEntropy(x, targetOf(x, c), { reduction }),
  norm: (x, c) => w.norm(x, 1, { p: c.p! }),
  klDivLoss: (x, c) => w.klDivLoss(x, targetOf(x, c), { reduction: 'sum' }),
  nllLoss: (x, c) => w.nllLoss(w.logSoftmax(x, 1), labelOf(c), { reduction }),
  softmax: (x, c) => w.sum(w.mul(w.softmax(x, 1), w.tensor([...c.weights!], x.shape)), 1),
  layerNorm: weighted((x, eps) => w.layerNorm(x, [x.size], { eps })),
  groupNorm: weighted((x, eps) => w.groupNorm(x, 1, { eps })),
  instanceNorm: weighted((x, eps) => w.instanceNorm(w.reshape(x, [1, 1, x.size]), { eps })),
  batchNorm: weighted((x, eps) => w.batchNorm(w.reshape(x, [x.size, 1]), { training: true, eps })),
  variance: (x, c) => w.variance(x, 1, { correction: c.correction! }),
  runningNorm(x, { running, eps }) {
    const [runningMean, runningVar] = running!.map((value) => w.tensor([value], [1])) as [w.Tensor, w.Tensor];
    return w.batchNorm(w.reshape(x, [x.size, 1]), { runningMean, runningVar, eps: eps! });
  },
  ssim(x, c) {
    const side = Math.sqrt(x.size);
    const image = (t: w.Tensor): w.Tensor => w.reshape(t, [1, 1, side, side]);
    const options = { maxValue: c.largest!, filterSize: side, window: c.window! };
    return w.ssim(image(x), image(targetOf(x, c)), options);
  },
  uncertaintyByS: (s, c) => uncertaintyTotal(w.tensor([...c.losses!], [3]), w.reshape(s, [3]), c),
  uncertaintyByLosses: (losses, c) => uncertaintyTotal(w.reshape(losses, [3]), w.tensor([...c.s!], [3]), c),
  diouLoss: (x, c) => w.diouLoss(x, targetOf(x, c), { reduction, eps: c.eps! }),
  giouLoss: (x, c) => w.giouLoss(x, targetOf(x, c), { reduction, eps: c.eps! }),
  logSumExp: (x) => w.logSumExp(x, 1),
  silog: (x, c) => w.silog(x, targetOf(x, c), { lambda: c.lambda!, sqrt: c.sqrt! }),
};

export const extremeFunctions: Readonly<Record<string, Function>> = { ...unary, ...losses };
