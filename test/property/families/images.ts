// Pooling, unpooling and resizing of images.
import fc from 'fast-check';
import * as w from '../../../engine/index.ts';
import { type Evaluated, family, type Family, roundingsOf } from '../property.ts';

interface Axis {
  size: number;
  kernel: number;
  stride: number;
  padding: number;
  dilation: number;
}

const reach = ({ kernel, dilation }: Axis): number => dilation * (kernel - 1) + 1;

const side = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 1, max: 9 }) },
  { weight: 1, arbitrary: fc.constantFrom(15, 17, 33) },
);
const leads = fc.constantFrom<number[]>([1], [0], [5], [1, 1], [2, 3], [0, 3], [17, 1]);

/** A window of which at least one fits. */
const axis: fc.Arbitrary<Axis> = fc
  .record({
    size: side,
    kernel: fc.integer({ min: 1, max: 4 }),
    stride: fc.integer({ min: 1, max: 4 }),
    padding: fc.nat(2),
    dilation: fc.constantFrom(1, 1, 2),
  })
  .map((a) => ({ ...a, padding: Math.min(a.padding, Math.floor(a.kernel / 2)) }))
  .map((a) => ({ ...a, size: Math.max(a.size, reach(a) - 2 * a.padding) }));

interface Pool {
  lead: number[];
  rows: Axis;
  columns: Axis;
  ceilMode: boolean;
}

const pools: fc.Arbitrary<Pool> = fc.record({ lead: leads, rows: axis, columns: axis, ceilMode: fc.boolean() });

const optionsOf = ({ rows, columns, ceilMode }: Pool) => ({
  stride: [rows.stride, columns.stride] as const,
  padding: [rows.padding, columns.padding] as const,
  ceilMode,
});
const kernelOf = ({ rows, columns }: Pool) => [rows.kernel, columns.kernel] as const;
const shapeOf = ({ lead, rows, columns }: Pool) => [...lead, rows.size, columns.size];
/** Windows that one position may be in, or positions of a window. */
const termsOf = ({ rows, columns }: Pool): number => rows.kernel * columns.kernel;

const along = (size: number, kernel: number, stride: number, padding: number): Axis => ({
  size,
  kernel,
  stride,
  padding,
  dilation: 1,
});
const usual: Pool[] = [
  { lead: [2, 3], rows: along(33, 3, 2, 1), columns: along(35, 3, 2, 1), ceilMode: false },
  { lead: [65], rows: along(8, 2, 2, 0), columns: along(9, 2, 2, 0), ceilMode: true },
  { lead: [1, 2], rows: along(20, 13, 1, 6), columns: along(19, 12, 3, 5), ceilMode: false },
];

const maxPool2d = family(
  'maxPool2d',
  pools,
  (p) => ({
    inputs: [{ shape: shapeOf(p), values: 'whole' }],
    f: (x) => {
      const dilation = [p.rows.dilation, p.columns.dilation] as const;
      return Object.values(w.maxPool2d(x!, kernelOf(p), { ...optionsOf(p), dilation, returnIndices: true }));
    },
    roundings: 0,
    magnitude: 'cotangents',
  }),
  usual,
);

const avgPool2d = family(
  'avgPool2d',
  fc.tuple(pools, fc.boolean()).map(([p, countIncludePad]) => ({
    ...p,
    rows: { ...p.rows, dilation: 1 },
    columns: { ...p.columns, dilation: 1 },
    countIncludePad,
  })),
  (p) => ({
    inputs: [{ shape: shapeOf(p) }],
    f: (x) => w.avgPool2d(x!, kernelOf(p), { ...optionsOf(p), countIncludePad: p.countIncludePad }),
    roundings: roundingsOf(termsOf(p)),
    linear: [[0]],
  }),
  usual.map((p) => ({ ...p, countIncludePad: false })),
);

/** An image and another size for it. */
const resampled = fc.record({ lead: leads, size: fc.tuple(side, side), to: fc.tuple(side, side) });
type Resampled = typeof resampled extends fc.Arbitrary<infer P> ? P : never;

const resampledUsual: Resampled[] = [
  { lead: [2, 3], size: [12, 16], to: [1, 1] },
  { lead: [2, 1], size: [7, 10], to: [3, 6] },
  { lead: [1, 2], size: [3, 4], to: [65, 33] },
  { lead: [1, 1], size: [33, 1], to: [1, 33] },
  { lead: [0, 2], size: [3, 4], to: [2, 2] },
];

