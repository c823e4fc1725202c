// Elementwise kernels: y = f(x), y = f(a, b) and y = cond ? a : b, the last two with broadcasting; y = f(a, b, c) without.
// Shapes arrive with adjacent axes merged as far as the strides allow, so same-shape operands have rank 1.
import { bool, defineKernel, type DType, type FieldType, float, type Kernel, sizeOf, word } from '../kernel.ts';
import { type Binary, type Cast, isComparison, type Ternary, type Unary } from './codes.ts';

export { Cast } from './codes.ts';

export type UnaryParams = { n: number; op: Unary; a: number; b: number };

/** y[i] = f(x[i]); f is chosen by `op`, whose constants are `a` and `b`. */
export const unary = defineKernel<UnaryParams>({
  name: 'unary',
  fields: { n: 'u32', op: 'u32', a: 'f32', b: 'f32' },
  inputs: ({ n }) => [float('x', n)],
  outputs: ({ n }) => [float('y', n)],
  flops: ({ n }) => n,
});

/** Elements spanned by an operand: 1 + sum over axes of (size - 1) stride. */
export function span(shape: readonly number[], strides: readonly number[]): number {
  if (sizeOf(shape) === 0) return 0;
  return shape.reduce((last, size, axis) => last + (size - 1) * strides[axis]!, 1);
}

export type BinaryParams = {
  shape: readonly number[];
  stridesA: readonly number[];
  stridesB: readonly number[];
  rank: number;
  n: number;
  op: Binary;
  alpha: number;
};

/** y = f(a, b) over `shape`, row-major; a stride of 0 repeats the operand along that axis. Comparisons give bool. */
export const binary = defineKernel<BinaryParams>({
  name: 'binary',
  fields: { shape: 'u32x8', stridesA: 'u32x8', stridesB: 'u32x8', rank: 'u32', n: 'u32', op: 'u32', alpha: 'f32' },
  inputs: (p) => [float('a', span(p.shape, p.stridesA)), float('b', span(p.shape, p.stridesB))],
  outputs: (p) => [isComparison(p.op) ? bool('y', p.n) : float('y', p.n)],
  flops: ({ n }) => n,
});

export type TernaryParams = { n: number; op: Ternary };

/** y[i] = f(a[i], b[i], c[i]). */
export const ternary = defineKernel<TernaryParams>({
  name: 'ternary',
  fields: { n: 'u32', op: 'u32' },
  inputs: ({ n }) => [float('a', n), float('b', n), float('c', n)],
  outputs: ({ n }) => [float('y', n)],
  flops: ({ n }) => n,
});

export type WhereParams = {
  shape: readonly number[];
  stridesC: readonly number[];
  stridesA: readonly number[];
  stridesB: readonly number[];
  rank: number;
  n: number;
};

/** y = c ? a : b over `shape`; all three broadcast as in `binary`. */
export const where = defineKernel<WhereParams>({
  name: 'where',
  fields: { shape: 'u32x8', stridesC: 'u32x8', stridesA: 'u32x8', stridesB: 'u32x8', rank: 'u32', n: 'u32' },
  inputs: (p) => [
    bool('c', span(p.shape, p.stridesC)),
    word('a', span(p.shape, p.stridesA)),
    word('b', span(p.shape, p.stridesB)),
  ],
  outputs: (p) => [word('y', p.n)],
  flops: ({ n }) => n,
});

export type CastParams = { n: number; kind: Cast };

export const cast = defineKernel<CastParams>({
  name: 'cast',
  fields: { n: 'u32', kind: 'u32' },
  inputs: ({ n }) => [word('x', n)],
  outputs: ({ n }) => [word('y', n)],
  flops: ({ n }) => n,
});

export type FillParams = { n: number; value: number };

const defineFill = (name: string, dtype: DType, value: FieldType): Kernel<FillParams> =>
  defineKernel<FillParams>({
    name,
    fields: { n: 'u32', value },
    inputs: () => [],
    outputs: ({ n }) => [{ name: 'y', dtype, shape: [n] }],
    flops: () => 0,
  });

/** y[i] = value, which is packed as the type of the elements: a kernel for each. A bool is 0 or 1. */
export const fill = defineFill('fill', 'float32', 'f32');
export const fillInt = defineFill('fillInt', 'int32', 'i32');
export const fillBool = defineFill('fillBool', 'bool', 'u32');

/** The fill of each element type. */
export const fills: Readonly<Record<DType, Kernel<FillParams>>> = { float32: fill, int32: fillInt, bool: fillBool };
