// Data movement on small whole numbers, whose sums in the gradients are exact in float32: nothing may be rounded.
import fc from 'fast-check';
import * as w from '../../../engine/index.ts';
import { family, type Family, type PropertyCase } from '../property.ts';
import { shapes, size, sizeOrNone, subsetOf } from '../sizes.ts';

/** A linear operation on one input of whole numbers. */
const moved = (shape: readonly number[], f: (x: w.Tensor) => w.Tensor | w.Tensor[]): Omit<PropertyCase, 'label'> => ({
  inputs: [{ shape, values: 'whole' }],
  f: f as PropertyCase['f'],
  roundings: 0,
  linear: [[0]],
});

const shape = shapes({ min: 1, max: 5 }, 4000);

const permute = family(
  'permute',
  shape.chain((s) => fc.tuple(fc.constant(s), fc.shuffledSubarray([...s.keys()], { minLength: s.length }))),
  ([s, axes]) => moved(s, (x) => w.permute(x, axes)),
  [
    [
      [65, 131],
      [1, 0],
    ],
    [
      [3, 33, 67],
      [0, 2, 1],
    ],
    [
      [2, 3, 4, 5],
      [3, 1, 0, 2],
    ],
  ],
);

const flip = family(
  'flip',
  shape.chain((s) => fc.tuple(fc.constant(s), fc.subarray([...s.keys()]))),
  ([s, axes]) => moved(s, (x) => w.flip(x, axes)),
);

const expand = family(
  'expand',
  fc
    .tuple(shape, fc.array(fc.nat(3), { maxLength: 2 }))
    .chain(([s, lead]) =>
      subsetOf(s).map((repeated) => ({ from: s.map((n, i) => (repeated[i] ? 1 : n)), to: [...lead, ...s] })),
    ),
  ({ from, to }) => moved(from, (x) => w.expand(x, to)),
  [
    { from: [], to: [2, 3] },
    { from: [1, 33, 1], to: [5, 33, 17] },
    { from: [1], to: [0] },
  ],
);

type Cut = [number | null, number | null, number];
const cut: fc.Arbitrary<Cut> = fc.tuple(
  fc.option(fc.integer({ min: -9, max: 9 })),
  fc.option(fc.integer({ min: -9, max: 20 })),
  fc.integer({ min: 1, max: 3 }),
);

const slice = family(
  'slice',
  shape.chain((s) => fc.tuple(fc.constant(s), fc.array(fc.option(cut), { minLength: s.length, maxLength: s.length }))),
  ([s, specs]) => moved(s, (x) => w.slice(x, specs)),
);

const pad = family(
  'pad constant',
  shape.chain((s) =>
    fc.tuple(
      fc.constant(s),
      // Negative amounts crop; of each axis at most everything.
      fc.tuple(
        ...s
          .toReversed()
          .map((n) =>
            fc.tuple(fc.integer({ min: -Math.floor(n / 2), max: 3 }), fc.integer({ min: -Math.floor(n / 2), max: 3 })),
          ),
      ),
    ),
  ),
  ([s, amounts]) => moved(s, (x) => w.pad(x, amounts.flat())),
);

const border = (['reflect', 'replicate'] as const).map((mode) =>
  family<{ shape: number[]; amounts: number[] }>(
    `pad ${mode}`,
    shapes({ min: 2, max: 4 }, 1500, size).chain((s) => {
      const most = (n: number) => fc.nat(mode === 'reflect' ? Math.min(n - 1, 4) : 4);
      const [height, width] = s.slice(-2).map(most) as [fc.Arbitrary<number>, fc.Arbitrary<number>];
      return fc.record({ shape: fc.constant(s), amounts: fc.tuple(width, width, height, height) });
    }),
    ({ shape: s, amounts }) => moved(s, (x) => w.pad(x, amounts, mode)),
    [{ shape: [1, 33, 35], amounts: [32, 3, 1, 31] }],
  ),
);

const pieces = fc.tuple(shape, fc.array(sizeOrNone, { minLength: 1, maxLength: 4 })).chain(([s, sizes]) =>
  fc.record({
    shape: fc.constant(s.map((n) => Math.min(n, 33))),
    axis: fc.nat(s.length - 1),
    sizes: fc.constant(sizes.map((n) => Math.min(n, 65))),
  }),
);

