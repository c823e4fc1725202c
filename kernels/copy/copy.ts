// Data movement: strided copies (permute, slice, expand, flip, pad, concat), gather and its adjoint.
import { defineKernel, type DType, float, int, type ParamsOf, word } from '../kernel.ts';

export const CopyParams = {
  shape: 'u32x8',
  inStrides: 'i32x8',
  outStrides: 'i32x8',
  rank: 'u32',
  n: 'u32',
  inOffset: 'u32',
  outOffset: 'u32',
  /** Elements of the two whole buffers, of which the copy touches a part. */
  inSize: 'u32',
  outSize: 'u32',
} as const;
export type CopyParams = ParamsOf<typeof CopyParams>;

/**
 * out[outOffset + i . outStrides] = in[inOffset + i . inStrides] for every index i of `shape`. Strides are in elements and
 * may be negative or (input only) zero. The rest of `out` keeps its value, so concat is one copy per part.
 */
export const copy = defineKernel({
  name: 'copy',
  fields: CopyParams,
  inputs: (p) => [word('x', p.inSize)],
  outputs: (p) => [{ ...word('y', p.outSize), inPlace: p.n !== p.outSize }],
  flops: () => 0,
});

/** `outside`: the bits of the word that stands for what an index outside of [-size, size) names. */
export const GatherParams = { outer: 'u32', size: 'u32', count: 'u32', inner: 'u32', outside: 'u32' } as const;
export type GatherParams = ParamsOf<typeof GatherParams>;

/** The bits of NaN, and those of the smallest int32: no result of an index that is there looks like them by chance. */
const invalidBits: Readonly<Record<DType, number>> = { float32: 0x7fc00000, int32: 0x80000000, bool: 0 };

/** `outside` for indices that ought to be inside: NaN, -2^31 or false. */
export const invalidWord = (dtype: DType): number => invalidBits[dtype];

/** `outside` for indices that may be anything: they give 0 to a gather and nothing to a scatter. */
export const NOTHING_OUTSIDE = 0;

/**
 * y[o][k][i] = x[o][index[o][k][i]][i] with x of [outer, size, inner]; negative indices count from the end. Those outside of
 * [-size, size) give `outside`.
 */
export const gather = defineKernel({
  name: 'gather',
  fields: GatherParams,
  inputs: (p) => [word('x', p.outer, p.size, p.inner), int('index', p.outer, p.count, p.inner)],
  outputs: (p) => [word('y', p.outer, p.count, p.inner)],
  flops: () => 0,
});

/**
 * y[o][s][i] = sum in order of k over index[o][k][i] = s of g[o][k][i]; negative indices count from the end. One outside of
 * [-size, size) fills y[o][:][i] with `outside`, unless that is 0.
 */
export const scatterAdd = defineKernel({
  name: 'scatterAdd',
  fields: GatherParams,
  inputs: (p) => [float('g', p.outer, p.count, p.inner), int('index', p.outer, p.count, p.inner)],
  outputs: (p) => [float('y', p.outer, p.size, p.inner)],
  flops: (p) => p.outer * p.count * p.inner,
});

/** As scatterAdd, but the last k writes instead of adding; what no k names is 0. */
export const scatter = defineKernel({
  name: 'scatter',
  fields: GatherParams,
  inputs: (p) => [word('g', p.outer, p.count, p.inner), int('index', p.outer, p.count, p.inner)],
  outputs: (p) => [word('y', p.outer, p.size, p.inner)],
  flops: () => 0,
});

/** Row-major strides of a shape, in elements. */
export function rowMajorStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis]!;
  }
  return strides;
}
