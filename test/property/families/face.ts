// Sorts, scans, norms, contractions and sampling: sizes around the tiles of their kernels.
import fc from 'fast-check';
import * as w from '../../../engine/index.ts';
import { family, type Family, roundingsOf } from '../property.ts';
import { shapes, size } from '../sizes.ts';

const line = shapes({ min: 1, max: 3 }, 4000).chain((shape) =>
  fc.record({ shape: fc.constant(shape), axis: fc.nat(shape.length - 1), flag: fc.boolean() }),
);
const lines = [
  { shape: [1025], axis: 0, flag: false },
  { shape: [3, 700], axis: 1, flag: true },
  { shape: [65, 33], axis: 0, flag: true },
  { shape: [2, 0, 3], axis: 1, flag: false },
  { shape: [0, 4], axis: 1, flag: true },
];

const cumsum = family(
  'cumsum',
  line,
  ({ shape, axis }) => ({
    inputs: [{ shape }],
    f: (x) => w.cumsum(x!, axis),
    roundings: roundingsOf(shape[axis]!) + shape[axis]! / 8,
    linear: [[0]],
  }),
  lines,
);

const few = shapes({ min: 1, max: 3 }, 600, fc.integer({ min: 1, max: 12 })).chain((shape) =>
  fc.record({ shape: fc.constant(shape), axis: fc.nat(shape.length - 1), flag: fc.boolean() }),
);

const cumprod = family('cumprod', few, ({ shape, axis }) => ({
  inputs: [{ shape }],
  f: (x) => w.cumprod(x!, axis),
  roundings: 8 + 4 * shape[axis]!,
}));

const prod = family('prod', few, ({ shape, axis, flag }) => ({
  inputs: [{ shape }],
  f: (x) => w.prod(x!, axis, { keepdim: flag }),
  roundings: 8 + 4 * shape[axis]!,
}));

const sort = family(
  'sort',
  line,
  ({ shape, axis, flag }) => ({
    inputs: [{ shape, values: 'whole' }],
    f: (x) => Object.values(w.sort(x!, axis, { descending: flag })),
    roundings: 0,
    magnitude: 'cotangents',
  }),
  lines,
);

const topk = family('topk', line, ({ shape, axis, flag }) => ({
  inputs: [{ shape, values: 'whole' }],
  f: (x) => Object.values(w.topk(x!, Math.ceil(shape[axis]! / 3), axis, { largest: flag })),
  roundings: 0,
  magnitude: 'cotangents',
}));

const norm = family(
  'norm',
  fc.tuple(few, fc.constantFrom(1, 1.5, 2, 3)).map(([line, p]) => ({ ...line, p })),
  ({ shape, axis, p }) => ({
    inputs: [{ shape, values: 'positive' }],
    f: (x) => w.norm(x!, axis, { p }),
    roundings: 4 * roundingsOf(shape[axis]!) + 200,
  }),
);

const einsum = family(
  'einsum',
  fc.record({ b: fc.integer({ min: 1, max: 4 }), i: size, j: size, k: fc.integer({ min: 1, max: 9 }) }),
  ({ b, i, j, k }) => ({
    inputs: [{ shape: [b, i, k] }, { shape: [k, j, b] }],
    f: (x, y) => w.einsum('bik,kjb->jib', [x!, y!]),
    roundings: roundingsOf(Math.max(i, j, k)),
    linear: [[0], [1]],
  }),
);

const conv1d = family(
  'conv1d',
  fc.record({
    n: fc.integer({ min: 1, max: 3 }),
    c: fc.integer({ min: 1, max: 9 }),
    o: fc.integer({ min: 1, max: 9 }),
    l: fc.integer({ min: 5, max: 70 }),
    k: fc.integer({ min: 1, max: 5 }),
  }),
  ({ n, c, o, l, k }) => ({
    inputs: [{ shape: [n, c, l] }, { shape: [o, c, k] }],
    f: (x, weight) => w.conv1d(x!, weight!, undefined, { padding: 'same' }),
    roundings: roundingsOf(Math.max(c * k, o * k, n * l)),
    linear: [[0], [1]],
  }),
);

const prelu = family('prelu', few, ({ shape }) => ({
  inputs: [{ shape }, { shape: [shape.length > 1 ? shape[1]! : 1] }],
  f: (x, weight) => w.prelu(x!, weight!),
  roundings: roundingsOf(600),
  magnitude: ({ inputs: [x, weight], cotangents: [g] }) => {
    const perChannel = x!.rank > 1 ? [weight!.size, ...x!.shape.slice(2).map(() => 1)] : [];
    const over = x!.shape.flatMap((_, axis) => (axis === 1 || weight!.size === 1 ? [] : [axis]));
    const slope = w.abs(w.reshape(weight!, perChannel));
    const ofWeight = w.mul(w.abs(x!), g!);
    const total = weight!.size === 1 ? w.sum(ofWeight) : w.sum(ofWeight, over);
    return [w.mul(w.abs(x!), w.add(slope, 1)), w.mul(g!, w.add(slope, 1)), w.expand(total, weight!.shape)];
  },
}));

