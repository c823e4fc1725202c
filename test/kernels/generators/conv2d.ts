// Random cases of convolution and its adjoints: groups, strides, dilation, unequal axes, and outputs that are not the
// largest that fit.
import fc from 'fast-check';
import {
  conv2d,
  conv2dInputGradient,
  type Conv2dParams,
  conv2dWeightGradient,
  type Kernel,
} from '../../../kernels/index.ts';
import { caseSource, flag, sumOf, WHOLE_PRODUCT } from '../cases.ts';

interface Axis {
  in: number;
  out: number;
  kernel: number;
  stride: number;
  pad: number;
  dilation: number;
}

/** Windows that fit, as in PyTorch; 0 if none does. */
const fitting = ({ in: size, kernel, stride, pad, dilation }: Omit<Axis, 'out'>): number =>
  Math.max(0, Math.floor((size + 2 * pad - dilation * (kernel - 1) - 1) / stride) + 1);

const axis: fc.Arbitrary<Axis> = fc
  .record({
    in: fc.integer({ min: 1, max: 12 }),
    kernel: fc.integer({ min: 1, max: 4 }),
    stride: fc.integer({ min: 1, max: 3 }),
    pad: fc.integer({ min: 0, max: 3 }),
    dilation: fc.constantFrom(1, 1, 2, 3),
    // One window less or more than fit: gradients of transposed convolutions, and padding at the end only.
    change: fc.constantFrom(0, 0, 0, 0, -1, 1),
  })
  .map(({ change, ...rest }) => ({ ...rest, out: Math.max(0, fitting(rest) + change) }));

function convOf(
  batch: number,
  [inChannels, outChannels, groups]: readonly [number, number, number],
  h: Axis,
  w: Axis,
  bias: number,
): Conv2dParams {
  return {
    batch,
    inChannels,
    inH: h.in,
    inW: w.in,
    outChannels,
    outH: h.out,
    outW: w.out,
    kernelH: h.kernel,
    kernelW: w.kernel,
    strideH: h.stride,
    strideW: w.stride,
    padH: h.pad,
    padW: w.pad,
    dilationH: h.dilation,
    dilationW: w.dilation,
    groups,
    bias,
  };
}

const anyConv: fc.Arbitrary<Conv2dParams> = fc
  .record({
    batch: fc.constantFrom(0, 1, 1, 2, 3),
    groups: fc.constantFrom(1, 1, 2, 3),
    inPerGroup: fc.integer({ min: 1, max: 5 }),
    outPerGroup: fc.integer({ min: 1, max: 9 }),
    h: axis,
    w: axis,
    bias: flag,
  })
  .map(({ batch, groups, inPerGroup, outPerGroup, h, w, bias }) =>
    convOf(batch, [inPerGroup * groups, outPerGroup * groups, groups], h, w, bias),
  );

/** 3x3 windows of stride 1 and channels in fours: Winograd's. */
const plain3x3: fc.Arbitrary<Conv2dParams> = fc
  .record({
    batch: fc.integer({ min: 1, max: 3 }),
    channels: fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 })),
    h: fc.integer({ min: 3, max: 20 }),
    w: fc.integer({ min: 3, max: 20 }),
    pad: fc.integer({ min: 0, max: 3 }),
    bias: flag,
  })
  .map(({ batch, channels: [c, o], h, w, pad, bias }) => {
    const along = (size: number): Axis => {
      const rest = { in: size, kernel: 3, stride: 1, pad, dilation: 1 };
      return { ...rest, out: fitting(rest) };
    };
    return convOf(batch, [4 * c, 4 * o, 1], along(h), along(w), bias);
  });

const convParams = fc.oneof({ weight: 3, arbitrary: anyConv }, { weight: 1, arbitrary: plain3x3 });

/** A square window on an image of height `size` and width `size` + 3. */
function square(
  batch: number,
  channels: readonly [number, number, number],
  size: number,
  [kernel, stride, pad, dilation]: readonly [number, number, number, number],
  bias = 0,
): Conv2dParams {
  const along = (n: number): Axis => {
    const rest = { in: n, kernel, stride, pad, dilation };
    return { ...rest, out: fitting(rest) };
  };
  return convOf(batch, channels, along(size), along(size + 3), bias);
}

/** The layers of the papers' networks at small sizes, and sizes past the tiles. */
const examples: Conv2dParams[] = [
  square(1, [1, 1, 1], 1, [1, 1, 0, 1]),
  square(0, [3, 5, 1], 6, [3, 1, 1, 1], 1),
  square(2, [3, 65, 1], 33, [7, 2, 3, 1], 1),
  square(1, [65, 33, 1], 14, [3, 1, 1, 1], 1),
  square(2, [33, 70, 1], 17, [1, 1, 0, 1]),
  square(1, [64, 64, 1], 16, [1, 2, 0, 1]),
  square(2, [16, 32, 1], 15, [3, 2, 1, 1]),
  square(1, [8, 9, 1], 15, [3, 1, 2, 2], 1),
  square(1, [8, 8, 1], 21, [3, 1, 6, 6]),
  square(2, [35, 35, 35], 13, [3, 1, 1, 1], 1),
  square(1, [32, 32, 32], 18, [5, 2, 2, 1]),
  square(1, [6, 12, 6], 9, [3, 1, 1, 1]),
  square(1, [12, 18, 3], 10, [3, 2, 1, 1], 1),
  square(1, [5, 3, 1], 8, [2, 2, 0, 1], 1),
  square(1, [4, 6, 1], 6, [8, 1, 0, 1]),
  square(3, [3, 2, 1], 64, [3, 1, 1, 1]),
  // Winograd's tiles: whole and cut ones, more channels than a block, half a panel of filters, parts of a row of tiles.
  square(2, [20, 28, 1], 13, [3, 1, 1, 1], 1),
  square(3, [8, 12, 1], 16, [3, 1, 0, 1]),
  square(5, [12, 8, 1], 18, [3, 1, 2, 1], 1),
  { ...square(1, [16, 16, 1], 10, [3, 1, 1, 1]), inW: 301, outW: 301 },
  { ...square(1, [8, 8, 1], 17, [3, 1, 1, 1], 1), outH: 16, outW: 21 },
];

/** Winograd's algorithm rounds about twice as much as a plain sum, and does not keep whole numbers whole. */
const WINOGRAD = 2;

const source = (kernel: Kernel<Conv2dParams>, change: Partial<Conv2dParams>, terms: (p: Conv2dParams) => number) =>
  caseSource({
    kernel,
    params: convParams.map((params) => ({ ...params, ...change })),
    examples: examples.map((params) => ({ ...params, ...change })),
    tolerance: (params, isWhole) => sumOf(terms(params), WINOGRAD * (isWhole ? WHOLE_PRODUCT : 1)),
  });

export const conv2dSource = source(conv2d, {}, (p) => (p.inChannels / p.groups) * p.kernelH * p.kernelW);
export const conv2dInputGradientSource = source(
  conv2dInputGradient,
  {},
  (p) => (p.outChannels / p.groups) * p.kernelH * p.kernelW,
);
export const conv2dWeightGradientSource = source(conv2dWeightGradient, { bias: 0 }, (p) => p.batch * p.outH * p.outW);
