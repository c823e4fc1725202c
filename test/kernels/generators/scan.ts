// Random cases of the scans.
import fc from 'fast-check';
import { prefixSum, recurrence, type ScanParams } from '../../../kernels/index.ts';
import { anySize, caseSource, flag } from '../cases.ts';

const params: fc.Arbitrary<ScanParams> = fc
  .record({ outer: anySize, n: anySize, inner: anySize, reverse: flag })
  .filter(({ outer, n, inner }) => outer * n * inner <= 60_000);

/** Nothing, one element, lines around the size of a block, many short and one long. */
const examples = [
  [1, 1, 1],
  [3, 0, 5],
  [0, 4, 2],
  [2, 256, 1],
  [1, 513, 3],
  [1, 100_003, 1],
  [1030, 7, 1],
  [2, 65, 67],
].flatMap(([outer, n, inner]) => [0, 1].map((reverse) => ({ outer: outer!, n: n!, inner: inner!, reverse })));

// The running value is kept to more than float32: what is left is the rounding of the result, however long the line.
export const prefixSumSource = caseSource({
  kernel: prefixSum,
  params,
  examples,
  tolerance: () => ({ rtol: 2e-7, atol: 1e-7 }),
});

export const recurrenceSource = caseSource({
  kernel: recurrence,
  params,
  examples,
  tolerance: () => ({ rtol: 1e-6, atol: 1e-6 }),
  // Factors up to one, so that long lines neither die out nor overflow.
  values: (operand, _params, draws, length) =>
    operand === 'a' ? draws.uniformArray(length).map((u) => 2 * u - 1) : undefined,
});
