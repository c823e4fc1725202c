// Softmax cross-entropy of logits [batch, classes, spatial] against a label map [batch, spatial], and its gradient, fused: no
// log-softmax of the logits' size is kept. With m the largest logit of a pixel, s = log sum_k e^(x_k - m), t its label,
// w the class weights (1 without) and e the label smoothing:
//
//   loss = (1 - e) w_t (s - (x_t - m)) + e / C sum_k w_k (s - (x_k - m))           0 where t is `ignoreIndex`
//   mean = sum of losses / sum of w_t over pixels that are not ignored             NaN if there is none
//   gx_k = g ((1 - e) w_t (p_k - [k = t]) + e / C (W p_k - w_k)),  p = softmax(x), W = sum_k w_k
//
// Weights are constants. A label outside of 0 .. C - 1 that is not `ignoreIndex`, which PyTorch refuses, makes the loss and
// the pixel's gradient NaN: a kernel cannot throw. Floor per pixel in bytes: forward 4 C + 4 + 8 (normalisers for the
// backward pass), backward 8 C + 4 + 8. Leaves out targets that are probabilities.
import { code, defineKernel, float, int, type Operand, type ParamsOf } from '../kernel.ts';
import { PixelReduction } from './codes.ts';

export const CrossEntropyParams = {
  batch: 'u32',
  classes: 'u32',
  spatial: 'u32',
  /** Pixels with this label do not count. */
  ignoreIndex: 'i32',
  /** 1 if there are class weights. */
  weighted: 'u32',
  /** Share of the target spread evenly over all classes. */
  smoothing: 'f32',
  reduction: code<PixelReduction>(),
} as const;
export type CrossEntropyParams = ParamsOf<typeof CrossEntropyParams>;

const logits = (name: string, p: CrossEntropyParams): Operand => float(name, p.batch, p.classes, p.spatial);
const labels = (p: CrossEntropyParams): Operand => int('target', p.batch, p.spatial);
const weights = (p: CrossEntropyParams): Operand[] => (p.weighted ? [float('weight', p.classes)] : []);
const normalizers = (p: CrossEntropyParams): Operand => float('normalizers', p.batch, 2, p.spatial);
/** Sum of the weights of all labels, which a mean divides by. */
const total = (p: CrossEntropyParams): Operand[] => (p.reduction === PixelReduction.mean ? [float('total', 1)] : []);
const loss = (name: string, p: CrossEntropyParams): Operand =>
  p.reduction === PixelReduction.none ? float(name, p.batch, p.spatial) : float(name, 1);
const elements = (p: CrossEntropyParams): number => p.batch * p.classes * p.spatial;

/** x, target, weight if weighted -> loss, normalizers (m, then s, of each image), total if the reduction is the mean. */
export const crossEntropy = defineKernel({
  name: 'crossEntropy',
  fields: CrossEntropyParams,
  inputs: (p) => [logits('x', p), labels(p), ...weights(p)],
  outputs: (p) => [loss('loss', p), normalizers(p), ...total(p)],
  flops: (p) => 4 * elements(p),
});

/** x, target, normalizers, g, weight if weighted, total if the reduction is the mean -> gradient of x. */
export const crossEntropyBackward = defineKernel({
  name: 'crossEntropyBackward',
  fields: CrossEntropyParams,
  inputs: (p) => [logits('x', p), labels(p), normalizers(p), loss('g', p), ...weights(p), ...total(p)],
  outputs: (p) => [logits('gx', p)],
  flops: (p) => 5 * elements(p),
});