/** How many outputs one position may add to, or inputs one output may join. */
const overlap = ({ size, to }: Resampled): number =>
  size.reduce((product, n, i) => product * (2 + Math.ceil(Math.max(n / to[i]!, to[i]! / n)) * 2), 1);

const adaptiveAvgPool2d = family(
  'adaptiveAvgPool2d',
  resampled,
  (p) => ({
    inputs: [{ shape: [...p.lead, ...p.size] }],
    f: (x) => w.adaptiveAvgPool2d(x!, p.to),
    roundings: roundingsOf(overlap(p)),
    linear: [[0]],
  }),
  resampledUsual,
);

interface Pyramid {
  lead: number[];
  size: [number, number];
  bins: number[];
  rule: w.PyramidRule;
}

const pyramidPool2d = family<Pyramid>(
  'pyramidPool2d',
  fc
    .record({
      lead: leads,
      size: fc.tuple(side, side),
      bins: fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 5 }),
      rule: fc.constantFrom<w.PyramidRule>('adaptive', 'fixedKernel'),
    })
    .map((p) => ({ ...p, bins: p.rule === 'adaptive' ? p.bins : p.bins.map((bin) => Math.min(bin, ...p.size)) })),
  (p) => ({
    inputs: [{ shape: [...p.lead, ...p.size] }],
    f: (x) => w.pyramidPool2d(x!, p.bins, { rule: p.rule }),
    roundings: roundingsOf(p.bins.length * p.size[0] * p.size[1]),
    linear: [[0]],
  }),
  [
    { lead: [2, 3], size: [12, 40], bins: [1, 2, 3, 6], rule: 'fixedKernel' },
    { lead: [65], size: [7, 5], bins: [1, 2, 3, 6], rule: 'adaptive' },
    { lead: [1, 1], size: [60, 60], bins: [6], rule: 'adaptive' },
  ],
);

const adaptiveMaxPool2d = family(
  'adaptiveMaxPool2d',
  resampled,
  (p) => ({
    inputs: [{ shape: [...p.lead, ...p.size], values: 'whole' }],
    f: (x) => Object.values(w.adaptiveMaxPool2d(x!, p.to, { returnIndices: true })),
    roundings: 0,
    magnitude: 'cotangents',
  }),
  resampledUsual,
);

/** Disjoint windows: of equal indices the last would overwrite, which is not linear. */
const maxUnpool2d = family(
  'maxUnpool2d',
  fc.record({ lead: leads, kernel: fc.integer({ min: 1, max: 3 }), size: fc.tuple(side, side), rest: fc.nat(1) }),
  ({ lead, kernel, size: [height, width], rest }) => {
    const target = [height * kernel + (kernel > 1 ? rest : 0), width * kernel] as const;
    return {
      inputs: [
        { shape: [...lead, height, width], values: 'whole' },
        { shape: [...lead, ...target], values: 'whole', constant: true },
      ],
      f: (x, image) => w.maxUnpool2d(x!, w.maxPool2d(image!, kernel, { returnIndices: true }).indices, target),
      roundings: 0,
      magnitude: 'cotangents',
      linear: [[0]],
    };
  },
  [{ lead: [2, 65], kernel: 2, size: [5, 4], rest: 1 }],
);

/** The largest absolute value, 1 of none. */
const largest = (x: w.Tensor): w.Tensor => (x.size ? w.amax(w.abs(x)) : w.full([], 1));

const resizes = (['nearest', 'bilinear', 'aligned'] as const).map((name) =>
  family(
    `interpolate ${name}`,
    resampled.map((p) => ({ ...p, lead: p.lead.length === 2 ? p.lead : [...p.lead, 2] })),
    (p) => ({
      inputs: [{ shape: [...p.lead, ...p.size] }],
      f: (x) =>
        w.interpolate(x!, {
          mode: name === 'nearest' ? 'nearest' : 'bilinear',
          size: p.to,
          alignCorners: name === 'aligned' ? true : name === 'bilinear' ? false : null,
        }),
      // A source position has the rounding of its distance from the corner, and with it the weights of two neighbours, of
      // which one may be large where the result is small.
      roundings: roundingsOf(overlap(p)) + 2 * Math.max(...p.size),
      ...(name !== 'nearest' && {
        magnitude: ({ inputs: [x], cotangents: [g] }: Evaluated) => [largest(x!), largest(g!).mul(overlap(p))],
      }),
      linear: [[0]],
    }),
    resampledUsual,
  ),
);

export const images: readonly Family[] = [
  maxPool2d,
  avgPool2d,
  adaptiveAvgPool2d,
  pyramidPool2d,
  adaptiveMaxPool2d,
  maxUnpool2d,
  ...resizes,
];
