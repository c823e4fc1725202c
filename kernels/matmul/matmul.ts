// Batched matrix product C = op(A) op(B) + bias, row-major. Linear layers, bmm and the vector forms all come here.
import { defineKernel, float } from '../kernel.ts';

export type MatmulParams = {
  batch: number;
  m: number;
  n: number;
  k: number;
  /** 1: A is stored [k, m]. */
  transposeA: number;
  /** 1: B is stored [n, k]. */
  transposeB: number;
  /** 0: the same A (B) serves every batch entry; else 1. */
  batchedA: number;
  batchedB: number;
  /** 1: a third input of n values is added to each row. */
  bias: number;
};

export const matmul = defineKernel<MatmulParams>({
  name: 'matmul',
  fields: {
    batch: 'u32',
    m: 'u32',
    n: 'u32',
    k: 'u32',
    transposeA: 'u32',
    transposeB: 'u32',
    batchedA: 'u32',
    batchedB: 'u32',
    bias: 'u32',
  },
  inputs: (p) => {
    const a = p.transposeA ? [p.k, p.m] : [p.m, p.k];
    const b = p.transposeB ? [p.n, p.k] : [p.k, p.n];
    const operands = [float('a', p.batchedA ? p.batch : 1, ...a), float('b', p.batchedB ? p.batch : 1, ...b)];
    return p.bias ? [...operands, float('bias', p.n)] : operands;
  },
  outputs: (p) => [float('c', p.batch, p.m, p.n)],
  flops: (p) => 2 * p.batch * p.m * p.n * p.k,
});
