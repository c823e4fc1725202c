// Reductions over every subset of the axes, their extremes along one axis, and softmax.
import fc from 'fast-check';
import * as w from '../../../engine/index.ts';
import { sizeOf } from '../../../engine/shape.ts';
import { family, type Family, roundingsOf } from '../property.ts';
import { shapes, size, subsetOf } from '../sizes.ts';

interface Reduced {
  shape: number[];
  axes: number[];
  keepdim: boolean;
}

const reduced = (along?: fc.Arbitrary<number>): fc.Arbitrary<Reduced> =>
  shapes({ min: 0, max: 4 }, 6000, along).chain((shape) =>
    fc
      .tuple(subsetOf(shape), fc.boolean())
      .map(([chosen, keepdim]) => ({ shape, axes: shape.flatMap((_, axis) => (chosen[axis] ? [axis] : [])), keepdim })),
  );

/** Elements that are joined for one result. */
const countOf = ({ shape, axes }: Reduced): number => sizeOf(axes.map((axis) => shape[axis]!));

const examples: Reduced[] = [
  { shape: [5000], axes: [0], keepdim: false },
  { shape: [3, 1025], axes: [1], keepdim: true },
  { shape: [1025, 3], axes: [0], keepdim: false },
  { shape: [2, 33, 5, 7], axes: [0, 2], keepdim: false },
  { shape: [2, 33, 5, 7], axes: [1, 3], keepdim: true },
  { shape: [1, 1], axes: [0, 1], keepdim: false },
  { shape: [], axes: [], keepdim: false },
];
const withEmpty: Reduced[] = [
  ...examples,
  { shape: [0, 3], axes: [0], keepdim: false },
  { shape: [0, 3], axes: [1], keepdim: false },
  { shape: [2, 0, 3], axes: [0, 2], keepdim: true },
];

const sums = (['sum', 'mean'] as const).map((name) =>
  family(
    name,
    reduced(),
    (p) => ({
      inputs: [{ shape: p.shape }],
      f: (x) => w[name](x!, p.axes, { keepdim: p.keepdim }),
      roundings: roundingsOf(countOf(p)),
      // The mean of nothing is NaN.
      linear: name === 'sum' || countOf(p) > 0 ? [[0]] : [],
    }),
    withEmpty,
  ),
);

const extremes = (['amax', 'amin'] as const).map((name) =>
  family(
    name,
    reduced(size),
    (p) => ({
      inputs: [{ shape: p.shape, values: 'whole' }],
      f: (x) => w[name](x!, p.axes, { keepdim: p.keepdim }),
      roundings: 4,
      magnitude: 'cotangents',
    }),
    examples,
  ),
);

const alongAxis = shapes({ min: 1, max: 4 }, 6000, size).chain((shape) =>
  fc.record({ shape: fc.constant(shape), axis: fc.nat(shape.length - 1), keepdim: fc.boolean() }),
);
const lines = [
  { shape: [3, 1025], axis: 1, keepdim: false },
  { shape: [1025, 3], axis: 0, keepdim: true },
  { shape: [300, 65], axis: 1, keepdim: true },
  { shape: [2, 5, 257], axis: 1, keepdim: false },
  { shape: [7, 1], axis: 1, keepdim: false },
];

const places = (['max', 'min'] as const).map((name) =>
  family(
    name,
    alongAxis,
    ({ shape, axis, keepdim }) => ({
      inputs: [{ shape, values: 'whole' }],
      f: (x) => Object.values(w[name](x!, axis, { keepdim })),
      roundings: 0,
      magnitude: 'cotangents',
    }),
    lines,
  ),
);

const variance = family(
  'variance',
  fc.tuple(reduced(size), fc.constantFrom(0, 1)).map(([p, correction]) => ({ ...p, correction })),
  (p) => {
    const divided = countOf(p) / Math.max(0, countOf(p) - p.correction);
    return {
      inputs: [{ shape: p.shape }],
      f: (x) => w.variance(x!, p.axes, { keepdim: p.keepdim, correction: p.correction }),
      // The differences x - mean have the rounding of sums |x| + |mean|, whatever cancels.
      absolute: (x) => {
        const sum = w.add(x!, w.mean(x!, p.axes, { keepdim: true }));
        return w.affine(
          w.mean(w.square(sum), p.axes, { keepdim: p.keepdim }),
          Number.isFinite(divided) ? divided : 1,
          0,
        );
      },
      roundings: roundingsOf(countOf(p)),
    };
  },
  examples.map((p) => ({ ...p, correction: 1 })),
);

/** e^x has the relative error of x itself. */
const exponents = (x: w.Tensor): w.Tensor => w.amax(w.abs(x)).add(4);

const logSumExp = family(
  'logSumExp',
  reduced(size),
  (p) => ({
    inputs: [{ shape: p.shape }],
    f: (x) => w.logSumExp(x!, p.axes, { keepdim: p.keepdim }),
    roundings: roundingsOf(countOf(p)),
    magnitude: ({ inputs: [x], outputs: [y], gradients: [gx] }) => [
      w.add(w.abs(y!), exponents(x!)),
      w.mul(w.abs(gx!), exponents(x!)),
    ],
  }),
  examples,
);

const softmax = family(
  'softmax',
  alongAxis,
  ({ shape, axis }) => ({
    inputs: [{ shape }],
    f: (x) => w.softmax(x!, axis),
    roundings: roundingsOf(shape[axis]!),
    magnitude: ({ inputs: [x], outputs: [y], cotangents: [g] }) => {
      const scaled = w.mul(y!, exponents(x!));
      return [scaled, w.mul(scaled, w.add(g!, w.sum(w.mul(g!, y!), axis, { keepdim: true })))];
    },
  }),
  lines,
);

const logSoftmax = family(
  'logSoftmax',
  alongAxis,
  ({ shape, axis }) => ({
    inputs: [{ shape }],
    f: (x) => w.logSoftmax(x!, axis),
    roundings: roundingsOf(shape[axis]!),
    magnitude: ({ inputs: [x], outputs: [y], cotangents: [g] }) => [
      w.add(w.abs(y!), exponents(x!)),
      w.add(g!, w.mul(w.mul(w.exp(y!), exponents(x!)), w.sum(g!, axis, { keepdim: true }))),
    ],
  }),
  lines,
);

export const reduction: readonly Family[] = [...sums, ...extremes, ...places, variance, logSumExp, softmax, logSoftmax];
