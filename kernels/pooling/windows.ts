// The windows of pooling for the reference loops: lists of positions h inW + w of the unpadded plane.
import type { AdaptivePoolParams, PoolParams } from './pooling.ts';

export interface Window {
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
export function poolWindows(p: PoolParams): Window[] {
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
export function adaptiveWindows(p: AdaptivePoolParams): Window[] {
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
