// Sorting along an axis, with where each value came from. Stable: equal values keep their order, descending too. NaN counts as
// larger than any number, as in PyTorch, and -0 as equal to 0.
import { defineKernel, float, int, type ParamsOf } from '../kernel.ts';

/** The axis stands between the axes before and behind it. `descending` is 1 for the largest first. */
export const SortParams = { outer: 'u32', n: 'u32', inner: 'u32', descending: 'u32' } as const;
export type SortParams = ParamsOf<typeof SortParams>;

export const sort = defineKernel({
  name: 'sort',
  fields: SortParams,
  inputs: (p) => [float('x', p.outer, p.n, p.inner)],
  outputs: (p) => [float('values', p.outer, p.n, p.inner), int('indices', p.outer, p.n, p.inner)],
  flops: (p) => p.outer * p.inner * p.n * Math.ceil(Math.log2(Math.max(2, p.n))),
});
