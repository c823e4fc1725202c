// Sorting along an axis, and the largest or smallest of it. The gradient goes back to where each value came from.
import { sort as sortKernel } from '../../kernels/index.ts';
import { ShapeError } from '../errors.ts';
import { defineComposite, defineFunction, defineOperation } from '../operation.ts';
import { aroundAxis, normalizeAxis } from '../shape.ts';
import { axis, flag, float, optional, optionsWith, size } from '../signature.ts';
import type { Tensor } from '../tensor.ts';
import { scatterAdd } from './indexing.ts';
import { narrow } from './layout.ts';

const family = 'sorting';

interface SortAttrs {
  axis: number;
  descending: boolean;
}

const sortOp = defineOperation<SortAttrs>({
  name: 'sort',
  family,
  infer: ([x]) => [
    { shape: x!.shape, dtype: 'float32' },
    { shape: x!.shape, dtype: 'int32' },
  ],
  forward([x], [values, indices], { axis, descending }) {
    if (x!.size === 0) return;
    const { outer, size: n, inner } = aroundAxis(x!.shape, axis);
    const params = { outer, n, inner, descending: Number(descending) };
    x!.device.launch(sortKernel, [x!.storage], [values!.storage, indices!.storage], params);
  },
  saves: { outputs: [1] },
  vjp: ({ gradients, outputs, attrs: { axis }, inputShapes }) => [
    scatterAdd(gradients[0]!, axis, outputs[1]!, inputShapes[0]![axis]!),
  ],
});

/** Values in order, and the index (int32) along the axis that each came from. */
export interface Sorted {
  values: Tensor;
  indices: Tensor;
}

/** Options of `sort`. */
export interface SortOptions {
  /** The largest first. */
  descending?: boolean;
}

function sorted(name: string, x: Tensor, axis: number, descending: boolean): Sorted {
  const [values, indices] = sortOp([x], { axis: normalizeAxis(name, axis, x.rank), descending });
  return { values: values!, indices: indices! };
}

/** Sorts along `axis` (the last unless given). Equal values keep their order, and NaN counts as the largest. */
export const sort = defineFunction(
  'sort',
  (x: Tensor, axis = -1, { descending = false }: SortOptions = {}): Sorted => sorted('sort', x, axis, descending),
  { x: float, axis: optional(axis), options: optionsWith<SortOptions>({ descending: flag }) },
);

/** Options of `topk`. */
export interface TopkOptions {
  /** false for the smallest. Default true. */
  largest?: boolean;
}

/** The k largest along `axis` (the last unless given), the largest first. Of equal values the first win; NaN is the largest. */
export const topk = defineComposite(
  'topk',
  (x: Tensor, k: number, axis = -1, { largest = true }: TopkOptions = {}): Sorted => {
    const at = normalizeAxis('topk', axis, x.rank);
    const n = x.shape[at]!;
    if (!Number.isInteger(k) || k < 0 || k > n) {
      const details = { operation: 'topk', argument: 'k', expected: `a whole number from 0 to ${n}`, given: String(k) };
      throw new ShapeError('not a number of elements', details);
    }
    const { values, indices } = sorted('topk', x, at, largest);
    return { values: narrow(values, at, 0, k), indices: narrow(indices, at, 0, k) };
  },
  {
    family,
    signature: { x: float, k: size, axis: optional(axis), options: optionsWith<TopkOptions>({ largest: flag }) },
  },
);
