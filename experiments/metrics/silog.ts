// Scale-invariant logarithmic error (Eigen et al. 2014) of one image of metric depths, in float64 on the host. Per image and
// then averaged over images, as KITTI's development kit has it; leaves out the differentiable form, which is an operation.

/** A depth map and where it counts. Depths are metres, greater than 0 where valid. */
export interface DepthPair {
  readonly predicted: ArrayLike<number>;
  readonly truth: ArrayLike<number>;
  /** Pixels that count; where left out, those with a truth above 0. */
  readonly valid?: ArrayLike<number | boolean>;
}

/**
 * mean(e^2) - mean(e)^2 of e = ln predicted - ln truth over the valid pixels: equation 1 of the MultiDepth paper.
 * NaN without a valid pixel.
 */
export function logVariance({ predicted, truth, valid }: DepthPair): number {
  // By deviations from the running mean (Welford 1962): of two large squares the difference would not be known, and that of a
  // constant ratio would not be 0.
  let [mean, squares, count] = [0, 0, 0];
  for (let i = 0; i < truth.length; i++) {
    if (valid ? !valid[i] : !(truth[i]! > 0)) continue;
    const e = logRatio(predicted[i]!, truth[i]!);
    const deviation = e - mean;
    count++;
    mean += deviation / count;
    squares += deviation * (e - mean);
  }
  return squares / count;
}

/** ln(a / b), with all its digits where the two are close, and where the quotient leaves the range of numbers. */
function logRatio(a: number, b: number): number {
  const ratio = a / b;
  if (ratio > 0.5 && ratio < 2) return Math.log1p((a - b) / b);
  return ratio > 0 && ratio < Infinity ? Math.log(ratio) : Math.log(a) - Math.log(b);
}

/** 100 times the square root of the variance: what KITTI's development kit computes and the tables show. */
export const silogOf = (pair: DepthPair): number => 100 * Math.sqrt(logVariance(pair));
