// Reductions over the middle axis of a tensor seen as [outer, n, inner]. Sums are made in a fixed order that does not
// depend on the number of threads: pairwise or blocked, so that long sums keep their accuracy in float32.
import { code, defineKernel, float, int, type ParamsOf } from '../kernel.ts';
import type { ArgReduction, Reduction } from './codes.ts';

export const ReduceParams = { outer: 'u32', n: 'u32', inner: 'u32', op: code<Reduction>() } as const;
export type ReduceParams = ParamsOf<typeof ReduceParams>;

/** y[o][i] = reduction over k of x[o][k][i]. NaN wins in max and min. An empty sum is 0, an empty mean NaN. */
export const reduce = defineKernel({
  name: 'reduce',
  fields: ReduceParams,
  inputs: (p) => [float('x', p.outer, p.n, p.inner)],
  outputs: (p) => [float('y', p.outer, p.inner)],
  flops: (p) => p.outer * p.n * p.inner,
});

export const ArgReduceParams = { outer: 'u32', n: 'u32', inner: 'u32', op: code<ArgReduction>() } as const;
export type ArgReduceParams = ParamsOf<typeof ArgReduceParams>;

/** y[o][i] = first k at which x[o][k][i] is largest (smallest); the first NaN wins if there is one. */
export const argReduce = defineKernel({
  name: 'argReduce',
  fields: ArgReduceParams,
  inputs: (p) => [float('x', p.outer, p.n, p.inner)],
  outputs: (p) => [int('y', p.outer, p.inner)],
  flops: (p) => p.outer * p.n * p.inner,
});

export const SoftmaxParams = { outer: 'u32', n: 'u32', inner: 'u32', log: 'u32' } as const;
export type SoftmaxParams = ParamsOf<typeof SoftmaxParams>;

/** y = e^(x - m) / sum e^(x - m) along the middle axis, m its maximum; with `log` = 1 its logarithm. */
export const softmax = defineKernel({
  name: 'softmax',
  fields: SoftmaxParams,
  inputs: (p) => [float('x', p.outer, p.n, p.inner)],
  outputs: (p) => [float('y', p.outer, p.n, p.inner)],
  flops: (p) => 4 * p.outer * p.n * p.inner,
});

/**
 * The gradient of softmax, or with `log` = 1 of its logarithm, from its output y and the gradient g of that. With t the most
 * likely k, whose probability p may be so near 1 that nothing would be left of 1 - p:
 *
 *   softmax     gx_k = y_k (h_k - sum over j of y_j h_j),  h = g - g_t
 *   logarithm   gx_k = g_k - p_k sum of g,  gx_t = g_t (1 - p_t) - p_t sum over j != t of g_j,  1 - p_t = -expm1(y_t)
 */
export const softmaxBackward = defineKernel({
  name: 'softmaxBackward',
  fields: { outer: 'u32', n: 'u32', inner: 'u32', log: 'u32' },
  inputs: (p) => [float('y', p.outer, p.n, p.inner), float('g', p.outer, p.n, p.inner)],
  outputs: (p) => [float('gx', p.outer, p.n, p.inner)],
  flops: (p) => 4 * p.outer * p.n * p.inner,
});
