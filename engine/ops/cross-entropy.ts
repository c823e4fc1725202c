// Softmax cross-entropy with class indices as one operation: kernels that keep no log-softmax (kernels/cross-entropy), and for
// gradients of gradients the same gradient as a differentiable expression. Targets that are probabilities are a composition.
import {
  crossEntropy as crossEntropyKernel,
  crossEntropyBackward,
  type CrossEntropyParams,
  fill,
  PixelReduction,
} from '../../kernels/index.ts';
import { countWithin, numberWithin } from '../checks.ts';
import { tensor } from '../creation.ts';
import { ConfigError, ShapeError, showShape } from '../errors.ts';
import { defineFunction, defineOperation, type OutputSpec } from '../operation.ts';
import type { Read } from '../saved.ts';
import { type Shape, sizeOf } from '../shape.ts';
import { float as float32, number, optionsWith } from '../signature.ts';
import { noGrad } from '../grad-mode.ts';
import type { Gradients } from '../tape.ts';
import type { Tensor } from '../tensor.ts';
import { add, div, eq, mul, ne, sub, where } from './binary.ts';
import {
  checkClasses,
  checkReduction,
  checkSame,
  checkTarget,
  classOptions,
  type LossReduction,
  type NllOptions,
  positionWeights,
  reduceLoss,
} from './loss-options.ts';
import { sum } from './reduction.ts';
import { reshape } from './reshape.ts';
import { logSoftmax, softmax } from './softmax.ts';
import { affine, neg } from './unary.ts';

const family = 'cross-entropy';

const float = (...shape: number[]): OutputSpec => ({ shape, dtype: 'float32' });
const isMean = (p: CrossEntropyParams): boolean => p.reduction === PixelReduction.mean;
const lossShape = (p: CrossEntropyParams): Shape => (p.reduction === PixelReduction.none ? [p.batch, p.spatial] : []);

/** Only the scores have a gradient. */
const forScores = (index: number): Read => ({ index, for: [0] });

/** (x, target, weight?) -> loss, and for the backward pass the normalisers of each pixel and the weight of all. */
const forwardOp = defineOperation<CrossEntropyParams>({
  name: 'crossEntropy',
  family,
  arguments: ['x', 'target', 'weight'],
  dtypes: [['float32'], ['int32'], ['float32']],
  infer: (_, p) => [float(...lossShape(p)), float(p.batch, 2, p.spatial), ...(isMean(p) ? [float(1)] : [])],
  forward(inputs, outputs, p) {
    const { device } = inputs[0]!;
    if (p.batch * p.spatial > 0) {
      const given = inputs.filter((input) => input !== undefined);
      const [from, to] = [given, outputs].map((tensors) => tensors.map((t) => t.storage));
      return device.launch(crossEntropyKernel, from!, to!, p);
    }
    // The sum of nothing is 0, its mean NaN.
    const set = (y: Tensor | undefined, value: number): void => {
      if (y?.size === 1) device.launch(fill, [], [y.storage], { n: 1, value });
    };
    set(outputs[0], isMean(p) ? NaN : 0);
    set(outputs[2], 0);
  },
  saves: { inputs: [0, 1, 2].map(forScores), outputs: [1, 2].map(forScores) },
  vjp({ gradients: [g], inputs: [x, target, weight], outputs, needs, attrs, createGraph }): Gradients {
    if (!needs[0]) return [];
    if (createGraph) return [composedGradient(x!, target!, weight, g!, attrs)];
    return backwardOp([x, target, outputs[1], g, weight, outputs[2]], attrs);
  },
});

const backwardOp = defineOperation<CrossEntropyParams>({
  name: 'crossEntropyBackward',
  family,
  noGradient: 'gradients of gradients of crossEntropy are made of other operations',
  arguments: ['x', 'target', 'normalizers', 'g', 'weight', 'total'],
  dtypes: [['float32'], ['int32'], ['float32']],
  infer: ([x]) => [{ shape: x!.shape, dtype: 'float32' }],
  forward(inputs, [gx], p) {
    if (gx!.size === 0) return;
    const given = inputs.filter((input) => input !== undefined);
    gx!.device.launch(
      crossEntropyBackward,
      given.map((t) => t.storage),
      [gx!.storage],
      p,
    );
  },
});

