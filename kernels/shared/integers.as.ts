// Whole numbers: how many blocks cover a length, and bounds.

/** Smallest q with q * divisor >= value. */
@inline
export function ceilDivide(value: i32, divisor: i32): i32 {
  return value >= 0 ? (value + divisor - 1) / divisor : -(-value / divisor);
}

@inline
export function clamp(value: i32, low: i32, high: i32): i32 {
  return max(low, min(value, high));
}
