// The most arithmetic that a device can do, for the compute ceiling of the roofline: chains of multiply-adds that stay in
// registers and touch memory only to end.
//
//   y[i] = sum over c < CHAINS of a_c after `rounds` steps a_c <- x[0] a_c + x[1], with a_c = c at first
//
// With |x[0]| < 1 the chains converge, so any number of rounds stays finite. No network uses it.
import { defineKernel, float, type ParamsOf } from '../kernel.ts';

/** Independent chains: enough to hide the latency of a multiply-add, few enough to stay in sixteen vector registers. */
export const CHAINS = 12;

export const MultiplyAddsParams = { n: 'u32', rounds: 'u32' } as const;
export type MultiplyAddsParams = ParamsOf<typeof MultiplyAddsParams>;

/** (x of 2) -> y of n */
export const multiplyAdds = defineKernel({
  name: 'multiplyAdds',
  fields: MultiplyAddsParams,
  inputs: () => [float('x', 2)],
  outputs: ({ n }) => [float('y', n)],
  flops: ({ n, rounds }) => 2 * CHAINS * n * rounds,
});
