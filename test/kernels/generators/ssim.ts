// Random cases of SSIM and its gradient: Gaussian, uniform and lopsided windows, with and without zeros around the plane.
import fc from 'fast-check';
import type { Random } from '../../../engine/random.ts';
import { type Kernel, ssim, ssimBackward, type SsimParams } from '../../../kernels/index.ts';
import { caseSource, drawn, type KernelGenerator } from '../cases.ts';

interface Axis {
  in: number;
  window: number;
  pad: number;
}

/** Sizes of a case; `range` is the largest value of a pixel. */
function ssimOf(planes: number, h: Axis, w: Axis, range = 1): SsimParams {
  return {
    planes,
    inH: h.in,
    inW: w.in,
    outH: h.in + 2 * h.pad - h.window + 1,
    outW: w.in + 2 * w.pad - w.window + 1,
    windowH: h.window,
    windowW: w.window,
    padH: h.pad,
    padW: w.pad,
    c1: (0.01 * range) ** 2,
    c2: (0.03 * range) ** 2,
  };
}

const valid = (size: number, window: number): Axis => ({ in: size, window, pad: 0 });
const same = (size: number, window: number): Axis => ({ in: size, window, pad: (window - 1) / 2 });

const axis = fc.oneof(
  fc.tuple(fc.integer({ min: 1, max: 12 }), fc.nat(40)).map(([window, more]) => valid(window + more, window)),
  fc.tuple(fc.integer({ min: 1, max: 40 }), fc.nat(5)).map(([size, half]) => same(size, 2 * half + 1)),
);
const ranges = fc.constantFrom(1, 10, 255);

const examples: SsimParams[] = [
  ssimOf(1, valid(1, 1), valid(1, 1)),
  ssimOf(0, valid(16, 11), valid(16, 11)),
  ssimOf(1, valid(11, 11), valid(11, 11), 255),
  ssimOf(2, same(3, 11), same(5, 7)),
  ssimOf(1, same(1, 3), same(40, 11)),
  // Maps of one tile (16 x 32), and a row and a column more and less.
  ...[15, 16, 17].map((size) => ssimOf(2, valid(size + 10, 11), valid(size + 26, 11), 10)),
  ssimOf(2, same(33, 11), same(65, 11)),
  // More than a block of columns, and strips of rows.
  ssimOf(1, valid(150, 9), valid(142, 11)),
  ssimOf(1, same(131, 3), same(130, 5)),
  ssimOf(1, same(20, 1), same(260, 3)),
  // Long windows leave room for narrower tiles.
  ssimOf(1, valid(40, 30), valid(30, 4)),
  ssimOf(1, same(12, 127), same(9, 127)),
  ssimOf(300, valid(5, 3), valid(4, 2)),
];

/** The true image and a noisy, darker copy: like a depth map and its estimate. */
function pixels(name: string, { c1 }: SsimParams, draws: Random, length: number): number[] {
  const range = Math.sqrt(c1) / 0.01;
  const [low, gain] = name === 'x' ? [0.1, 0.8] : [0.05, 0.7];
  return drawn(length, () => range * (low + gain * draws.uniform()));
}

/** Positive weights that add up to 1 along each axis. */
function weights({ windowH, windowW }: SsimParams, draws: Random): number[] {
  const kind = draws.integer(3);
  const line = (n: number): number[] => {
    const raw = Array.from({ length: n }, (_, i) =>
      kind === 0 ? Math.exp(-((i - (n - 1) / 2) ** 2) / 4.5) : kind === 1 ? 1 : 0.1 + draws.uniform(),
    );
    const total = raw.reduce((a, b) => a + b, 0);
    return raw.map((value) => value / total);
  };
  return [...line(windowH), ...line(windowW)];
}

const values: KernelGenerator<SsimParams>['values'] = (name, params, draws, length) => {
  if (name === 'window') return weights(params, draws);
  return name === 'g' ? undefined : pixels(name, params, draws, length);
};

const source = (kernel: Kernel<SsimParams>, isGradient: boolean) =>
  caseSource({
    kernel,
    params: fc.tuple(fc.nat(4), axis, axis, ranges).map(([planes, h, w, range]) => ssimOf(planes, h, w, range)),
    examples,
    // Variances have an error of some ulp of the squares; what stabilises them, c2, is 9e-4 of the squared range. A
    // gradient has a part of 1 / sqrt(c2) at most for each of the positions that add up to it.
    tolerance: ({ c2 }) => ({ rtol: 1e-4, atol: isGradient ? 3e-5 / Math.sqrt(c2) : 3e-5 }),
    values,
  });

export const ssimSource = source(ssim, false);
export const ssimBackwardSource = source(ssimBackward, true);
