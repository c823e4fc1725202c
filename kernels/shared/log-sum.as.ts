// Logarithms of sums of exponentials e^(x - m), m the largest x, for softmax and cross-entropy. The terms that are 1 stay out of
// the sum, which keeps what is small beside 1: log(1 + e^-20) is 2e-9 and not 0.
import { exp4, log1p4 } from './math.as';
import { loadLanes, promoteHigh, promoteLow, upper } from './simd.as';

/** log(rest + ties), ties from 1 on: the sum of e^(x - m) below m, and how many are m. */
@inline
export function logOfSum(rest: v128, ties: v128): v128 {
  return log1p4(f32x4.add(rest, f32x4.sub(ties, f32x4.splat(1))));
}

/** The mask of the terms e^(x - m) that are 1, given x - m. NaN is none of them. */
@inline
export function isTop(shifted: v128): v128 {
  return f32x4.eq(shifted, f32x4.splat(0));
}

/** The logarithm for a line of `n` numbers at x. */
export function lineLogSum(x: usize, n: i32, m: f32): f32 {
  const largest = f32x4.splat(m);
  let total = f64x2.splat(0);
  let ties = f32x4.splat(0);
  for (let i = 0; i < n; i += 4) {
    const count = min(4, n - i);
    const shifted = f32x4.sub(loadLanes(x + ((<usize>i) << 2), count), largest);
    const top = isTop(shifted);
    let e = v128.andnot(exp4(shifted), top);
    let one = v128.and(top, f32x4.splat(1));
    if (count < 4) {
      const isInside = i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(count));
      e = v128.and(e, isInside);
      one = v128.and(one, isInside);
    }
    total = f64x2.add(total, f64x2.add(promoteLow(e), promoteHigh(e)));
    ties = f32x4.add(ties, one);
  }
  const rest = <f32>(f64x2.extract_lane(total, 0) + f64x2.extract_lane(total, 1));
  ties = f32x4.add(ties, upper(ties));
  const all = f32x4.extract_lane(ties, 0) + f32x4.extract_lane(ties, 1);
  return f32x4.extract_lane(logOfSum(f32x4.splat(rest), f32x4.splat(all)), 0);
}
