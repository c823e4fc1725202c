// Loads, stores and long sums shared by the SIMD kernels. The last one to three elements of a range go through the same
// vector code as the others (`loadPart`, `storePart`), so where threads split a range does not change a bit.
// Hot loops here and in the kernels test at their end: where a loop tests first, V8 moves whatever the body alone needs,
// constants and even divisions, from before the loop into it.
// Leaves out the functions of the elementwise kernels: math.as.ts has them.

/** The first `count` (1 to 3) words at `p`, then zeros. Reads no further than these words. */
export function loadPart(p: usize, count: i32): v128 {
  if (count == 1) return v128.load32_zero(p);
  const two = v128.load64_zero(p);
  return count == 2 ? two : v128.load32_lane(p, two, 2, 8);
}

/** Stores the first `count` (1 to 3) words. */
export function storePart(p: usize, value: v128, count: i32): void {
  if (count == 1) {
    v128.store32_lane(p, value, 0);
    return;
  }
  v128.store64_lane(p, value, 0);
  if (count == 3) v128.store32_lane(p, value, 2, 8);
}

/** The first `count` (1 to 4) words at `p`. */
@inline
export function loadLanes(p: usize, count: i32): v128 {
  return count == 4 ? v128.load(p) : loadPart(p, count);
}

/** Stores the first `count` (1 to 4) words. */
@inline
export function storeLanes(p: usize, value: v128, count: i32): void {
  if (count == 4) v128.store(p, value);
  else storePart(p, value, count);
}

/** a b + c, fused where relaxed SIMD is there. */
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? f32x4.relaxed_madd(a, b, c) : f32x4.add(f32x4.mul(a, b), c);
}

/** A whole vector, for loops that are compiled once for it and once for `Part`. */
@unmanaged
export class Four {
  @inline
  load(p: usize, count: i32): v128 {
    return v128.load(p);
  }
  @inline
  store(p: usize, value: v128, count: i32): void {
    v128.store(p, value);
  }
}

/** One to three words. */
@unmanaged
export class Part {
  @inline
  load(p: usize, count: i32): v128 {
    return loadPart(p, count);
  }
  @inline
  store(p: usize, value: v128, count: i32): void {
    storePart(p, value, count);
  }
}

/** Four words `stride` bytes apart. */
@inline
export function loadStrided(p: usize, stride: usize): v128 {
  let value = v128.load32_zero(p);
  value = v128.load32_lane(p + stride, value, 1);
  value = v128.load32_lane(p + 2 * stride, value, 2);
  return v128.load32_lane(p + 3 * stride, value, 3);
}

// Four words `stride` words apart, for loops that are compiled for the strides 1 and 2 and for all others.

@unmanaged
export class Adjacent {
  @inline
  load(p: usize, stride: i32): v128 {
    return v128.load(p);
  }
}

/** The second load starts one word early, so as not to read past the last. */
@unmanaged
export class EverySecond {
  @inline
  load(p: usize, stride: i32): v128 {
    return v128.shuffle<i32>(v128.load(p), v128.load(p, 12), 0, 2, 5, 7);
  }
}

@unmanaged
export class Spread {
  @inline
  load(p: usize, stride: i32): v128 {
    return loadStrided(p, (<usize>stride) << 2);
  }
}

/** `count` (1 to 3) words `stride` bytes apart, then zeros. */
export function loadStridedPart(p: usize, stride: usize, count: i32): v128 {
  let value = v128.load32_zero(p);
  if (count > 1) value = v128.load32_lane(p + stride, value, 1);
  if (count > 2) value = v128.load32_lane(p + 2 * stride, value, 2);
  return value;
}

/** Lanes 2 and 3 in the place of 0 and 1. */
@inline
export function upper(value: v128): v128 {
  return v128.shuffle<i32>(value, value, 2, 3, 2, 3);
}

/** The two float32 lanes 0 and 1 as float64. */
@inline
export function promoteLow(value: v128): v128 {
  return f64x2.promote_low_f32x4(value);
}

@inline
export function promoteHigh(value: v128): v128 {
  return f64x2.promote_low_f32x4(upper(value));
}

/** Four float32 from two times two float64. */
@inline
export function demote(low: v128, high: v128): v128 {
  return v128.shuffle<i32>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 1, 4, 5);
}

/** Copies `n` words. The engines' memory.copy is a call that only pays for long runs. */
export function copyWords(to: usize, from: usize, n: i32): void {
  if (n >= 256) {
    memory.copy(to, from, (<usize>n) << 2);
    return;
  }
  let i = 0;
  for (; i + 4 <= n; i += 4) v128.store(to + ((<usize>i) << 2), v128.load(from + ((<usize>i) << 2)));
  for (; i < n; i++) store<u32>(to + ((<usize>i) << 2), load<u32>(from + ((<usize>i) << 2)));
}

/** Sets `n` words. */
export function fillWords(to: usize, word: u32, n: i32): void {
  const words = i32x4.splat(word);
  let i = 0;
  for (; i + 4 <= n; i += 4) v128.store(to + ((<usize>i) << 2), words);
  for (; i < n; i++) store<u32>(to + ((<usize>i) << 2), word);
}

