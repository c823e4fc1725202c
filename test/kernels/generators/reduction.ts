// Random cases of the reductions.
import fc from 'fast-check';
import type { Random } from '../../../engine/random.ts';
import {
  argReduce,
  ArgReduction,
  reduce,
  Reduction,
  softmax,
  softmaxBackward,
  type SoftmaxParams,
} from '../../../kernels/index.ts';
import { anySize, caseSource, drawn, exact, flag, sumOf } from '../cases.ts';

const lines = fc
  .record({ outer: anySize, n: anySize, inner: anySize })
  .filter(({ outer, n, inner }) => outer * n * inner <= 60_000);

/** Rows, columns, whole tensors and middle axes around the sizes of tiles. */
const shapes = [
  { outer: 1, n: 1, inner: 1 },
  { outer: 1, n: 0, inner: 1 },
  { outer: 0, n: 5, inner: 3 },
  { outer: 3, n: 0, inner: 5 },
  { outer: 3, n: 5, inner: 0 },
  { outer: 1, n: 100_003, inner: 1 },
  { outer: 5, n: 4099, inner: 1 },
  { outer: 1, n: 513, inner: 129 },
  { outer: 3, n: 65, inner: 67 },
  { outer: 1030, n: 3, inner: 1 },
  { outer: 2, n: 7, inner: 1025 },
];

export const reduceSource = caseSource({
  kernel: reduce,
  params: fc
    .tuple(lines, fc.constantFrom(Reduction.sum, Reduction.mean, Reduction.max, Reduction.min))
    .map(([line, op]) => ({ ...line, op })),
  examples: shapes.flatMap((line) =>
    [Reduction.sum, Reduction.mean, Reduction.max, Reduction.min].map((op) => ({ ...line, op })),
  ),
  tolerance: ({ n, op }) => {
    if (op === Reduction.max || op === Reduction.min) return exact;
    return op === Reduction.mean ? { rtol: 1e-5, atol: 1e-6 } : sumOf(n);
  },
});

export const argReduceSource = caseSource({
  kernel: argReduce,
  // The place of the largest of nothing is not defined.
  params: fc
    .tuple(lines, fc.constantFrom(ArgReduction.max, ArgReduction.min))
    .map(([line, op]) => ({ ...line, n: Math.max(1, line.n), op })),
  examples: shapes
    .filter(({ n }) => n > 0)
    .flatMap((line) => [ArgReduction.max, ArgReduction.min].map((op) => ({ ...line, op }))),
  tolerance: () => exact,
});

export const softmaxSource = caseSource({
  kernel: softmax,
  params: fc.tuple(lines, flag).map(([line, log]) => ({ ...line, log })),
  examples: shapes.flatMap((line) => [0, 1].map((log) => ({ ...line, log }))),
  tolerance: ({ log }) => (log ? { rtol: 1e-5, atol: 5e-6 } : { rtol: 2e-5, atol: 1e-7 }),
});

/** Probabilities over the middle axis; in some cases one of them is near 1. */
function probabilities({ outer, n, inner }: Omit<SoftmaxParams, 'log'>, draws: Random): number[] {
  const spread = draws.uniform() < 0.5 ? 1 : 6;
  const scores = drawn(outer * n * inner, () => Math.exp(spread * draws.normal()));
  const at = (o: number, k: number, i: number): number => (o * n + k) * inner + i;
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      let total = 0;
      for (let k = 0; k < n; k++) total += scores[at(o, k, i)];
      for (let k = 0; k < n; k++) scores[at(o, k, i)] /= total;
    }
  }
  return scores;
}

/** The gradient, from outputs of softmax. */
export const softmaxBackwardSource = caseSource({
  kernel: softmaxBackward,
  params: fc.tuple(lines, flag).map(([line, log]) => ({ ...line, log })),
  examples: shapes.flatMap((line) => [0, 1].map((log) => ({ ...line, log }))),
  tolerance: ({ n }) => sumOf(n),
  values(name, params, draws) {
    if (name !== 'y') return undefined;
    const shares = probabilities(params, draws);
    return params.log ? shares.map(Math.log) : shares;
  },
});