const concat = family('cat', pieces, ({ shape: s, axis, sizes }) => ({
  inputs: sizes.map((n) => ({ shape: s.with(axis, n), values: 'whole' as const })),
  f: (...parts) => w.concat(parts, axis),
  roundings: 0,
  linear: [sizes.map((_, i) => i)],
}));

const stack = family(
  'stack',
  fc
    .tuple(shapes({ min: 0, max: 3 }, 1500), fc.integer({ min: 1, max: 3 }))
    .chain(([s, count]) => fc.record({ shape: fc.constant(s), count: fc.constant(count), axis: fc.nat(s.length) })),
  ({ shape: s, count, axis }) => ({
    inputs: Array.from({ length: count }, () => ({ shape: s, values: 'whole' as const })),
    f: (...parts) => w.stack(parts, axis),
    roundings: 0,
    linear: [Array.from({ length: count }, (_, i) => i)],
  }),
);

const split = family('split', pieces, ({ shape: s, axis, sizes }) =>
  moved(
    s.with(
      axis,
      sizes.reduce((a, b) => a + b, 0),
    ),
    (x) => w.split(x, sizes, axis),
  ),
);

const pixelShuffle = family(
  'pixelShuffle',
  fc.record({
    batch: fc.nat(2),
    channels: fc.integer({ min: 1, max: 4 }),
    factor: fc.integer({ min: 1, max: 3 }),
    h: size,
    w: fc.integer({ min: 1, max: 9 }),
  }),
  (p) => moved([p.batch, p.channels * p.factor ** 2, Math.min(p.h, 65), p.w], (x) => w.pixelShuffle(x, p.factor)),
);

/** A shape, one axis of it, and how many entries are taken from it. */
const taken = shapes({ min: 1, max: 4 }, 2000, size).chain((s) =>
  fc.record({ shape: fc.constant(s), axis: fc.nat(s.length - 1), count: sizeOrNone }),
);
const takenUsual = [
  { shape: [300, 3], axis: 0, count: 257 },
  { shape: [3, 65, 5], axis: 1, count: 33 },
  { shape: [1025], axis: 0, count: 2000 },
];

const gather = family(
  'gather',
  taken,
  ({ shape: s, axis, count }) => ({
    ...moved(s, (x) => x),
    inputs: [
      { shape: s, values: 'whole' },
      { shape: s.map((n, i) => (i === axis ? count : Math.max(1, n - 1))), values: { below: s[axis]! } },
    ],
    f: (x, index) => w.gather(x!, axis, index!),
  }),
  takenUsual,
);

const indexSelect = family(
  'indexSelect',
  taken,
  ({ shape: s, axis, count }) => ({
    ...moved(s, (x) => x),
    inputs: [
      { shape: s, values: 'whole' },
      { shape: [count], values: { below: s[axis]! } },
    ],
    f: (x, index) => w.indexSelect(x!, axis, index!),
  }),
  takenUsual,
);

const scatterAdd = family(
  'scatterAdd',
  taken,
  ({ shape: s, axis, count }) => ({
    ...moved(s, (x) => x),
    inputs: [
      { shape: s.with(axis, count), values: 'whole' },
      { shape: s.with(axis, count), values: { below: s[axis]! } },
    ],
    f: (x, index) => w.scatterAdd(x!, axis, index!, s[axis]!),
  }),
  takenUsual,
);

/** Each target is written once: the index is a permutation. */
const scatter = family(
  'scatter',
  fc.tuple(size, fc.nat(5)).chain(([n, more]) =>
    fc.record({
      inner: fc.integer({ min: 1, max: 9 }),
      index: fc.shuffledSubarray([...Array(n + more).keys()], { minLength: n, maxLength: n }),
      length: fc.constant(n + more),
    }),
  ),
  ({ inner, index, length }) => ({
    ...moved([index.length, inner], (x) => x),
    f: (x) => {
      const places = w.tensor(Int32Array.from(index), [index.length, 1], { device: x!.device });
      return w.scatter(x!, 0, w.expand(places, [index.length, inner]), length);
    },
  }),
);

export const layout: readonly Family[] = [
  permute,
  flip,
  expand,
  slice,
  pad,
  ...border,
  concat,
  stack,
  split,
  pixelShuffle,
  gather,
  indexSelect,
  scatterAdd,
  scatter,
];
