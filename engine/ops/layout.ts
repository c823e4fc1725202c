// Data movement within a tensor: permute, slice, flip, pad, pixelShuffle. All are strided copies; each is linear, so its
// gradient is its adjoint.
import { copy, fills } from '../../kernels/index.ts';
import { oneOf, wholeNumber } from '../checks.ts';
import { ShapeError, showShape } from '../errors.ts';
import { type Apply, defineComposite, defineFunction, defineOperation } from '../operation.ts';
import { anyType, axes, axis, optional, size, slices, text, value, wholeNumbers } from '../signature.ts';
import { mergeAxes, normalizeAxes, normalizeAxis, rowMajorStrides, sameShape, type Shape, sizeOf } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { tensor, type Value } from '../creation.ts';
import { elementOf } from '../elements.ts';
import { launchGatherCopy } from './gather-copy.ts';
import { indexSelect } from './indexing.ts';
import { reshape } from './reshape.ts';

const family = 'layout';
const anyTypes = [anyType.dtypes];

const permuteOp = defineOperation<readonly number[]>({
  name: 'permute',
  family,
  dtypes: anyTypes,
  infer: ([x], axes) => [{ shape: axes.map((axis) => x!.shape[axis]!), dtype: x!.dtype }],
  forward([x], [y], axes) {
    const strides = rowMajorStrides(x!.shape);
    launchGatherCopy(
      x!,
      y!,
      axes.map((axis) => strides[axis]!),
    );
  },
  vjp: ({ gradients, attrs }) => [
    permute(
      gradients[0]!,
      attrs.map((_, i) => attrs.indexOf(i)),
    ),
  ],
});

/** Reorders the axes; `axes` names each exactly once. */
export const permute = defineFunction('permute', permuteAxes, { x: anyType, axes: wholeNumbers });

function permuteAxes(x: Tensor, axes: readonly number[]): Tensor {
  const order = axes.map((axis) => normalizeAxis('permute', axis, x.rank, 'axes'));
  if (order.length !== x.rank || new Set(order).size !== x.rank) {
    throw new ShapeError('every axis must be named once', {
      operation: 'permute',
      argument: 'axes',
      expected: `${x.rank} different axes`,
      given: showShape(axes),
    });
  }
  return order.every((axis, i) => axis === i) ? x : permuteOp([x], order)[0]!;
}

/** Swaps two axes. */
export const transpose = defineComposite(
  'transpose',
  (x: Tensor, axis0: number, axis1: number): Tensor => {
    const order = x.shape.map((_, i) => i);
    const a = normalizeAxis('transpose', axis0, x.rank, 'axis0');
    const b = normalizeAxis('transpose', axis1, x.rank, 'axis1');
    [order[a], order[b]] = [order[b]!, order[a]!];
    return permute(x, order);
  },
  { family: 'layout', signature: { x: anyType, axis0: axis, axis1: axis } },
);

const flipOp = defineOperation<readonly number[]>({
  name: 'flip',
  family,
  dtypes: anyTypes,
  infer: ([x]) => [{ shape: x!.shape, dtype: x!.dtype }],
  forward([x], [y], axes) {
    const strides = rowMajorStrides(x!.shape);
    const offset = axes.reduce((sum, axis) => sum + (x!.shape[axis]! - 1) * strides[axis]!, 0);
    launchGatherCopy(
      x!,
      y!,
      strides.map((stride, axis) => (axes.includes(axis) ? -stride : stride)),
      offset,
    );
  },
  vjp: ({ gradients, attrs }) => [flip(gradients[0]!, attrs)],
});

/** Reverses the axes. */
export const flip = defineFunction(
  'flip',
  (x: Tensor, axes: number | readonly number[]): Tensor => flipOp([x], normalizeAxes('flip', axes, x.rank))[0]!,
  { x: anyType, axes },
);

interface Region {
  /** First index and step per axis, and how many are taken. */
  start: readonly number[];
  step: readonly number[];
  size: readonly number[];
}

const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, n, i) => sum + n * b[i]!, 0);

