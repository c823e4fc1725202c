// Scans along an axis: every result needs the one before it. Running sums, and the first-order recurrence of which running
// products and the gradients of all of them are made. Only one axis at a time.
import { defineKernel, float, type ParamsOf } from '../kernel.ts';

/** The axis stands between the axes before and behind it. `reverse` is 1 where the scan runs from the last element down. */
export const ScanParams = { outer: 'u32', n: 'u32', inner: 'u32', reverse: 'u32' } as const;
export type ScanParams = ParamsOf<typeof ScanParams>;

/** y[o][k][i] = sum of x[o][j][i] over j <= k, or over j >= k in reverse. */
export const prefixSum = defineKernel({
  name: 'prefixSum',
  fields: ScanParams,
  inputs: (p) => [float('x', p.outer, p.n, p.inner)],
  outputs: (p) => [float('y', p.outer, p.n, p.inner)],
  flops: (p) => p.outer * p.n * p.inner,
});

/** y[o][k][i] = b[o][k][i] + a[o][k][i] y[o][k - 1][i] (k + 1 in reverse); b alone where the scan starts. */
export const recurrence = defineKernel({
  name: 'recurrence',
  fields: ScanParams,
  inputs: (p) => [float('a', p.outer, p.n, p.inner), float('b', p.outer, p.n, p.inner)],
  outputs: (p) => [float('y', p.outer, p.n, p.inner)],
  flops: (p) => 2 * p.outer * p.n * p.inner,
});
