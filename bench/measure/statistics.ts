// Numbers drawn from repeated measurements. Medians, since a busy machine only ever adds time.

/** Times of one contestant in seconds. `gflops` is at the median. */
export interface Timing {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly repetitions: number;
  readonly gflops: number;
}

/** How many times as fast as another contestant; one value per round, in which both were measured one after the other. */
export interface Ratio {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** The middle value, or the mean of the two middle ones. NaN for no values. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

const spread = (values: readonly number[]): Ratio => ({
  median: median(values),
  min: Math.min(...values),
  max: Math.max(...values),
});

/** `rounds[r]` holds the times of all repetitions of round r. */
export function timing(rounds: readonly (readonly number[])[], flops: number): Timing {
  const all = rounds.flat();
  const { median: middle, min, max } = spread(all);
  return { median: middle, min, max, repetitions: all.length, gflops: flops / middle / 1e9 };
}

/**
 * How many times as fast `ours` is: per round the other's median over ours. The other may have sat out the last rounds, but
 * not all.
 */
export function ratio(ours: readonly (readonly number[])[], other: readonly (readonly number[])[]): Ratio {
  return spread(other.map((times, round) => median(times) / median(ours[round]!)));
}

/** The same at the best times of both, which other work on the machine disturbs least. */
export const bestRatio = (ours: readonly (readonly number[])[], other: readonly (readonly number[])[]): number =>
  Math.min(...other.flat()) / Math.min(...ours.flat());
