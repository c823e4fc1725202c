// Reference loops of pooling. A window is a list of positions h inW + w of the unpadded plane. Averages give every
// position of a window the weight 1 / divisor, and their gradient goes back along the same pairs with the same weight.
import type { PlanTable, ReferencePlan } from '../plan.ts';
import {
  adaptiveAveragePool,
  adaptiveAveragePoolBackward,
  adaptiveMaxPool,
  type AdaptivePoolParams,
  averagePool,
  averagePoolBackward,
  maxPool,
  maxPoolBackward,
  type PoolParams,
} from './pooling.ts';

interface Window {
  /** Positions inside the unpadded plane, row-major. */
  readonly positions: readonly number[];
  /** What an average divides by. */
  readonly divisor: number;
}

/** Rows (or columns) start, start + step, ... below `end` that lie in [0, size). */
function inside(start: number, end: number, step: number, size: number): number[] {
  const rows: number[] = [];
  for (let row = start; row < end; row += step) if (row >= 0 && row < size) rows.push(row);
  return rows;
}

const pairs = (rows: readonly number[], columns: readonly number[], width: number): number[] =>
  rows.flatMap((row) => columns.map((column) => row * width + column));

/** The windows of one plane, row-major by output position. */
function poolWindows(p: PoolParams): Window[] {
  const windows: Window[] = [];
  for (let i = 0; i < p.outH; i++) {
    const top = i * p.strideH - p.padH;
    const bottom = top + p.kernelH * p.dilationH;
    const rows = inside(top, bottom, p.dilationH, p.inH);
    for (let j = 0; j < p.outW; j++) {
      const left = j * p.strideW - p.padW;
      const right = left + p.kernelW * p.dilationW;
      const positions = pairs(rows, inside(left, right, p.dilationW, p.inW), p.inW);
      // The last window may reach past the padding too; that part is never counted.
      const height = Math.min(bottom, p.inH + p.padH) - top;
      const width = Math.min(right, p.inW + p.padW) - left;
      windows.push({ positions, divisor: p.countPadding ? height * width : positions.length });
    }
  }
  return windows;
}

/** Window i of an axis is floor(i in / out) .. ceil((i + 1) in / out) - 1: all of it is covered, and windows may overlap. */
function adaptiveWindows(p: AdaptivePoolParams): Window[] {
  const windows: Window[] = [];
  const axis = (i: number, size: number, outputs: number): number[] =>
    inside(Math.floor((i * size) / outputs), Math.ceil(((i + 1) * size) / outputs), 1, size);
  for (let i = 0; i < p.outH; i++) {
    const rows = axis(i, p.inH, p.outH);
    for (let j = 0; j < p.outW; j++) {
      const positions = pairs(rows, axis(j, p.inW, p.outW), p.inW);
      windows.push({ positions, divisor: positions.length });
    }
  }
  return windows;
}

/** Loops over all planes; `windowsOf` gives the windows, which are the same for each. */
type WindowsOf<P> = (params: P) => Window[];

const maximumLoop =
  <P extends AdaptivePoolParams>(windowsOf: WindowsOf<P>): ReferencePlan<P> =>
  ([x], [y, indices], p) => {
    const windows = windowsOf(p);
    for (let plane = 0; plane < p.planes; plane++) {
      const start = plane * p.inH * p.inW;
      for (const [at, { positions }] of windows.entries()) {
        let best = -Infinity;
        let index = positions[0] ?? -1;
        for (const position of positions) {
          const value = x.data[start + position];
          if (value > best || Number.isNaN(value)) {
            best = value;
            index = position;
          }
        }
        y.data[plane * windows.length + at] = best;
        indices.data[plane * windows.length + at] = index;
      }
    }
  };

const maximumBackwardLoop: ReferencePlan<PoolParams> = ([g, indices], [gx], p) => {
  gx.data.fill(0);
  const windows = p.outH * p.outW;
  for (let at = 0; at < p.planes * windows; at++) {
    const index = indices.data[at];
    if (index >= 0) gx.data[Math.floor(at / windows) * p.inH * p.inW + index] += g.data[at];
  }
};

const averageLoop =
  <P extends AdaptivePoolParams>(windowsOf: WindowsOf<P>): ReferencePlan<P> =>
  ([x], [y], p) => {
    const windows = windowsOf(p);
    for (let plane = 0; plane < p.planes; plane++) {
      const start = plane * p.inH * p.inW;
      for (const [at, { positions, divisor }] of windows.entries()) {
        let sum = 0;
        for (const position of positions) sum += x.data[start + position];
        // A window that lies in the padding has the mean 0.
        y.data[plane * windows.length + at] = positions.length ? sum / divisor : 0;
      }
    }
  };

const averageBackwardLoop =
  <P extends AdaptivePoolParams>(windowsOf: WindowsOf<P>): ReferencePlan<P> =>
  ([g], [gx], p) => {
    gx.data.fill(0);
    const windows = windowsOf(p);
    for (let plane = 0; plane < p.planes; plane++) {
      const start = plane * p.inH * p.inW;
      for (const [at, { positions, divisor }] of windows.entries()) {
        const share = g.data[plane * windows.length + at] / divisor;
        for (const position of positions) gx.data[start + position] += share;
      }
    }
  };

export function addPooling(table: PlanTable<ReferencePlan<never>>): void {
  table.add(maxPool, maximumLoop(poolWindows));
  table.add(maxPoolBackward, maximumBackwardLoop);
  table.add(averagePool, averageLoop(poolWindows));
  table.add(averagePoolBackward, averageBackwardLoop(poolWindows));
  table.add(adaptiveAveragePool, averageLoop(adaptiveWindows));
  table.add(adaptiveAveragePoolBackward, averageBackwardLoop(adaptiveWindows));
  table.add(adaptiveMaxPool, maximumLoop(adaptiveWindows));
}
