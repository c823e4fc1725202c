// Sine, cosine and power of four float32, computed in float64 two lanes at a time and rounded once.
// Arguments of sine and cosine of 2^27 and above are rare and are reduced one by one.
import { demote, promoteHigh, promoteLow } from './simd.as';

// Constants stand in memory: engines build a vector constant from words wherever it is used, but load one at no cost.
// 1.5 2^52: adding it rounds to a whole number n, |n| < 2^51, which the low bits then hold.
const numbers = memory.data<f64>([6755399441055744, 1]);
const angles = memory.data<f64>([
  0.6366197723675814, // 2 / pi
  // pi / 2 in three parts of 25, 25 and 53 bits: products of the first two with n < 2^28 are exact.
  1.5707963109016418,
  1.5893254712295857e-8,
  6.123233995736766e-17,
]);
// Taylor series on |r| <= pi / 4, cut where the terms fall below 1e-10; highest power first.
const sine = memory.data<f64>([-1.0 / 39916800.0, 1.0 / 362880.0, -1.0 / 5040.0, 1.0 / 120.0, -1.0 / 6.0]);
const cosine = memory.data<f64>([
  1.0 / 479001600.0,
  -1.0 / 3628800.0,
  1.0 / 40320.0,
  -1.0 / 720.0,
  1.0 / 24.0,
  -0.5,
  1,
]);
const artanh = memory.data<f64>([1.0 / 13.0, 1.0 / 11.0, 1.0 / 9.0, 1.0 / 7.0, 1.0 / 5.0, 1.0 / 3.0, 1]);
const logarithm = memory.data<f64>([
  0.7071067811865476,
  4503599627371519, // 2^52 + 1023
  4503599627370496, // 2^52
  2.8853900817779268, // 2 / ln 2
]);
const exponential = memory.data<f64>([
  1.0 / 362880.0,
  1.0 / 40320.0,
  1.0 / 5040.0,
  1.0 / 720.0,
  1.0 / 120.0,
  1.0 / 24.0,
  1.0 / 6.0,
  0.5,
  1,
  1,
]);
const exponents = memory.data<f64>([200, -200, 0.6931471805599453]);

/** Constant `k` of a table in both lanes. */
@inline
function at(table: usize, k: usize): v128 {
  return v128.load64_splat(table + (k << 3));
}

@inline
function add(a: v128, b: v128): v128 {
  return f64x2.add(a, b);
}

@inline
function sub(a: v128, b: v128): v128 {
  return f64x2.sub(a, b);
}

@inline
function mul(a: v128, b: v128): v128 {
  return f64x2.mul(a, b);
}

/** a x + b */
@inline
function step(a: v128, x: v128, b: v128): v128 {
  return add(mul(a, x), b);
}

/** sin(x + shift pi / 2) of two float64 below 2^27. */
@inline
function sin2(x: v128, shift: i64): v128 {
  const whole = step(x, at(angles, 0), at(numbers, 0));
  const n = sub(whole, at(numbers, 0));
  const r = sub(sub(sub(x, mul(n, at(angles, 1))), mul(n, at(angles, 2))), mul(n, at(angles, 3)));
  const quadrant = i64x2.add(whole, i64x2.splat(shift));
  const z = mul(r, r);
  let s = step(at(sine, 0), z, at(sine, 1));
  s = step(s, z, at(sine, 2));
  s = step(s, z, at(sine, 3));
  s = step(s, z, at(sine, 4));
  s = add(r, mul(mul(r, z), s));
  let c = step(at(cosine, 0), z, at(cosine, 1));
  c = step(c, z, at(cosine, 2));
  c = step(c, z, at(cosine, 3));
  c = step(c, z, at(cosine, 4));
  c = step(c, z, at(cosine, 5));
  c = step(c, z, at(cosine, 6));
  // Bit 0 of the quadrant, moved to the top, chooses the series; bit 1 becomes the sign.
  const isOdd = i64x2.sub(i64x2.splat(0), i64x2.shr_u(i64x2.shl(quadrant, 63), 63));
  const sign = i64x2.shl(i64x2.shr_u(quadrant, 1), 63);
  return v128.xor(v128.bitselect(c, s, isOdd), sign);
}

/** Bits [from, from + 64) of the fraction 1 / (2 pi). */
function bitsOfTurn(from: i32): u64 {
  const word = from >> 6;
  const shift: u64 = from & 63;
  const high: u64 = word == 0 ? 0x28be60db9391054a : word == 1 ? 0x7f09d5f47d4d3770 : 0x36d8a5664f10e410;
  const low: u64 = word == 0 ? 0x7f09d5f47d4d3770 : word == 1 ? 0x36d8a5664f10e410 : 0x7f9458eaf7aef158;
  return shift == 0 ? high : (high << shift) | (low >> (64 - shift));
}

/** x modulo 2 pi in [-pi, pi] for 2^24 <= |x| < infinity: the fraction of m 2^e / (2 pi), x = m 2^e, in whole numbers. */
function reduceAngle(x: f32): f64 {
  const bits = reinterpret<u32>(x);
  const e = ((bits >> 23) & 0xff) - 150;
  const m = <u64>((bits & 0x7fffff) | 0x800000);
  const turn = m * bitsOfTurn(e) + ((m * (bitsOfTurn(e + 64) >> 32)) >> 32);
  const angle = <f64>(<i64>turn) * 3.4061215800865545e-19;
  return x < 0 ? -angle : angle;
}