interface Sampling {
  lead: number[];
  size: number[];
  out: number[];
  mode: 'bilinear' | 'nearest';
  paddingMode: 'zeros' | 'border' | 'reflection';
  alignCorners: boolean;
  seed: number;
}

const side = fc.integer({ min: 1, max: 9 });
const samplings: fc.Arbitrary<Sampling> = fc.record({
  lead: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 3 })),
  size: fc.tuple(fc.integer({ min: 2, max: 17 }), fc.integer({ min: 2, max: 17 })),
  out: fc.tuple(side, side),
  mode: fc.constantFrom('bilinear', 'nearest'),
  paddingMode: fc.constantFrom('zeros', 'border', 'reflection'),
  alignCorners: fc.boolean(),
  seed: fc.nat(1000),
});

/** Half of the distance in pixels between the coordinates -1 and 1. */
const scaleOf = (size: number, alignCorners: boolean): number => (alignCorners ? size - 1 : size) / 2;

/**
 * Places up to a whole image outside, between pixels and away from the middle of two: there the sample and its gradient jump,
 * and a rounding of the place would decide between two values.
 */
function places({ lead, size, out, alignCorners, seed }: Sampling): number[] {
  const draws = w.random(seed, 'places');
  return Array.from({ length: lead[0]! * out[0]! * out[1]! }, () =>
    [size[1]!, size[0]!].map((n) => {
      const position = draws.integer(3 * n) - n + [0.2, 0.3, 0.7, 0.8][draws.integer(4)]!;
      return (position - (n - 1) / 2) / scaleOf(n, alignCorners);
    }),
  ).flat();
}

const gridSample = family('gridSample', samplings, (p) => ({
  inputs: [{ shape: [...p.lead, ...p.size] }, { shape: [p.lead[0]!, ...p.out, 2], values: places(p) }],
  f: (x, grid) => {
    const { mode, paddingMode, alignCorners } = p;
    return w.gridSample(x!, grid!, { mode, paddingMode, alignCorners });
  },
  // A place is rounded in units of the side, and with it the weights of its neighbours.
  roundings: roundingsOf(p.out[0]! * p.out[1]!) + 8 * Math.max(...p.size),
  magnitude: ({ inputs: [x], outputs: [y], cotangents: [g] }) => {
    const largest = w.affine(w.amax(w.abs(x!)), 4, 0);
    const scale = Math.max(...p.size.map((n) => scaleOf(n, p.alignCorners)));
    const perPlace = w.affine(w.mul(w.unsqueeze(w.sum(g!, 1), 3), largest), scale, 0);
    return [w.add(w.abs(y!), largest), w.sum(g!, [2, 3], { keepdim: true }), perPlace];
  },
  linear: [[0]],
}));

const lengths = fc.integer({ min: 1, max: 40 });
const widths = fc.integer({ min: 1, max: 9 });
const attention = family(
  'scaledDotProductAttention',
  fc.record({
    batch: fc.integer({ min: 1, max: 3 }),
    ...{ queries: lengths, keys: lengths, features: widths, values: widths },
    isCausal: fc.boolean(),
    chunk: fc.integer({ min: 1, max: 20 }),
  }),
  ({ batch, queries, keys, features, values, isCausal, chunk }) => ({
    inputs: [
      { shape: [batch, queries, features] },
      { shape: [batch, keys, features] },
      { shape: [batch, keys, values] },
    ],
    f: (q, k, v) => w.scaledDotProductAttention(q!, k!, v!, { isCausal, chunk }),
    roundings: 8 * roundingsOf(Math.max(queries, keys, features)),
    // A score is rounded in units of |q| |k|, and what follows from it by as much of the values or cotangents.
    magnitude: ({ inputs: [q, k, v], cotangents: [g] }) => {
      const [largestQ, largestK, largestV, largestG] = [q!, k!, v!, g!].map((x) => w.amax(w.abs(x)));
      const score = w.add(w.affine(w.mul(largestQ!, largestK!), features, 0), 4);
      const value = w.mul(score, largestV!);
      const slope = w.affine(w.mul(value, largestG!), 4 * values, 0);
      return [
        value,
        w.mul(slope, largestK!),
        w.affine(w.mul(slope, largestQ!), queries, 0),
        w.affine(w.mul(score, largestG!), queries, 0),
      ].map((bound, i) => w.expand(bound, [[batch, queries, values], q!.shape, k!.shape, v!.shape][i]!));
    },
    linear: [[2]],
  }),
);

export const face: readonly Family[] = [
  ...[cumsum, cumprod, prod, sort, topk, norm, einsum, attention],
  ...[conv1d, prelu, gridSample],
];
