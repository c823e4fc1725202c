// At what sizes a ladder is climbed: odd ones to be checked against `reference`, which meet every border of a tile, one for
// two cores or a software adapter, and one that fills a GPU.
import {
  type Conv2dParams,
  type MatmulParams,
  Reduction,
  type ReduceParams,
  type SsimParams,
} from '../../kernels/index.ts';
import type { ParamValues } from '../../kernels/kernel.ts';

export interface Sizes<P extends ParamValues = ParamValues> {
  readonly checked: readonly P[];
  readonly small: P;
  readonly large: P;
  title(params: P): string;
  /** Values of an operand that must not be any numbers. */
  values?(operand: string, params: P): Float32Array | undefined;
}

const square = (size: number): MatmulParams => ({
  ...{ batch: 1, m: size, n: size, k: size },
  ...{ transposeA: 0, transposeB: 0, batchedA: 1, batchedB: 1, bias: 0 },
});

const matmul: Sizes<MatmulParams> = {
  checked: [
    { ...square(70), n: 45, k: 33 },
    { ...square(13), batch: 2, batchedB: 0, transposeA: 1, bias: 1 },
  ],
  small: square(384),
  large: square(2048),
  title: ({ m, n, k }) => `${m} x ${k} times ${k} x ${n}`,
};

interface Image {
  readonly batch: number;
  readonly inChannels: number;
  readonly outChannels: number;
  /** Of x. */
  readonly size: number;
  readonly kernel: number;
  readonly stride?: number;
  readonly padding: number;
}

function convolution({ batch, inChannels, outChannels, size, kernel, stride = 1, padding }: Image): Conv2dParams {
  const out = Math.floor((size + 2 * padding - kernel) / stride) + 1;
  return {
    ...{ batch, inChannels, inH: size, inW: size, outChannels, outH: out, outW: out, kernelH: kernel, kernelW: kernel },
    ...{
      strideH: stride,
      strideW: stride,
      padH: padding,
      padW: padding,
      dilationH: 1,
      dilationW: 1,
      groups: 1,
      bias: 0,
    },
  };
}

const same = (batch: number, channels: number, size: number): Conv2dParams =>
  convolution({ batch, inChannels: channels, outChannels: channels, size, kernel: 3, padding: 1 });

const checkedConvolutions: readonly Conv2dParams[] = [
  convolution({ batch: 2, inChannels: 9, outChannels: 18, size: 19, kernel: 3, padding: 1 }),
  convolution({ batch: 1, inChannels: 5, outChannels: 12, size: 17, kernel: 4, stride: 2, padding: 1 }),
];

const convSizes: Sizes<Conv2dParams> = {
  checked: checkedConvolutions,
  small: same(1, 64, 48),
  large: same(32, 64, 64),
  title: (p) =>
    `${p.kernelH} x ${p.kernelW}, ${p.batch} x ${p.inChannels} x ${p.inH} x ${p.inW} to ${p.outChannels} channels`,
};

/** Twice the size, as networks go up again: x is the result, of `inChannels`. */
const doubling = (batch: number, from: number, to: number, size: number): Conv2dParams =>
  convolution({ batch, inChannels: to, outChannels: from, size: 2 * size, kernel: 4, stride: 2, padding: 1 });

const transposeSizes: Sizes<Conv2dParams> = {
  checked: checkedConvolutions,
  small: doubling(1, 64, 32, 32),
  large: doubling(32, 128, 64, 64),
  title: (p) =>
    `${p.kernelH} x ${p.kernelW}, stride ${p.strideH}, ${p.batch} x ${p.outChannels} x ${p.outH} x ${p.outW} to ` +
    `${p.inChannels} x ${p.inH} x ${p.inW}`,
};

const window = 11;
const planes = (count: number, height: number, width: number): SsimParams => ({
  ...{ planes: count, inH: height, inW: width, outH: height - window + 1, outW: width - window + 1 },
  ...{ windowH: window, windowW: window, padH: 0, padW: 0, c1: 1e-4, c2: 9e-4 },
});

const ssim: Sizes<SsimParams> = {
  checked: [planes(2, 37, 45)],
  small: planes(2, 240, 320),
  large: planes(48, 480, 640),
  title: (p) => `window ${p.windowH} x ${p.windowW}, ${p.planes} x ${p.inH} x ${p.inW}`,
  values: (operand) => (operand === 'window' ? new Float32Array(2 * window).fill(1 / window) : undefined),
};

const lines = (outer: number, n: number): ReduceParams => ({ outer, n, inner: 1, op: Reduction.sum });

const sum: Sizes<ReduceParams> = {
  checked: [lines(3, 4099), lines(1, 70_001)],
  small: lines(2, 2 ** 20),
  large: lines(2, 2 ** 22),
  title: ({ outer, n }) => `${outer} lines of ${n}`,
};

/** By the ladder's name. */
export const ladderSizes = {
  matmul,
  conv2d: convSizes,
  'conv2d-input-gradient': convSizes,
  convTranspose2d: transposeSizes,
  'conv2d-weight-gradient': convSizes,
  ssim,
  sum,
} as unknown as Readonly<Record<string, Sizes<never>>>;
