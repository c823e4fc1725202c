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

export const face: readonly Family[] = [cumsum, cumprod, prod, sort, topk, norm, einsum, conv1d, prelu];
