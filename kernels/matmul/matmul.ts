// Batched matrix product C = op(A) op(B) + bias, row-major. Linear layers, bmm and the vector forms all come here.
import { defineKernel, float, type ParamsOf } from '../kernel.ts';

export const MatmulParams = {
  batch: 'u32',
  m: 'u32',
  n: 'u32',
  k: 'u32',
  /** 1: A is stored [k, m]. */
  transposeA: 'u32',
  /** 1: B is stored [n, k]. */
  transposeB: 'u32',
  /** 0: the same A (B) serves every batch entry; else 1. */
  batchedA: 'u32',
  batchedB: 'u32',
  /** 1: a third input of n values is added to each row. */
  bias: 'u32',
} as const;
export type MatmulParams = ParamsOf<typeof MatmulParams>;

export const matmul = defineKernel({
  name: 'matmul',
  fields: MatmulParams,
  inputs: (p) => {
    const a = p.transposeA ? [p.k, p.m] : [p.m, p.k];
    const b = p.transposeB ? [p.n, p.k] : [p.k, p.n];
    const operands = [float('a', p.batchedA ? p.batch : 1, ...a), float('b', p.batchedB ? p.batch : 1, ...b)];
    return p.bias ? [...operands, float('bias', p.n)] : operands;
  },
  outputs: (p) => [float('c', p.batch, p.m, p.n)],
  flops: (p) => 2 * p.batch * p.m * p.n * p.k,
});