/** g (h (p - [k = label]) + b (W p - w_k)) as in the kernels, for x and g that are differentiated again. */
function composedGradient(
  x: Tensor,
  target: Tensor,
  weight: Tensor | undefined,
  g: Tensor,
  p: CrossEntropyParams,
): Tensor {
  const { batch, classes, spatial, ignoreIndex, smoothing } = p;
  const { counted, isLabel, hard, total, spread, perClass } = noGrad(() => {
    const labels = reshape(target, [batch, 1, spatial]);
    const counted = ne(labels, ignoreIndex);
    const weights = positionWeights(labels, classes, { weight, ignoreIndex });
    const total = sum(weights);
    const names = tensor(
      Int32Array.from({ length: classes }, (_, k) => k),
      [1, classes, 1],
      { device: x.device },
    );
    const each = smoothing / classes;
    return {
      counted,
      isLabel: eq(labels, names),
      hard: affine(weights, 1 - smoothing, 0),
      // Where nothing counts no gradient is divided by 0.
      total: where(eq(total, 0), 1, total),
      perClass: weight ? affine(reshape(weight, [1, classes, 1]), each, 0) : each,
      spread: weight ? affine(sum(weight), each, 0) : smoothing,
    };
  });
  const scale = p.reduction === PixelReduction.none ? reshape(g, [batch, 1, spatial]) : isMean(p) ? div(g, total) : g;
  const probability = softmax(x, 1);
  // 1 - p of the label as the sum of the others, of which something is left where p is near 1.
  const others = sum(where(isLabel, 0, probability), 1, { keepdim: true });
  const fromLabel = mul(hard, where(isLabel, neg(others), probability));
  const gradient = smoothing === 0 ? fromLabel : add(fromLabel, sub(mul(probability, spread), perClass));
  return where(counted, mul(scale, gradient), 0);
}

/** Options of `crossEntropy`. */
export interface CrossEntropyOptions extends NllOptions {
  /** Share of the target spread evenly over all classes, 0 to 1. */
  labelSmoothing?: number;
}

const reductions: Readonly<Record<LossReduction, PixelReduction>> = {
  none: PixelReduction.none,
  sum: PixelReduction.sum,
  mean: PixelReduction.mean,
};

/**
 * Softmax cross-entropy of scores x (N, C, ...) against class indices (int32, N, ...), or against the probabilities of all
 * classes (float32, N, C, ...), whose mean is over the positions. That of indices is weighted: divided by the
 * weights of the labels, NaN if all are ignored. Weights are constants to the gradient. A label outside of 0 to C - 1 that is
 * not `ignoreIndex` is not seen before it is on the device: its loss and gradient are NaN.
 */
export const crossEntropy = defineFunction('crossEntropy', fusedCrossEntropy, {
  x: float32,
  target: { dtypes: ['int32', 'float32'] },
  options: optionsWith<CrossEntropyOptions>({ ...classOptions, labelSmoothing: number }),
});

/** -sum over classes of weight target log softmax(x). */
function ofProbabilities(x: Tensor, target: Tensor, options: CrossEntropyOptions): Tensor {
  const { labelSmoothing = 0, weight, reduction = 'mean' } = options;
  const operation = 'crossEntropy';
  checkReduction(operation, options);
  numberWithin(operation, 'labelSmoothing', labelSmoothing, { from: 0, to: 1 });
  checkClasses(operation, x, weight);
  checkSame(operation, x, target);
  if (options.ignoreIndex !== undefined) {
    const details = { operation, argument: 'ignoreIndex', expected: 'none', given: String(options.ignoreIndex) };
    throw new ConfigError('probabilities have no index to ignore', details);
  }
  const classes = x.shape[1]!;
  const smooth =
    labelSmoothing === 0 ? target : affine(target, 1 - labelSmoothing, labelSmoothing / Math.max(1, classes));
  const perClass = weight ? mul(smooth, reshape(weight, [classes, ...x.shape.slice(2).map(() => 1)])) : smooth;
  const loss = neg(sum(mul(perClass, logSoftmax(x, 1)), 1));
  return reduceLoss(loss, reduction);
}

function fusedCrossEntropy(x: Tensor, target: Tensor, options: CrossEntropyOptions = {}): Tensor {
  if (target.dtype === 'float32') return ofProbabilities(x, target, options);
  checkTarget('crossEntropy', x, target, options);
  const { labelSmoothing = 0, ignoreIndex = -100, weight, reduction = 'mean' } = options;
  numberWithin('crossEntropy', 'labelSmoothing', labelSmoothing, { from: 0, to: 1 });
  countWithin('crossEntropy', 'ignoreIndex', ignoreIndex, { from: -(2 ** 31), to: 2 ** 31 - 1 });
  const [batch, classes] = x.shape as [number, number];
  if (classes === 0) {
    const details = { argument: 'x', expected: 'scores (N, C, ...) of at least one class', given: showShape(x.shape) };
    throw new ShapeError('there are no classes', { operation: 'crossEntropy', ...details });
  }
  const params: CrossEntropyParams = {
    batch,
    classes,
    spatial: sizeOf(x.shape.slice(2)),
    ignoreIndex,
    weighted: Number(weight !== undefined),
    smoothing: labelSmoothing,
    reduction: reductions[reduction],
  };
  const { spatial } = params;
  const inputs = [reshape(x, [batch, classes, spatial]), reshape(target, [batch, spatial]), weight];
  const loss = forwardOp(inputs, params)[0]!;
  return reduction === 'none' ? reshape(loss, target.shape) : loss;
}
