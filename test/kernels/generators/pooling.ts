// Random cases of pooling and its adjoints, with windows counted down (floor) and up (ceil) as in PyTorch.
import fc from 'fast-check';
import {
  adaptiveAveragePool,
  adaptiveAveragePoolBackward,
  adaptiveMaxPool,
  averagePool,
  averagePoolBackward,
  type Kernel,
  maxPool,
  maxPoolBackward,
  type PoolParams,
} from '../../../kernels/index.ts';
import type { Random } from '../../../engine/random.ts';
import { caseSource, flag, type KernelGenerator, type Tolerance } from '../cases.ts';

interface Axis {
  in: number;
  kernel: number;
  stride: number;
  pad: number;
  dilation: number;
  ceil: boolean;
}

/** Number of windows; with `ceil` the last may hang over, but must begin inside the plane or the padding before it. */
function windows({ in: size, kernel, stride, pad, dilation, ceil }: Axis): number {
  const room = size + 2 * pad - dilation * (kernel - 1) - 1;
  if (room < 0) return 0;
  const count = (ceil ? Math.ceil(room / stride) : Math.floor(room / stride)) + 1;
  return ceil && (count - 1) * stride >= size + pad ? count - 1 : count;
}

const poolOf = (planes: number, h: Axis, w: Axis, countPadding: number): PoolParams => ({
  planes,
  inH: h.in,
  inW: w.in,
  outH: windows(h),
  outW: windows(w),
  kernelH: h.kernel,
  kernelW: w.kernel,
  strideH: h.stride,
  strideW: w.stride,
  padH: h.pad,
  padW: w.pad,
  dilationH: h.dilation,
  dilationW: w.dilation,
  countPadding,
});

const axis: fc.Arbitrary<Axis> = fc
  .record({
    in: fc.integer({ min: 1, max: 12 }),
    kernel: fc.integer({ min: 1, max: 4 }),
    stride: fc.integer({ min: 1, max: 4 }),
    pad: fc.nat(2),
    dilation: fc.constantFrom(1, 1, 2),
    ceil: fc.boolean(),
  })
  .map((a) => ({ ...a, pad: Math.min(a.pad, Math.floor(a.kernel / 2)) }));

const poolParams = fc
  .tuple(fc.constantFrom(0, 1, 2, 5), axis, axis, flag)
  .map(([planes, h, w, countPadding]) => poolOf(planes, h, w, countPadding));

const along = (size: number, kernel: number, stride: number, pad: number, ceil = false, dilation = 1): Axis => ({
  in: size,
  kernel,
  stride,
  pad,
  dilation,
  ceil,
});

const examples: PoolParams[] = [
  poolOf(1, along(1, 1, 1, 0), along(1, 1, 1, 0), 0),
  poolOf(0, along(8, 2, 2, 0), along(8, 2, 2, 0), 0),
  poolOf(3, along(33, 3, 2, 1), along(35, 3, 2, 1), 1),
  poolOf(65, along(8, 2, 2, 0), along(9, 2, 2, 0, true), 0),
  poolOf(2, along(7, 3, 2, 1, true), along(8, 3, 3, 1, true), 1),
  poolOf(2, along(7, 3, 2, 1, true), along(8, 3, 3, 1, true), 0),
  poolOf(2, along(20, 5, 1, 2), along(19, 5, 1, 2), 0),
  poolOf(1, along(130, 2, 2, 0), along(257, 2, 2, 0), 1),
];

const dilated = [...examples, poolOf(2, along(15, 3, 2, 1, true, 2), along(17, 3, 1, 1, false, 3), 0)];
/** Averages take no dilation. The output drawn for a dilated window is then not the largest that fits, which is allowed. */
const undilated = poolParams.map((params) => ({ ...params, dilationH: 1, dilationW: 1 }));
const mean: Tolerance = { rtol: 1e-5, atol: 2e-6 };

/** For each window one of its positions inside the plane. */
function windowIndices(p: PoolParams, draws: Random): number[] {
  const pick = (start: number, kernel: number, dilation: number, size: number): number => {
    const inside = Array.from({ length: kernel }, (_, i) => start + i * dilation).filter((at) => at >= 0 && at < size);
    return inside[draws.integer(Math.max(1, inside.length))] ?? -1;
  };
  const indices: number[] = [];
  for (let at = 0; at < p.planes * p.outH * p.outW; at++) {
    const row = Math.floor(at / p.outW) % p.outH;
    const h = pick(row * p.strideH - p.padH, p.kernelH, p.dilationH, p.inH);
    const w = pick((at % p.outW) * p.strideW - p.padW, p.kernelW, p.dilationW, p.inW);
    indices.push(h >= 0 && w >= 0 ? h * p.inW + w : -1);
  }
  return indices;
}

const maxValues: KernelGenerator<PoolParams>['values'] = (name, params, draws) =>
  name === 'indices' ? windowIndices(params, draws) : undefined;

export const maxPoolSource = caseSource({
  kernel: maxPool,
  params: poolParams,
  examples: dilated,
  tolerance: () => ({ rtol: 0, atol: 0 }),
});
export const maxPoolBackwardSource = caseSource({
  kernel: maxPoolBackward,
  params: poolParams,
  examples: dilated,
  tolerance: () => mean,
  values: maxValues,
});

const averageSource = (kernel: Kernel<PoolParams>) =>
  caseSource({ kernel, params: undilated, examples, tolerance: () => mean });

export const averagePoolSource = averageSource(averagePool);
export const averagePoolBackwardSource = averageSource(averagePoolBackward);

const size = fc.integer({ min: 1, max: 12 });

const adaptiveSource = (kernel: typeof adaptiveAveragePool, tolerance: Tolerance) =>
  caseSource({
    kernel,
    params: fc.record({ planes: fc.nat(4), inH: size, inW: size, outH: size, outW: size }),
    examples: [
      { planes: 1, inH: 1, inW: 1, outH: 1, outW: 1 },
      { planes: 70, inH: 7, inW: 9, outH: 1, outW: 1 },
      { planes: 3, inH: 33, inW: 35, outH: 6, outW: 6 },
      { planes: 2, inH: 3, inW: 4, outH: 5, outW: 7 },
      { planes: 2, inH: 60, inW: 70, outH: 1, outW: 1 },
      { planes: 0, inH: 6, inW: 6, outH: 2, outW: 2 },
    ],
    tolerance: () => tolerance,
  });

export const adaptiveAveragePoolSource = adaptiveSource(adaptiveAveragePool, mean);
export const adaptiveAveragePoolBackwardSource = adaptiveSource(adaptiveAveragePoolBackward, mean);
export const adaptiveMaxPoolSource = adaptiveSource(adaptiveMaxPool, { rtol: 0, atol: 0 });
