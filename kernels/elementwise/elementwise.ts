// Elementwise kernels: y = f(x), y = f(a, b) and y = cond ? a : b, the last two with broadcasting; y = f(a, b, c) without.
// Shapes arrive with adjacent axes merged as far as the strides allow, so same-shape operands have rank 1.
import { bool, code, defineKernel, type DType, float, type Kernel, type ParamsOf, sizeOf, word } from '../kernel.ts';
import { type Binary, type Cast, isComparison, type Ternary, type Unary } from './codes.ts';

export { Cast } from './codes.ts';

export const UnaryParams = { n: 'u32', op: code<Unary>(), a: 'f32', b: 'f32' } as const;
export type UnaryParams = ParamsOf<typeof UnaryParams>;

/** y[i] = f(x[i]); f is chosen by `op`, whose constants are `a` and `b`. */
export const unary = defineKernel({
  name: 'unary',
  fields: UnaryParams,
  inputs: ({ n }) => [float('x', n)],
  outputs: ({ n }) => [float('y', n)],
  flops: ({ n }) => n,
});

/** Elements spanned by an operand: 1 + sum over axes of (size - 1) stride. */
export function span(shape: readonly number[], strides: readonly number[]): number {
  if (sizeOf(shape) === 0) return 0;
  return shape.reduce((last, size, axis) => last + (size - 1) * strides[axis]!, 1);
}

export const BinaryParams = {
  shape: 'u32x8',
  stridesA: 'u32x8',
  stridesB: 'u32x8',
  rank: 'u32',
  n: 'u32',
  op: code<Binary>(),
  alpha: 'f32',
} as const;
export type BinaryParams = ParamsOf<typeof BinaryParams>;

/** y = f(a, b) over `shape`, row-major; a stride of 0 repeats the operand along that axis. Comparisons give bool. */
export const binary = defineKernel({
  name: 'binary',
  fields: BinaryParams,
  inputs: (p) => [float('a', span(p.shape, p.stridesA)), float('b', span(p.shape, p.stridesB))],
  outputs: (p) => [isComparison(p.op) ? bool('y', p.n) : float('y', p.n)],
  flops: ({ n }) => n,
});

export const TernaryParams = { n: 'u32', op: code<Ternary>() } as const;
export type TernaryParams = ParamsOf<typeof TernaryParams>;

/** y[i] = f(a[i], b[i], c[i]). */
export const ternary = defineKernel({
  name: 'ternary',
  fields: TernaryParams,
  inputs: ({ n }) => [float('a', n), float('b', n), float('c', n)],
  outputs: ({ n }) => [float('y', n)],
  flops: ({ n }) => n,
});

export const WhereParams = {
  shape: 'u32x8',
  stridesC: 'u32x8',
  stridesA: 'u32x8',
  stridesB: 'u32x8',
  rank: 'u32',
  n: 'u32',
} as const;
export type WhereParams = ParamsOf<typeof WhereParams>;

/** y = c ? a : b over `shape`; all three broadcast as in `binary`. */
export const where = defineKernel({
  name: 'where',
  fields: WhereParams,
  inputs: (p) => [
    bool('c', span(p.shape, p.stridesC)),
    word('a', span(p.shape, p.stridesA)),
    word('b', span(p.shape, p.stridesB)),
  ],
  outputs: (p) => [word('y', p.n)],
  flops: ({ n }) => n,
});

export const CastParams = { n: 'u32', kind: code<Cast>() } as const;
export type CastParams = ParamsOf<typeof CastParams>;

export const cast = defineKernel({
  name: 'cast',
  fields: CastParams,
  inputs: ({ n }) => [word('x', n)],
  outputs: ({ n }) => [word('y', n)],
  flops: ({ n }) => n,
});

export const FillParams = { n: 'u32', value: 'f32' } as const;
export type FillParams = ParamsOf<typeof FillParams>;

const defineFill = (name: string, dtype: DType, value: 'f32' | 'i32' | 'u32'): Kernel<FillParams> =>
  defineKernel({
    name,
    fields: { ...FillParams, value },
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