/** One of two lanes reduced where it must be. Infinity stays and becomes NaN later. */
@inline
function reduceLane(x: f32, plain: f64): f64 {
  const size = abs<f32>(x);
  return size >= 134217728 && size < Infinity ? reduceAngle(x) : plain;
}

/** sin(x + shift pi / 2): the sine with shift 0, the cosine with 1. */
@inline
export function sinShifted4(x: v128, shift: i64): v128 {
  let low = promoteLow(x);
  let high = promoteHigh(x);
  if (v128.any_true(f32x4.ge(f32x4.abs(x), f32x4.splat(134217728)))) {
    low = f64x2.replace_lane(low, 0, reduceLane(f32x4.extract_lane(x, 0), f64x2.extract_lane(low, 0)));
    low = f64x2.replace_lane(low, 1, reduceLane(f32x4.extract_lane(x, 1), f64x2.extract_lane(low, 1)));
    high = f64x2.replace_lane(high, 0, reduceLane(f32x4.extract_lane(x, 2), f64x2.extract_lane(high, 0)));
    high = f64x2.replace_lane(high, 1, reduceLane(f32x4.extract_lane(x, 3), f64x2.extract_lane(high, 1)));
  }
  return demote(sin2(low, shift), sin2(high, shift));
}

/**
 * log2 of two positive finite float64 that were float32, so none is subnormal: x = 2^k m with m in [sqrt(1/2), sqrt(2)],
 * ln m = 2 artanh(s), s = (m - 1) / (m + 1).
 */
@inline
function log2(x: v128): v128 {
  const unit = at(numbers, 1);
  // The exponent of x / sqrt(1/2), with the bias of float64.
  const biased = i64x2.shr_u(i64x2.add(i64x2.sub(x, at(logarithm, 0)), unit), 52);
  const m = i64x2.add(i64x2.sub(x, i64x2.shl(biased, 52)), unit);
  const exponent = sub(v128.or(biased, at(logarithm, 2)), at(logarithm, 1));
  const s = f64x2.div(sub(m, unit), add(m, unit));
  const z = mul(s, s);
  let p = step(at(artanh, 0), z, at(artanh, 1));
  p = step(p, z, at(artanh, 2));
  p = step(p, z, at(artanh, 3));
  p = step(p, z, at(artanh, 4));
  p = step(p, z, at(artanh, 5));
  p = step(p, z, at(artanh, 6));
  return add(exponent, mul(mul(s, at(logarithm, 3)), p));
}

/** 2^t of two float64; beyond 2^200 float32 has only infinity and 0. NaN stays, as the first operand of pmin and pmax. */
@inline
function exp2(t: v128): v128 {
  t = f64x2.pmax(f64x2.pmin(t, at(exponents, 0)), at(exponents, 1));
  const whole = add(t, at(numbers, 0));
  const r = mul(sub(t, sub(whole, at(numbers, 0))), at(exponents, 2));
  let p = step(at(exponential, 0), r, at(exponential, 1));
  p = step(p, r, at(exponential, 2));
  p = step(p, r, at(exponential, 3));
  p = step(p, r, at(exponential, 4));
  p = step(p, r, at(exponential, 5));
  p = step(p, r, at(exponential, 6));
  p = step(p, r, at(exponential, 7));
  p = step(p, r, at(exponential, 8));
  p = step(p, r, at(exponential, 9));
  return i64x2.add(p, i64x2.shl(whole, 52));
}

/** x^y as in C: for x < 0 whole powers only, which keep or drop the sign; 1^y = x^0 = 1 whatever the other is. */
@inline
export function pow4(x: v128, y: v128): v128 {
  const zero = f32x4.splat(0);
  const one = f32x4.splat(1);
  const infinity = f32x4.splat(Infinity);
  const size = f32x4.abs(x);
  const low = exp2(mul(promoteLow(y), log2(promoteLow(size))));
  const high = exp2(mul(promoteHigh(y), log2(promoteHigh(size))));
  let value = demote(low, high);
  // The bases 0 and infinity give 0 for powers of one sign and infinity for those of the other.
  const isZero = f32x4.eq(size, zero);
  const isEndless = v128.or(isZero, f32x4.eq(size, infinity));
  const isLarge = v128.xor(isZero, f32x4.gt(y, zero));
  const isNumber = f32x4.eq(y, y);
  value = v128.bitselect(v128.and(infinity, isLarge), value, v128.and(isEndless, isNumber));
  value = v128.bitselect(x, value, f32x4.ne(x, x));
  const isUnit = v128.and(f32x4.eq(size, one), f32x4.eq(f32x4.abs(y), infinity));
  value = v128.bitselect(one, value, isUnit);
  // Signs, by whether y is whole and odd.
  const isWhole = f32x4.eq(f32x4.floor(y), y);
  const half = f32x4.mul(y, f32x4.splat(0.5));
  const isOdd = v128.and(isWhole, f32x4.ne(f32x4.floor(half), half));
  value = v128.or(value, v128.and(v128.and(x, f32x4.splat(-0.0)), isOdd));
  const isUndefined = v128.andnot(v128.and(f32x4.lt(x, zero), f32x4.lt(size, infinity)), isWhole);
  value = v128.bitselect(f32x4.splat(NaN), value, isUndefined);
  return v128.bitselect(one, value, v128.or(f32x4.eq(x, one), f32x4.eq(y, zero)));
}
