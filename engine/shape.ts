// Shape arithmetic: broadcasting, axes, merging of axes for the kernels, and window sizes. Pure functions, no tensors.
import { MAX_RANK, rowMajorStrides, sizeOf } from '../kernels/index.ts';
import { ShapeError, showShape } from './errors.ts';

export type Shape = readonly number[];

export { rowMajorStrides, sizeOf };

export const sameShape = (a: Shape, b: Shape): boolean => {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
};

function isShape(shape: unknown): boolean {
  if (!Array.isArray(shape)) return false;
  const list: readonly unknown[] = shape;
  for (let i = 0; i < list.length; i++) if (!Number.isSafeInteger(list[i]) || (list[i] as number) < 0) return false;
  return true;
}

/** Checks that every size is a whole number, not negative. */
export function checkShape(operation: string, shape: Shape, argument = 'shape'): void {
  if (isShape(shape)) return;
  const isList = Array.isArray(shape);
  throw new ShapeError('not a shape', {
    operation,
    argument,
    expected: 'an array of whole numbers, 0 or more',
    given: isList ? showShape(shape) : String(shape),
  });
}

/** The axis as 0 .. rank - 1; negative axes count from the end. `rank` may be one more than the tensor's (stack). */
export function normalizeAxis(operation: string, axis: number, rank: number, argument = 'axis'): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= Math.max(rank, 1)) {
    throw new ShapeError('no such axis', {
      operation,
      argument,
      expected: rank ? `a whole number from ${-rank} to ${rank - 1}` : 'no axis for a scalar',
      given: String(axis),
    });
  }
  return axis < 0 ? axis + rank : axis;
}

/** Sorted distinct axes; `undefined` means all. */
export function normalizeAxes(operation: string, axes: number | Shape | undefined, rank: number): number[] {
  if (axes === undefined) return Array.from({ length: rank }, (_, i) => i);
  if (typeof axes === 'number') return [normalizeAxis(operation, axes, rank, 'axes')];
  const list = axes.map((axis) => normalizeAxis(operation, axis, rank, 'axes'));
  if (new Set(list).size !== list.length) {
    throw new ShapeError('an axis is named twice', {
      operation,
      argument: 'axes',
      expected: 'different axes',
      given: showShape(list),
    });
  }
  return list.sort((a, b) => a - b);
}

/** What operands that broadcast are called, in every function that has them. */
const operandNames = ['a', 'b', 'condition'];

/** The common shape of operands that broadcast together, aligned at the last axis. */
export function broadcastShapes(operation: string, ...shapes: Shape[]): number[] {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  const result = new Array<number>(rank).fill(1);
  for (const [at, shape] of shapes.entries()) {
    const offset = rank - shape.length;
    for (let i = 0; i < shape.length; i++) {
      const n = shape[i]!;
      if (n === 1) continue;
      if (result[offset + i] !== 1 && result[offset + i] !== n) {
        throw new ShapeError('shapes do not broadcast', {
          operation,
          argument: operandNames[at]!,
          expected: 'sizes equal or 1, aligned at the last axis',
          given: shapes.map(showShape).join(' and '),
        });
      }
      result[offset + i] = n;
    }
  }
  return result;
}

/** Whether sizes of 1 are all in which `shape` differs from the last axes of `target`. */
export const broadcasts = (shape: Shape, target: Shape): boolean =>
  shape.every((n, i) => n === 1 || n === target[target.length - shape.length + i]);

/** Element strides of `shape` inside `target`, 0 where it is repeated. */
export function broadcastStrides(shape: Shape, target: Shape): number[] {
  const strides = rowMajorStrides(shape);
  const offset = target.length - shape.length;
  return target.map((_, i) => (i < offset || shape[i - offset] === 1 ? 0 : strides[i - offset]!));
}

/**
 * Drops axes of size 1 and merges neighbours that every operand walks with one stride, so that the kernel sees the
 * lowest rank. Throws if more than MAX_RANK axes are left.
 */
export function mergeAxes(
  operation: string,
  shape: Shape,
  ...strides: readonly number[][]
): { shape: number[]; strides: number[][] } {
  const merged: number[] = [];
  const lists = strides.map(() => [] as number[]);
  for (let axis = 0; axis < shape.length; axis++) {
    const size = shape[axis]!;
    if (size === 1) continue;
    const last = merged.length - 1;
    if (last >= 0 && strides.every((list, i) => lists[i]![last] === list[axis]! * size)) {
      merged[last]! *= size;
      for (let i = 0; i < lists.length; i++) lists[i]![last] = strides[i]![axis]!;
    } else {
      merged.push(size);
      for (let i = 0; i < lists.length; i++) lists[i]!.push(strides[i]![axis]!);
    }
  }
  if (!merged.length) {
    merged.push(1);
    for (const list of lists) list.push(0);
  }
  if (merged.length > MAX_RANK) {
    throw new ShapeError(`more than ${MAX_RANK} axes that cannot be merged`, { operation, given: showShape(shape) });
  }
  return { shape: merged, strides: lists };
}

/** Splits a shape around one axis: [outer, size, inner]. */
export function aroundAxis(shape: Shape, axis: number): { outer: number; size: number; inner: number } {
  return { outer: sizeOf(shape.slice(0, axis)), size: shape[axis]!, inner: sizeOf(shape.slice(axis + 1)) };
}

export type Pair = readonly [number, number];

/** One number for both image axes, or [height, width]. */
export const pair = (value: number | Pair): Pair => (typeof value === 'number' ? [value, value] : value);

/** Output size of a window that slides over `size` positions; negative if the window does not fit. */
export function windowOutput(
  size: number,
  kernel: number,
  stride: number,
  padding: number,
  dilation: number,
  ceilMode = false,
): number {
  const room = size + 2 * padding - dilation * (kernel - 1) - 1;
  let count = (ceilMode ? Math.ceil(room / stride) : Math.floor(room / stride)) + 1;
  // As PyTorch: with ceilMode the last window must begin inside the input or its leading padding.
  if (ceilMode && (count - 1) * stride >= size + padding) count--;
  return count;
}
