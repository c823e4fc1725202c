// Random cases of the sort.
import fc from 'fast-check';
import { sort } from '../../../kernels/index.ts';
import { anySize, caseSource, exact, flag } from '../cases.ts';

export const sortSource = caseSource({
  kernel: sort,
  params: fc
    .record({ outer: anySize, n: anySize, inner: anySize, descending: flag })
    .filter(({ outer, n, inner }) => outer * n * inner <= 20_000),
  examples: [
    [1, 1, 1],
    [3, 0, 5],
    [0, 4, 2],
    [5, 16, 1],
    [2, 33, 3],
    [1, 20_011, 1],
    [1030, 7, 1],
    [2, 65, 67],
  ].flatMap(([outer, n, inner]) => [0, 1].map((descending) => ({ outer: outer!, n: n!, inner: inner!, descending }))),
  tolerance: () => exact,
});