// Terms of `sumRun`. `four` and `one` give the terms of the elements at p and q; c is a constant of the sum.

/** x */
@unmanaged
export class Value {
  @inline
  four(p: usize, q: usize, c: f32): v128 {
    return v128.load(p);
  }
  @inline
  one(p: usize, q: usize, c: f32): f32 {
    return load<f32>(p);
  }
}

/** (x - c)^2 */
@unmanaged
export class SquaredDeviation {
  @inline
  four(p: usize, q: usize, c: f32): v128 {
    const deviation = f32x4.sub(v128.load(p), f32x4.splat(c));
    return f32x4.mul(deviation, deviation);
  }
  @inline
  one(p: usize, q: usize, c: f32): f32 {
    const deviation = load<f32>(p) - c;
    return deviation * deviation;
  }
}

/** x g */
@unmanaged
export class Product {
  @inline
  four(p: usize, q: usize, c: f32): v128 {
    return f32x4.mul(v128.load(p), v128.load(q));
  }
  @inline
  one(p: usize, q: usize, c: f32): f32 {
    return load<f32>(p) * load<f32>(q);
  }
}

/** (x - c) g */
@unmanaged
export class DeviationProduct {
  @inline
  four(p: usize, q: usize, c: f32): v128 {
    return f32x4.mul(f32x4.sub(v128.load(p), f32x4.splat(c)), v128.load(q));
  }
  @inline
  one(p: usize, q: usize, c: f32): f32 {
    return (load<f32>(p) - c) * load<f32>(q);
  }
}

/**
 * Sum of `n` terms in a fixed order. Blocks of up to 256 are added in float32 by sixteen lanes, so each lane rounds sixteen
 * times only; everything else is float64.
 */
export function sumRun<Term>(p: usize, q: usize, n: i32, c: f32): f64 {
  const term = changetype<Term>(0);
  let total = f64x2.splat(0);
  let i = 0;
  while (i + 16 <= n) {
    let groups = min(16, (n - i) >> 4);
    i += groups << 4;
    let sum0 = term.four(p, q, c);
    let sum1 = term.four(p + 16, q + 16, c);
    let sum2 = term.four(p + 32, q + 32, c);
    let sum3 = term.four(p + 48, q + 48, c);
    p += 64;
    q += 64;
    while (--groups > 0) {
      sum0 = f32x4.add(sum0, term.four(p, q, c));
      sum1 = f32x4.add(sum1, term.four(p + 16, q + 16, c));
      sum2 = f32x4.add(sum2, term.four(p + 32, q + 32, c));
      sum3 = f32x4.add(sum3, term.four(p + 48, q + 48, c));
      p += 64;
      q += 64;
    }
    const sum = f32x4.add(f32x4.add(sum0, sum1), f32x4.add(sum2, sum3));
    total = f64x2.add(total, f64x2.add(promoteLow(sum), promoteHigh(sum)));
  }
  for (; i + 4 <= n; i += 4) {
    const sum = term.four(p, q, c);
    total = f64x2.add(total, f64x2.add(promoteLow(sum), promoteHigh(sum)));
    p += 16;
    q += 16;
  }
  let result = f64x2.extract_lane(total, 0) + f64x2.extract_lane(total, 1);
  for (; i < n; i++) {
    result += <f64>term.one(p, q, c);
    p += 4;
    q += 4;
  }
  return result;
}

/** Larger of two, NaN if either is. */
@unmanaged
export class Larger {
  @inline
  start(): f32 {
    return -Infinity;
  }
  @inline
  four(a: v128, b: v128): v128 {
    return f32x4.max(a, b);
  }
  @inline
  one(a: f32, b: f32): f32 {
    return max<f32>(a, b);
  }
}

/** Smaller of two, NaN if either is. */
@unmanaged
export class Smaller {
  @inline
  start(): f32 {
    return Infinity;
  }
  @inline
  four(a: v128, b: v128): v128 {
    return f32x4.min(a, b);
  }
  @inline
  one(a: f32, b: f32): f32 {
    return min<f32>(a, b);
  }
}

/** Largest or smallest of `n` elements; an infinity if there are none. */
export function extremeRun<Choice>(p: usize, n: i32): f32 {
  const choice = changetype<Choice>(0);
  let best0 = f32x4.splat(choice.start());
  let best1 = best0;
  let best2 = best0;
  let best3 = best0;
  let i = 0;
  for (; i + 16 <= n; i += 16) {
    best0 = choice.four(best0, v128.load(p));
    best1 = choice.four(best1, v128.load(p, 16));
    best2 = choice.four(best2, v128.load(p, 32));
    best3 = choice.four(best3, v128.load(p, 48));
    p += 64;
  }
  best0 = choice.four(choice.four(best0, best1), choice.four(best2, best3));
  best0 = choice.four(best0, upper(best0));
  let best = choice.one(f32x4.extract_lane(best0, 0), f32x4.extract_lane(best0, 1));
  for (; i < n; i++) {
    best = choice.one(best, load<f32>(p));
    p += 4;
  }
  return best;
}