const sliceOp: Apply<Region> = defineOperation<Region>({
  name: 'slice',
  family,
  dtypes: anyTypes,
  infer: ([x], { size }) => [{ shape: size, dtype: x!.dtype }],
  forward([x], [y], { start, step }) {
    const strides = rowMajorStrides(x!.shape);
    launchGatherCopy(
      x!,
      y!,
      strides.map((stride, i) => stride * step[i]!),
      dot(start, strides),
    );
  },
  vjp: ({ gradients, attrs, inputShapes }) => [
    embedOp([gradients[0]!], { ...attrs, shape: inputShapes[0]!, value: 0 })[0]!,
  ],
});

interface Embedding extends Region {
  shape: Shape;
  value: number;
}

/** Writes x into a larger tensor of one value: the adjoint of slice, and constant padding. */
const embedOp: Apply<Embedding> = defineOperation<Embedding>({
  name: 'embed',
  family,
  dtypes: anyTypes,
  infer: ([x], { shape }) => [{ shape, dtype: x!.dtype }],
  forward([x], [y], { start, step, shape, value }) {
    const outSize = sizeOf(shape);
    if (outSize === 0) return;
    y!.device.launch(fills[y!.dtype], [], [y!.storage], { n: outSize, value });
    const n = x!.size;
    if (n === 0) return;
    const strides = rowMajorStrides(shape);
    const outer = strides.map((stride, i) => stride * step[i]!);
    const merged = mergeAxes('embed', x!.shape, rowMajorStrides(x!.shape), outer);
    const [inStrides, outStrides] = merged.strides as [number[], number[]];
    const axes = { shape: merged.shape, inStrides, outStrides, rank: merged.shape.length, n };
    const whole = { ...axes, inOffset: 0, outOffset: dot(start, strides), inSize: n, outSize };
    y!.device.launch(copy, [x!.storage], [y!.storage], whole);
  },
  vjp: ({ gradients, attrs, inputShapes }) => [sliceOp([gradients[0]!], { ...attrs, size: inputShapes[0]! })[0]!],
});

/** Per axis: null or undefined for all of it, or [start, stop, step] with Python's rules, null for an open bound. */
export type SliceSpec = readonly (readonly (number | null | undefined)[] | null | undefined)[];

/** x[start:stop:step] per axis, step > 0. Axes that are not named are taken whole. */
export const slice = defineFunction('slice', sliceAxes, { x: anyType, slices });

function sliceAxes(x: Tensor, slices: SliceSpec): Tensor {
  const refuse = (reason: string, expected: string, given: string): never => {
    throw new ShapeError(reason, { operation: 'slice', argument: 'slices', expected, given });
  };
  if (slices.length > x.rank) {
    refuse('more slices than axes', `at most ${x.rank}`, `${slices.length} for ${showShape(x.shape)}`);
  }
  const region = x.shape.map((n, axis) => {
    const [start, stop, step] = slices[axis] ?? [];
    const by = step ?? 1;
    if (!Number.isInteger(by) || by < 1) refuse('not a step', 'a whole number above 0', String(by));
    for (const limit of [start, stop]) {
      if (limit === null || limit === undefined || Number.isInteger(limit)) continue;
      refuse('not a place on the axis', 'a whole number or null', String(limit));
    }
    const bound = (value: number | null | undefined, fallback: number): number =>
      Math.min(n, Math.max(0, value === null || value === undefined ? fallback : value < 0 ? value + n : value));
    const from = bound(start, 0);
    return { from, by, count: Math.max(0, Math.ceil((bound(stop, n) - from) / by)) };
  });
  const size = region.map(({ count }) => count);
  if (sameShape(size, x.shape)) return x;
  return sliceOp([x], { start: region.map(({ from }) => from), step: region.map(({ by }) => by), size })[0]!;
}

/** `length` entries of one axis from `start`. */
export const narrow = defineComposite('narrow', narrowAxis, {
  family: 'layout',
  signature: { x: anyType, axis, start: size, length: size },
});

function narrowAxis(x: Tensor, axis: number, start: number, length: number): Tensor {
  const at = normalizeAxis('narrow', axis, x.rank);
  wholeNumber('narrow', 'start', start, 0);
  wholeNumber('narrow', 'length', length, 0);
  if (start + length > x.shape[at]!) {
    throw new ShapeError('outside the axis', {
      operation: 'narrow',
      argument: 'length',
      expected: `0 to ${x.shape[at]}`,
      given: `${start} to ${start + length}`,
    });
  }
  return slice(
    x,
    x.shape.map((_, i) => (i === at ? [start, start + length] : null)),
  );
}

