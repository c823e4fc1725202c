// Running sums and products along an axis, and the product of all. Inside, the axis is the middle one of three.
import { prefixSum, recurrence as recurrenceKernel } from '../../kernels/index.ts';
import { full } from '../creation.ts';
import { type Apply, defineComposite, defineFunction, defineOperation } from '../operation.ts';
import { aroundAxis, normalizeAxes, normalizeAxis, sizeOf } from '../shape.ts';
import { axis, float } from '../signature.ts';
import type { Tensor } from '../tensor.ts';
import { mul } from './binary.ts';
import { expand } from './expand.ts';
import { narrow, pad, permute } from './layout.ts';
import { overAxes, type ReduceOptions } from './reduce-options.ts';
import { reshape } from './reshape.ts';

const family = 'scan';

interface Direction {
  /** From the last element down. */
  reverse: boolean;
}

const paramsOf = (x: Tensor, { reverse }: Direction) => {
  const [outer, n, inner] = x.shape as [number, number, number];
  return { outer, n, inner, reverse: Number(reverse) };
};

/** The gradient of a running sum is that from the other end. */
const sumOp: Apply<Direction> = defineOperation<Direction>({
  name: 'cumsum',
  family,
  infer: ([x]) => [{ shape: x!.shape, dtype: 'float32' }],
  forward([x], [y], attrs) {
    if (x!.size > 0) x!.device.launch(prefixSum, [x!.storage], [y!.storage], paramsOf(x!, attrs));
  },
  vjp: ({ gradients, attrs }) => sumOp([gradients[0]], { reverse: !attrs.reverse }),
});

/** Each element in the place of its neighbour that the scan reaches `steps` later, zeros where there is none. */
function shifted(x: Tensor, steps: number, { reverse }: Direction): Tensor {
  const by = reverse ? -steps : steps;
  return pad(x, [0, 0, by, -by]);
}

/**
 * y_k = b_k + a_k y_{k-1}. The gradient of b obeys the same rule from the other end, h_k = g_k + a_{k+1} h_{k+1}, and that of
 * a is h_k y_{k-1}.
 */
const recurrenceOp: Apply<Direction> = defineOperation<Direction>({
  name: 'recurrence',
  family,
  arguments: ['a', 'b'],
  infer: ([, b]) => [{ shape: b!.shape, dtype: 'float32' }],
  forward([a, b], [y], attrs) {
    if (b!.size === 0) return;
    b!.device.launch(recurrenceKernel, [a!.storage, b!.storage], [y!.storage], paramsOf(b!, attrs));
  },
  saves: { inputs: [0], outputs: [{ index: 0, for: [0] }] },
  vjp({ gradients: [g], inputs: [a], outputs: [y], needs, attrs }) {
    const h = recurrenceOp([shifted(a!, -1, attrs), g], { reverse: !attrs.reverse })[0]!;
    return [needs[0] ? mul(h, shifted(y!, 1, attrs)) : undefined, h];
  },
});

/** Applies a scan of (outer, n, inner) along any axis. */
function along(name: string, x: Tensor, axis: number, scan: (x: Tensor) => Tensor): Tensor {
  const { outer, size, inner } = aroundAxis(x.shape, normalizeAxis(name, axis, x.rank));
  return reshape(scan(reshape(x, [outer, size, inner])), x.shape);
}

const signature = { x: float, axis };

/** y_k = x_0 + ... + x_k along `axis`. */
export const cumsum = defineFunction(
  'cumsum',
  (x: Tensor, axis: number): Tensor => along('cumsum', x, axis, (x3) => sumOp([x3], { reverse: false })[0]!),
  signature,
);

/** Running products of the middle axis: y_k = x_k y_{k-1} from y_0 = x_0, so that nothing is divided by a zero. */
function products(x: Tensor): Tensor {
  const n = x.shape[1]!;
  if (n === 0) return x;
  const start = pad(narrow(x, 1, 0, 1), [0, 0, 0, n - 1]);
  return recurrenceOp([x, start], { reverse: false })[0]!;
}

/** y_k = x_0 x_1 ... x_k along `axis`, with its gradients where factors are 0. */
export const cumprod = defineComposite(
  'cumprod',
  (x: Tensor, axis: number): Tensor => along('cumprod', x, axis, products),
  { family, signature },
);

/** Product over `axes` (all when undefined), with its gradients where factors are 0; of nothing it is 1. */
export const prod = defineComposite(
  'prod',
  (x: Tensor, axes?: number | readonly number[], { keepdim = false }: ReduceOptions = {}): Tensor => {
    const reduced = normalizeAxes('prod', axes, x.rank);
    const kept = x.shape.flatMap((_, axis) => (reduced.includes(axis) ? [] : [axis]));
    const shape = kept.map((axis) => x.shape[axis]!);
    const count = sizeOf(reduced.map((axis) => x.shape[axis]!));
    const lines = reshape(permute(x, [...kept, ...reduced]), [sizeOf(shape), count, 1]);
    const y = count > 0 ? narrow(products(lines), 1, count - 1, 1) : expand(full([], 1, { device: x.device }), shape);
    return reshape(y, keepdim ? x.shape.map((n, axis) => (reduced.includes(axis) ? 1 : n)) : shape);
  },
  { family, signature: overAxes },
);
