// Attention over the last two axes, made of other operations, some queries at a time: scores are there for one chunk of queries, and
// backward makes them again (Rabe and Staats, "Self-attention does not need O(n^2) memory", 2021). So memory is linear in the
// length; every device and gradients of gradients come by themselves. Leaves out dropout of the probabilities.
//
//   y = softmax(scale q k^T + mask) v                  q (..., L, E), k (..., S, E), v (..., S, V)
import { countWithin, numberWithin } from '../checks.ts';
import { tensor } from '../creation.ts';
import { ShapeError, showShape } from '../errors.ts';
import { noGrad } from '../grad-mode.ts';
import { defineComposite } from '../operation.ts';
import { checkpoint } from '../recomputation.ts';
import { sameShape, type Shape, sizeOf } from '../shape.ts';
import { flag, float, number, optionsWith, size } from '../signature.ts';
import type { Tensor } from '../tensor.ts';
import { add, le, where } from './binary.ts';
import { cat } from './joining.ts';
import { narrow } from './layout.ts';
import { matmul } from './matmul.ts';
import { softmax } from './softmax.ts';
import { affine } from './unary.ts';

const operation = 'scaledDotProductAttention';

/** Options of `scaledDotProductAttention`. */
export interface AttentionOptions {
  /**
   * Broadcast to (..., L, S). bool: true where a query sees a key; float32: added to the scores. The result of a query that sees no
   * key is NaN, as in PyTorch.
   */
  attnMask?: Tensor | undefined;
  /** Query i sees keys 0 to i alone. */
  isCausal?: boolean | undefined;
  /** Factor of the scores. Default: 1 / sqrt(E). */
  scale?: number | undefined;
  /** Queries at a time, for memory or speed; the result does not depend on it. Default: as many as have 4 million scores. */
  chunk?: number | undefined;
}

/** Scores of a chunk: 16 MiB. */
const SCORES = 2 ** 22;
/** Queries of a chunk of a very long sequence, whose scores are then linear in the length. */
const LEAST_QUERIES = 16;

/**
 * Attention of queries (..., L, E) to keys (..., S, E) with values (..., S, V): softmax(scale q k^T + mask) v, (..., L, V).
 * Memory, of gradients too, is linear in L and S.
 */
export const scaledDotProductAttention = defineComposite(operation, attend, {
  family: 'attention',
  signature: {
    q: float,
    k: float,
    v: float,
    options: optionsWith<AttentionOptions>({
      attnMask: { dtypes: ['bool', 'float32'] },
      isCausal: flag,
      scale: number,
      chunk: size,
    }),
  },
});

/** `length` entries of an axis counted from the end; the tensor itself where that is all, or where it is broadcast. */
function part(x: Tensor, axis: number, start: number, length: number): Tensor {
  const whole = x.shape.at(axis);
  return whole === undefined || whole === length || whole === 1 ? x : narrow(x, axis, start, length);
}

function attend(q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions = {}): Tensor {
  const { attnMask, isCausal = false } = options;
  checkShapes(q, k, v, attnMask);
  const [queries, features, keys] = [q.shape.at(-2)!, q.shape.at(-1)!, k.shape.at(-2)!];
  const scale = numberWithin(operation, 'scale', options.scale ?? 1 / Math.sqrt(Math.max(1, features)), {});
  const batch = sizeOf(q.shape.slice(0, -2));
  const fitting = Math.max(LEAST_QUERIES, Math.floor(SCORES / Math.max(1, batch * keys)));
  const most = countWithin(operation, 'chunk', options.chunk ?? fitting, { from: 1 });
  const chunks = Math.max(1, Math.ceil(queries / most));

  /** Queries [start, end), against the keys that they may see. */
  const chunk = (start: number, end: number) => (q: Tensor, k: Tensor, v: Tensor, mask?: Tensor) => {
    const count = end - start;
    const seen = isCausal ? Math.min(keys, end) : keys;
    const some = affine(part(q, -2, start, count), scale, 0);
    let scores = matmul(some, part(k, -2, 0, seen), { transposeB: true });
    if (mask) {
      const own = part(part(mask, -2, start, count), -1, 0, seen);
      scores = own.dtype === 'bool' ? where(own, scores, -Infinity) : add(scores, own);
    }
    if (isCausal) scores = where(isSeen(q, start, count, seen), scores, -Infinity);
    return matmul(softmax(scores, -1), part(v, -2, 0, seen));
  };
  const inputs: [Tensor, Tensor, Tensor, ...Tensor[]] = attnMask ? [q, k, v, attnMask] : [q, k, v];
  if (chunks === 1) return chunk(0, queries)(...inputs);
  const bounds = Array.from({ length: chunks + 1 }, (_, i) => Math.floor((i * queries) / chunks));
  const parts = bounds.slice(1).map((end, i) => checkpoint(chunk(bounds[i]!, end), ...inputs));
  return cat(parts, -2);
}

/** [count, keys]: whether key j is at most query start + i. */
function isSeen({ device }: Tensor, start: number, count: number, keys: number): Tensor {
  const range = (from: number, shape: [number, number]): Tensor =>
    tensor(
      Int32Array.from({ length: sizeOf(shape) }, (_, i) => from + i),
      shape,
      { device },
    );
  return noGrad(() => le(range(0, [1, keys]), range(start, [count, 1])));
}

function refuse(argument: string, expected: string, given: Shape): never {
  throw new ShapeError('shapes do not fit', { operation, argument, expected, given: showShape(given) });
}

function checkShapes(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | undefined): void {
  if (q.rank < 2) refuse('q', 'queries (..., L, E)', q.shape);
  const before = q.shape.slice(0, -2);
  const [queries, features] = q.shape.slice(-2) as [number, number];
  const keys = k.shape.at(-2) ?? 0;
  if (!sameShape(k.shape, [...before, keys, features]))
    refuse('k', `keys ${showShape(before)} x S x ${features}`, k.shape);
  if (!sameShape(v.shape, [...before, keys, v.shape.at(-1) ?? 0])) {
    refuse('v', `values ${showShape(before)} x ${keys} x V`, v.shape);
  }
  const full = [...before, queries, keys];
  const fits = (n: number, i: number): boolean => n === 1 || n === full.at(i - mask!.rank);
  if (mask && (mask.rank > full.length || !mask.shape.every(fits))) {
    refuse('attnMask', `what broadcasts to ${showShape(full)}`, mask.shape);
  }
}
