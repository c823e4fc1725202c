// Matrix products with batches that broadcast, and convolutions with their transposes.
import fc from 'fast-check';
import * as w from '../../../engine/index.ts';
import { sizeOf } from '../../../engine/shape.ts';
import { family, type Family, roundingsOf } from '../property.ts';
import { size, sizeOrNone } from '../sizes.ts';

interface Product {
  batchA: number[];
  batchB: number[];
  m: number;
  n: number;
  k: number;
  transposeA: boolean;
  transposeB: boolean;
}

const plain = { batchA: [], batchB: [], transposeA: false, transposeB: false };

/** Batches that broadcast: none, equal, or repeated on either side. */
const batches = fc.constantFrom<[number[], number[]]>(
  [[], []],
  [[3], []],
  [[], [2]],
  [[3], [3]],
  [[1], [4]],
  [[2, 1], [3]],
  [
    [2, 1],
    [1, 3],
  ],
  [[0], [0]],
  [[0], []],
);

const matmul = family(
  'matmul',
  fc
    .record({
      batch: batches,
      m: sizeOrNone,
      n: sizeOrNone,
      k: sizeOrNone,
      transposeA: fc.boolean(),
      transposeB: fc.boolean(),
    })
    .map(({ batch: [batchA, batchB], ...rest }): Product => ({ batchA, batchB, ...rest }))
    .filter(({ batchA, batchB, m, n, k }) => sizeOf([...batchA, ...batchB, m, n, k]) <= 200_000),
  ({ batchA, batchB, m, n, k, transposeA, transposeB }) => ({
    inputs: [
      { shape: [...batchA, ...(transposeA ? [k, m] : [m, k])] },
      { shape: [...batchB, ...(transposeB ? [n, k] : [k, n])] },
    ],
    f: (a, b) => w.matmul(a!, b!, { transposeA, transposeB }),
    roundings: roundingsOf(Math.max(k, m * sizeOf(batchA), n * sizeOf(batchB))),
    linear: [[0], [1]],
  }),
  [
    { ...plain, m: 65, n: 67, k: 33 },
    { ...plain, m: 1, n: 1, k: 2049 },
    { ...plain, m: 129, n: 1, k: 300, transposeB: true },
    { ...plain, m: 3, n: 4, k: 0 },
    { ...plain, m: 17, n: 33, k: 40, batchA: [5], batchB: [1], transposeA: true },
    { ...plain, m: 64, n: 128, k: 64, transposeA: true, transposeB: true },
  ],
);

const vectors = family(
  'matmul of vectors',
  fc.record({ rows: fc.option(size, { nil: undefined }), k: sizeOrNone, columns: fc.option(size, { nil: undefined }) }),
  ({ rows, k, columns }) => ({
    inputs: [{ shape: rows === undefined ? [k] : [rows, k] }, { shape: columns === undefined ? [k] : [k, columns] }],
    f: (a, b) => w.matmul(a!, b!),
    roundings: roundingsOf(Math.max(k, rows ?? 1, columns ?? 1)),
    linear: [[0], [1]],
  }),
);

const linear = family(
  'linear',
  fc
    .record({ lead: fc.array(fc.nat(5), { maxLength: 2 }), inputs: sizeOrNone, outputs: size })
    .filter(({ lead, inputs, outputs }) => sizeOf([...lead, inputs, outputs]) <= 200_000),
  ({ lead, inputs, outputs }) => ({
    inputs: [{ shape: [...lead, inputs] }, { shape: [outputs, inputs] }, { shape: [outputs] }],
    f: (x, weight, bias) => w.linear(x!, weight!, bias),
    roundings: roundingsOf(Math.max(inputs, outputs, sizeOf(lead))),
    linear: [
      [0, 2],
      [1, 2],
    ],
  }),
  [{ lead: [130], inputs: 67, outputs: 65 }],
);

interface Axis {
  size: number;
  kernel: number;
  stride: number;
  padding: number;
  dilation: number;
}

/** Padding may make room for a kernel that is larger than the image. */
const axis: fc.Arbitrary<Axis> = fc
  .record({
    size: fc.oneof(
      { weight: 6, arbitrary: fc.integer({ min: 1, max: 9 }) },
      { weight: 1, arbitrary: fc.constantFrom(15, 17, 33) },
    ),
    kernel: fc.constantFrom(1, 1, 2, 3, 3, 3, 4, 5, 7),
    stride: fc.constantFrom(1, 1, 2, 3),
    padding: fc.nat(3),
    dilation: fc.constantFrom(1, 1, 1, 2, 3),
  })
  .map((a) => ({ ...a, padding: Math.max(a.padding, Math.ceil((a.dilation * (a.kernel - 1) + 1 - a.size) / 2)) }));

interface Convolution {
  batch: number;
  /** Channels of one group. */
  ins: number;
  outs: number;
  groups: number;
  rows: Axis;
  columns: Axis;
}

const channels = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 1, max: 5 }) },
  { weight: 1, arbitrary: fc.constantFrom(7, 8, 9, 15, 17, 33) },
);

