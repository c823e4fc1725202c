// Matrix products, reductions, softmax, and normalisation over lines of numbers as nodes.
import type { BatchNormParams } from '../../../../kernels/index.ts';
import { type Shape, sizeOf } from '../../../shape.ts';
import type { Call, Translate } from './call.ts';

/** A reduction whose axes became an input at an opset. */
function reduced(c: Call, op: string, x: string, axes: Shape, keepdims = 1): string {
  if (!axes.length) return c.node('Identity', [x]);
  const areInput = op === 'ReduceSum' || c.opset >= 18;
  return areInput ? c.node(op, [x, c.longs(axes)], { keepdims }) : c.node(op, [x], { axes, keepdims });
}

const reduction =
  (op: string): Translate =>
  (c) =>
    c.out(reduced(c, op, c.in(), c.attrs<Shape>()));

const indexOf =
  (op: string): Translate =>
  (c) =>
    c.out(c.cast(c.node(op, [c.in()], { axis: c.attrs<number>(), keepdims: 1 }), 'int32'));

function variance(c: Call): void {
  const { axes, correction } = c.attrs<{ axes: Shape; correction: number }>();
  const x = c.in();
  const centred = c.node('Sub', [x, reduced(c, 'ReduceMean', x, axes)]);
  const biased = reduced(c, 'ReduceMean', c.node('Mul', [centred, centred]), axes);
  if (correction === 0) return c.out(biased);
  const count = sizeOf(axes.map((axis) => c.shape()[axis]!));
  c.out(c.node('Mul', [biased, c.floats(count / Math.max(0, count - correction))]));
}

interface Transposes {
  transposeA: boolean;
  transposeB: boolean;
}

/** [B or 1, m, k] by [B or 1, k, n], and a bias of n. */
function matmul(c: Call): void {
  const { transposeA, transposeB } = c.attrs<Transposes>();
  const [a, b] = [c.shape(0), c.shape(1)];
  const n = c.outShape()[2]!;
  const rows = c.base(0).shape;
  const isSingle = a[0] === 1 && b[0] === 1;
  const swapped = (name: string, rank: number) =>
    c.node('Transpose', [name], { perm: rank === 2 ? [1, 0] : [0, 2, 1] });
  const withBias = (y: string) => (c.has(2) ? c.node('Add', [y, c.in(2)]) : y);
  // Rows of a tensor of more axes, as nn.Linear takes them: the product keeps its axes.
  if (isSingle && !transposeA && rows.length > 2 && rows[0] !== 1 && rows.at(-1) === a[2]) {
    const weight = c.in(1, b.slice(1));
    const product = c.node('MatMul', [c.in(0, rows), transposeB ? swapped(weight, 2) : weight]);
    return c.out(withBias(product), { shape: [...rows.slice(0, -1), n] });
  }
  if (isSingle) {
    const inputs = [c.in(0, a.slice(1)), c.in(1, b.slice(1)), ...(c.has(2) ? [c.in(2)] : [])];
    const attributes = { transA: Number(transposeA), transB: Number(transposeB) };
    return c.out(c.node('Gemm', inputs, attributes), { shape: c.outShape().slice(1) });
  }
  const left = transposeA ? swapped(c.in(0), 3) : c.in(0);
  const right = transposeB ? swapped(c.in(1), 3) : c.in(1);
  c.out(withBias(c.node('MatMul', [left, right])));
}

/** By the statistics of x (N, C, spatial) itself: (x, weight, bias) -> y, mean, inverse deviation and variance of each channel. */
function batchNorm(c: Call): void {
  const { batch, channels, spatial, eps, relu } = c.attrs<BatchNormParams>();
  const isPlain = c.filledWith(1) === 1 && c.filledWith(2) === 0;
  if (batch === 1 && isPlain && !relu && ![1, 2, 3].some((output) => c.isUsed(output))) {
    const base = c.base().shape;
    // Layer and group norm: each channel is a line. Lines that are the last axis keep the axes before it.
    const shape = base.at(-1) === spatial ? base : [channels, spatial];
    const ones = c.floats(new Float32Array(spatial).fill(1), [spatial]);
    const y = c.node('LayerNormalization', [c.in(0, shape), ones], { axis: -1, epsilon: { float: eps } });
    return c.out(y, { shape });
  }
  const x = c.in();
  const average = reduced(c, 'ReduceMean', x, [0, 2]);
  const centred = c.node('Sub', [x, average]);
  const spread = reduced(c, 'ReduceMean', c.node('Mul', [centred, centred]), [0, 2]);
  const inverse = c.node('Reciprocal', [c.node('Sqrt', [c.node('Add', [spread, c.floats(eps)])])]);
  const perChannel = [1, channels, 1];
  const scaled = c.node('Mul', [c.node('Mul', [centred, inverse]), c.in(1, perChannel)]);
  const y = c.node('Add', [scaled, c.in(2, perChannel)]);
  c.out(relu ? c.node('Relu', [y]) : y);
  [average, inverse, spread].forEach((name, i) => c.out(name, { output: i + 1, shape: perChannel }));
}

function sort(c: Call): void {
  const { axis, descending } = c.attrs<{ axis: number; descending: boolean }>();
  const all = c.longs([c.shape()[axis]!]);
  const [values, indices] = c.nodes('TopK', [c.in(), all], 2, { axis, largest: Number(descending), sorted: 1 });
  c.out(values!);
  if (c.isUsed(1)) c.out(c.cast(indices!, 'int32'), { output: 1 });
}

const softmax =
  (op: string): Translate =>
  (c) =>
    c.out(c.node(op, [c.in()], { axis: c.attrs<{ axis: number }>().axis }));

export const lines: Readonly<Record<string, Translate>> = {
  matmul,
  sum: reduction('ReduceSum'),
  mean: reduction('ReduceMean'),
  amax: reduction('ReduceMax'),
  amin: reduction('ReduceMin'),
  logSumExp: reduction('ReduceLogSumExp'),
  argmax: indexOf('ArgMax'),
  argmin: indexOf('ArgMin'),
  variance,
  batchNorm,
  batchNormRelu: batchNorm,
  softmax: softmax('Softmax'),
  logSoftmax: softmax('LogSoftmax'),
  // The scan runs along the middle axis of (outer, n, inner).
  cumsum: (c) => {
    const { reverse } = c.attrs<{ reverse: boolean }>();
    c.out(c.node('CumSum', [c.in(), c.long(1)], { reverse: Number(reverse) }));
  },
  sort,
};