/** What padding is made of: one value, the mirrored inside, or the border. */
export type PadMode = 'constant' | 'reflect' | 'replicate';

function padConstant(x: Tensor, before: readonly number[], after: readonly number[], value: number): Tensor {
  const cropped = slice(
    x,
    x.shape.map((n, axis) => [Math.max(0, -before[axis]!), n + Math.min(0, after[axis]!)]),
  );
  const start = before.map((n) => Math.max(0, n));
  const shape = cropped.shape.map((n, axis) => n + start[axis]! + Math.max(0, after[axis]!));
  if (sameShape(shape, cropped.shape)) return cropped;
  return embedOp([cropped], { start, step: shape.map(() => 1), size: cropped.shape, shape, value })[0]!;
}

/** Source position of padded position i (counted from the first element): mirrored without the border, or clamped. */
function reflected(i: number, n: number): number {
  return i < 0 ? -i : i >= n ? 2 * (n - 1) - i : i;
}

/**
 * Pads the last axes: `pad` is [before, after] of the last axis, then of the one before it, and so on. Constant mode takes
 * negative numbers, which crop, and a `value` of the element type. Reflect does not repeat the border.
 */
export const pad = defineComposite(
  'pad',
  (x: Tensor, padding: readonly number[], mode: PadMode = 'constant', value: Value = 0): Tensor => {
    oneOf('pad', 'mode', mode, ['constant', 'reflect', 'replicate']);
    const element = elementOf(value, x.dtype, { operation: 'pad', argument: 'value' });
    const refuse = (reason: string, expected: string, given: string): never => {
      throw new ShapeError(reason, { operation: 'pad', argument: 'padding', expected, given });
    };
    if (padding.length % 2 || padding.length / 2 > x.rank || !padding.every(Number.isInteger)) {
      refuse(
        'not an amount per axis',
        `[before, after] in whole numbers for at most ${x.rank} axes`,
        showShape(padding),
      );
    }
    const amount = (axis: number, side: number): number => padding[2 * (x.rank - 1 - axis) + side] ?? 0;
    const before = x.shape.map((_, axis) => amount(axis, 0));
    const after = x.shape.map((_, axis) => amount(axis, 1));
    if (x.shape.some((n, axis) => n + before[axis]! + after[axis]! < 0)) {
      refuse('crops more than there is', `at most what ${showShape(x.shape)} has`, showShape(padding));
    }
    if (mode === 'constant') return padConstant(x, before, after, element);
    let y = x;
    x.shape.forEach((n, axis) => {
      const [lead, trail] = [before[axis]!, after[axis]!];
      if (!lead && !trail) return;
      if (lead < 0 || trail < 0 || n === 0 || (mode === 'reflect' && Math.max(lead, trail) >= n)) {
        const expected = mode === 'reflect' ? `0 to ${n - 1}` : '0 or more, and an axis that is not empty';
        refuse(`${mode} padding does not fit the axis`, expected, `${lead} and ${trail}`);
      }
      const source = Int32Array.from({ length: n + lead + trail }, (_, i) =>
        mode === 'reflect' ? reflected(i - lead, n) : Math.min(n - 1, Math.max(0, i - lead)),
      );
      y = indexSelect(y, axis, tensor(source, [source.length], { device: x.device }));
    });
    return y;
  },
  { family, signature: { x: anyType, padding: wholeNumbers, mode: optional(text), value: optional(value) } },
);

/** (N, C f f, H, W) to (N, C, H f, W f). */
export const pixelShuffle = defineComposite(
  'pixelShuffle',
  (x: Tensor, factor: number): Tensor => {
    wholeNumber('pixelShuffle', 'factor', factor, 1);
    const [n, c, h, w] = x.shape as [number, number, number, number];
    if (x.rank !== 4 || c % (factor * factor)) {
      throw new ShapeError('the channels do not make up pixels', {
        operation: 'pixelShuffle',
        argument: 'x',
        expected: `(N, C f f, H, W) with f f = ${factor * factor}`,
        given: showShape(x.shape),
      });
    }
    const channels = c / (factor * factor);
    const parts = permute(reshape(x, [n, channels, factor, factor, h, w]), [0, 1, 4, 2, 5, 3]);
    return reshape(parts, [n, channels, h * factor, w * factor]);
  },
  { family, signature: { x: anyType, factor: size } },
);