const convolutions: fc.Arbitrary<Convolution> = fc
  .record({
    batch: fc.constantFrom(0, 1, 1, 1, 2, 3),
    ins: channels,
    outs: channels,
    groups: fc.constantFrom(1, 1, 1, 2, 3, 8),
    rows: axis,
    columns: axis,
  })
  .filter((c) => work(c) <= 400_000);

/** Multiplications, at stride 1. */
const work = ({ batch, ins, outs, groups, rows, columns }: Convolution): number =>
  batch * ins * outs * groups * rows.size * rows.kernel * columns.size * columns.kernel;

const square = (size: number, kernel: number, stride = 1, padding = 0, dilation = 1) => {
  const along = { size, kernel, stride, padding, dilation };
  return { rows: along, columns: { ...along, size: size + 1 } };
};

const layers: Convolution[] = [
  { batch: 1, ins: 1, outs: 1, groups: 1, ...square(1, 1) },
  { batch: 0, ins: 3, outs: 5, groups: 1, ...square(6, 3, 1, 1) },
  { batch: 1, ins: 9, outs: 65, groups: 1, ...square(9, 1) },
  { batch: 2, ins: 8, outs: 17, groups: 1, ...square(8, 3, 1, 1) },
  { batch: 1, ins: 3, outs: 9, groups: 1, ...square(17, 7, 2, 3) },
  { batch: 1, ins: 5, outs: 3, groups: 1, ...square(2, 5, 1, 2) },
  { batch: 1, ins: 4, outs: 9, groups: 1, ...square(9, 3, 1, 6, 6) },
  { batch: 2, ins: 1, outs: 1, groups: 33, ...square(7, 3, 1, 1) },
  { batch: 1, ins: 2, outs: 9, groups: 2, ...square(5, 2, 3, 0, 2) },
];

const optionsOf = ({ rows, columns, groups }: Convolution) => ({
  groups,
  stride: [rows.stride, columns.stride] as const,
  padding: [rows.padding, columns.padding] as const,
  dilation: [rows.dilation, columns.dilation] as const,
});

const reach = ({ kernel, dilation }: Axis): number => dilation * (kernel - 1) + 1;

/** The longest of the sums for the output and the gradients. */
function longestSum({ batch, ins, outs, rows, columns }: Convolution): number {
  const places = (a: Axis) => Math.max(a.size, a.size + 2 * a.padding - reach(a) + 1);
  return Math.max(Math.max(ins, outs) * rows.kernel * columns.kernel, batch * places(rows) * places(columns));
}

const conv2d = family(
  'conv2d',
  convolutions,
  (c) => ({
    inputs: [
      { shape: [c.batch, c.ins * c.groups, c.rows.size, c.columns.size] },
      { shape: [c.outs * c.groups, c.ins, c.rows.kernel, c.columns.kernel] },
      { shape: [c.outs * c.groups] },
    ],
    f: (x, weight, bias) => w.conv2d(x!, weight!, bias, optionsOf(c)),
    roundings: roundingsOf(longestSum(c)),
    linear: [
      [0, 2],
      [1, 2],
    ],
  }),
  layers,
);

interface Transposed extends Convolution {
  outputPadding: readonly [number, number];
}

/** A transposed convolution whose output is not empty, with output padding where a stride or dilation leaves room. */
const transposed: fc.Arbitrary<Transposed> = convolutions.chain((c) => {
  const fitted = (a: Axis): Axis => {
    const most = Math.floor(((a.size - 1) * a.stride + reach(a) - 1) / 2);
    return { ...a, padding: Math.min(a.padding, most) };
  };
  const extra = (a: Axis) => fc.nat(Math.max(a.stride, a.dilation) - 1);
  const { rows, columns } = c;
  return fc
    .tuple(extra(rows), extra(columns))
    .map((outputPadding) => ({ ...c, rows: fitted(rows), columns: fitted(columns), outputPadding }));
});

const convTranspose2d = family(
  'convTranspose2d',
  transposed,
  (c) => ({
    inputs: [
      { shape: [c.batch, c.ins * c.groups, c.rows.size, c.columns.size] },
      { shape: [c.ins * c.groups, c.outs, c.rows.kernel, c.columns.kernel] },
      { shape: [c.outs * c.groups] },
    ],
    f: (x, weight, bias) => w.convTranspose2d(x!, weight!, bias, { ...optionsOf(c), outputPadding: c.outputPadding }),
    roundings: roundingsOf(longestSum(c) * c.rows.stride * c.columns.stride),
    linear: [
      [0, 2],
      [1, 2],
    ],
  }),
  [
    { batch: 2, ins: 9, outs: 17, groups: 1, ...square(5, 2, 2), outputPadding: [0, 0] },
    { batch: 1, ins: 3, outs: 8, groups: 2, ...square(6, 3, 2, 1), outputPadding: [1, 1] },
    { batch: 1, ins: 2, outs: 3, groups: 1, ...square(4, 3, 2, 2, 3), outputPadding: [2, 0] },
  ],
);

export const products: readonly Family[] = [matmul, vectors, linear, conv2d, convTranspose2d];
