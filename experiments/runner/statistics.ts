// Mean, spread and interval over seeds.
import { mean, sum } from './mean.ts';

/** What `summarize` says of some values. */
export interface Summary {
  mean: number;
  /** Sample standard deviation (n - 1); 0 for a single value. */
  std: number;
  n: number;
  values: number[];
  /** The 90 % t interval of the mean; null below `LEAST_SEEDS` values. */
  interval: [low: number, high: number] | null;
}

/** With fewer values an interval says nothing: of two it is 6.3 standard errors wide to each side. */
export const LEAST_SEEDS = 3;

/**
 * 0.95 quantiles of Student's t distribution for 1, 2, ... degrees of freedom, which bound a two-sided interval of 90 %.
 * NIST/SEMATECH e-Handbook of Statistical Methods, section 1.3.6.7.2.
 */
const quantiles = [
  6.314, 2.92, 2.353, 2.132, 2.015, 1.943, 1.895, 1.86, 1.833, 1.812, 1.796, 1.782, 1.771, 1.761, 1.753, 1.746, 1.74,
  1.734, 1.729, 1.725, 1.721, 1.717, 1.714, 1.711, 1.708, 1.706, 1.703, 1.701, 1.699, 1.697,
];

/** Half the width of a 90 % interval in standard errors. Beyond the table its last entry, which is a little too wide. */
export const tQuantile = (degrees: number): number => quantiles[Math.min(degrees, quantiles.length) - 1]!;

/** Mean, sample standard deviation and 90 % t interval of some values. */
export function summarize(values: readonly number[]): Summary {
  const n = values.length;
  const centre = mean(values);
  const squares = sum(values.map((value) => (value - centre) ** 2));
  const std = n > 1 ? Math.sqrt(squares / (n - 1)) : 0;
  const half = n >= LEAST_SEEDS ? (tQuantile(n - 1) * std) / Math.sqrt(n) : NaN;
  const interval: Summary['interval'] = n >= LEAST_SEEDS ? [centre - half, centre + half] : null;
  return { mean: centre, std, n, values: [...values], interval };
}
