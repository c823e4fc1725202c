// Random cases of data movement: permuted, flipped, repeated and stepped sources into a part of a larger target.
import fc from 'fast-check';
import {
  copy,
  type CopyParams,
  gather,
  NOTHING_OUTSIDE,
  rowMajorStrides,
  scatter,
  scatterAdd,
  sizeOf,
} from '../../../kernels/index.ts';
import { anySize, caseSource, drawn, exact, type KernelGenerator, sumOf } from '../cases.ts';
import type { GatherParams } from '../../../kernels/index.ts';

interface Axis {
  size: number;
  /** Order of the axis in the source's memory. */
  rank: number;
  flip: boolean;
  repeat: boolean;
  step: number;
  /** Elements of the target before and after the part that is written. */
  before: number;
  after: number;
}

function copyOf(axes: readonly Axis[]): CopyParams {
  const shape = axes.map(({ size }) => size);
  const n = sizeOf(shape);
  const inMemory = [...axes.keys()].sort((i, j) => axes[i].rank - axes[j].rank);
  const extents = inMemory.map((axis) => (axes[axis].repeat ? 1 : Math.max(1, axes[axis].size) * axes[axis].step));
  const extentStrides = rowMajorStrides(extents);
  const inStrides = new Array<number>(axes.length).fill(0);
  let inOffset = 0;
  for (const [place, axis] of inMemory.entries()) {
    const { size, flip, repeat, step } = axes[axis];
    if (repeat) continue;
    const stride = extentStrides[place] * step;
    inStrides[axis] = flip ? -stride : stride;
    if (flip && n > 0) inOffset += (size - 1) * stride;
  }
  const target = axes.map(({ size, before, after }) => before + size + after);
  const outStrides = rowMajorStrides(target);
  const outOffset = axes.reduce((offset, { before }, axis) => offset + before * outStrides[axis], 0);
  return {
    shape,
    inStrides,
    outStrides,
    rank: axes.length,
    n,
    inOffset,
    outOffset: n > 0 ? outOffset : 0,
    inSize: sizeOf(extents),
    outSize: sizeOf(target),
  };
}

const plain: Axis = { size: 1, rank: 0, flip: false, repeat: false, step: 1, before: 0, after: 0 };

const axis: fc.Arbitrary<Axis> = fc.record({
  size: fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 1, max: 6 }) }, { weight: 1, arbitrary: fc.constant(0) }),
  rank: fc.nat(100),
  flip: fc.boolean(),
  repeat: fc.nat(5).map((x) => x === 0),
  step: fc.constantFrom(1, 1, 1, 2),
  before: fc.constantFrom(0, 0, 1),
  after: fc.constantFrom(0, 0, 2),
});

export const copySource = caseSource({
  kernel: copy,
  params: fc
    .array(axis, { minLength: 1, maxLength: 5 })
    .map(copyOf)
    .filter(({ inSize, outSize }) => inSize < 50_000 && outSize < 50_000),
  examples: [
    copyOf([{ ...plain, size: 1027 }]),
    copyOf([{ ...plain, size: 0 }]),
    copyOf([{ ...plain, size: 0, after: 3 }]),
    copyOf([{ ...plain, size: 1025, flip: true }]),
    copyOf([{ ...plain, size: 1025, repeat: true }]),
    copyOf([{ ...plain, size: 33, before: 5, after: 7 }]),
    // The transpose of a matrix and of a batch of matrices, past the tiles.
    copyOf([
      { ...plain, size: 65, rank: 1 },
      { ...plain, size: 131, rank: 0 },
    ]),
    copyOf([
      { ...plain, size: 3, rank: 0 },
      { ...plain, size: 33, rank: 2 },
      { ...plain, size: 67, rank: 1 },
    ]),
    copyOf(Array.from({ length: 8 }, (_, i) => ({ ...plain, size: 2 + (i % 2), rank: (i * 5) % 8 }))),
  ],
  tolerance: () => exact,
});

/** Bits that are a number in either type, since NaN says nothing of a sum. */
const MARK = 0x40490fdb;

const gatherParams: fc.Arbitrary<GatherParams> = fc
  .record({
    outer: fc.nat(4),
    size: fc.integer({ min: 1, max: 20 }),
    count: anySize,
    inner: fc.nat(20),
    outside: fc.constantFrom(NOTHING_OUTSIDE, MARK),
  })
  .filter(({ outer, count, inner }) => outer * count * inner <= 20_000);

const gatherExamples: GatherParams[] = [
  { outer: 1, size: 1, count: 1, inner: 1, outside: NOTHING_OUTSIDE },
  { outer: 2, size: 5, count: 0, inner: 3, outside: MARK },
  { outer: 0, size: 5, count: 2, inner: 3, outside: MARK },
  { outer: 1, size: 300, count: 1025, inner: 1, outside: NOTHING_OUTSIDE },
  { outer: 1, size: 300, count: 30, inner: 1, outside: MARK },
  { outer: 3, size: 65, count: 33, inner: 17, outside: MARK },
  { outer: 1, size: 3, count: 2049, inner: 2, outside: NOTHING_OUTSIDE },
];

/** Indices from -size - 1 to size: one past the ends on both sides. */
const gatherValues: KernelGenerator<GatherParams>['values'] = (name, { size }, draws, length) =>
  name === 'index' ? drawn(length, () => draws.integer(2 * size + 2) - size - 1) : undefined;

const gatherRest = { params: gatherParams, examples: gatherExamples, values: gatherValues };

export const gatherSource = caseSource({ ...gatherRest, kernel: gather, tolerance: () => exact });
export const scatterAddSource = caseSource({
  ...gatherRest,
  kernel: scatterAdd,
  tolerance: ({ count }) => sumOf(count),
});
export const scatterSource = caseSource({ ...gatherRest, kernel: scatter, tolerance: () => exact });
