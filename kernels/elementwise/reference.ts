// Reference loops of the elementwise kernels: y[i] = f(x[i]), y = f(a, b), y = c ? a : b, conversions and fills.
// The functions themselves are in functions.ts.
import type { PlanTable, ReferencePlan } from '../plan.ts';
import {
  binary,
  type BinaryParams,
  Cast,
  cast,
  type CastParams,
  type FillParams,
  fills,
  ternary,
  type TernaryParams,
  unary,
  type UnaryParams,
  where,
  type WhereParams,
} from './elementwise.ts';
import { binaryFunctions, ternaryFunctions, unaryFunctions } from './functions.ts';

/** Where the i-th element of `shape`, counted row-major, lies in a buffer with these strides. */
export function stridedOffset(i: number, shape: readonly number[], strides: readonly number[]): number {
  let offset = 0;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    offset += (i % shape[axis]) * strides[axis];
    i = Math.floor(i / shape[axis]);
  }
  return offset;
}

const unaryLoop: ReferencePlan<UnaryParams> = ([x], [y], { n, op, a, b }) => {
  const f = unaryFunctions[op];
  for (let i = 0; i < n; i++) y.set(i, f(x.get(i), a, b));
};

const binaryLoop: ReferencePlan<BinaryParams> = ([a, b], [y], { shape, stridesA, stridesB, n, op, alpha }) => {
  const f = binaryFunctions[op];
  for (let i = 0; i < n; i++) {
    y.set(i, f(a.get(stridedOffset(i, shape, stridesA)), b.get(stridedOffset(i, shape, stridesB)), alpha));
  }
};

const ternaryLoop: ReferencePlan<TernaryParams> = ([a, b, c], [y], { n, op }) => {
  const f = ternaryFunctions[op];
  for (let i = 0; i < n; i++) y.set(i, f(a.get(i), b.get(i), c.get(i)));
};

const whereLoop: ReferencePlan<WhereParams> = ([c, a, b], [y], { shape, stridesC, stridesA, stridesB, n }) => {
  for (let i = 0; i < n; i++) {
    const chosen = c.get(stridedOffset(i, shape, stridesC))
      ? a.get(stridedOffset(i, shape, stridesA))
      : b.get(stridedOffset(i, shape, stridesB));
    y.set(i, chosen);
  }
};

/** Truncates toward zero; what int32 cannot hold becomes its nearest limit, and NaN 0, as in WebAssembly and WGSL. */
const toInt = (x: number): number => Math.trunc(Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, x))) || 0;

const casts: Readonly<Record<Cast, (x: number) => number>> = {
  [Cast.toFloat]: (x) => x,
  [Cast.toInt]: toInt,
  [Cast.floatToBool]: (x) => Number(x !== 0),
  [Cast.intToBool]: (x) => Number(x !== 0),
};

const castLoop: ReferencePlan<CastParams> = ([x], [y], { n, kind }) => {
  const convert = casts[kind];
  for (let i = 0; i < n; i++) y.set(i, convert(x.get(i)));
};

const fillLoop: ReferencePlan<FillParams> = (_, [y], { value }) => {
  y.data.fill(value);
};

export function addElementwise(table: PlanTable<ReferencePlan<never>>): void {
  table.add(unary, unaryLoop);
  table.add(binary, binaryLoop);
  table.add(ternary, ternaryLoop);
  table.add(where, whereLoop);
  table.add(cast, castLoop);
  for (const kernel of Object.values(fills)) table.add(kernel, fillLoop);
}
