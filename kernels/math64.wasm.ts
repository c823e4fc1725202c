// Sine, cosine and power of four float32, computed in float64 two lanes at a time and rounded once.
// Arguments of sine and cosine of 2^27 and above are rare and are reduced one by one.
import { demote, promoteHigh, promoteLow } from './simd.wasm';

@inline
function splat(x: f64): v128 {
  return f64x2.splat(x);
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
function step(a: v128, x: v128, b: f64): v128 {
  return add(mul(a, x), splat(b));
}

/** Whole n, |n| < 2^51, in the low bits: the float64 n + 1.5 2^52 has them there. */
@inline
function wholeBits(n: v128): v128 {
  return add(n, splat(6755399441055744));
}

// pi / 2 in three parts of 25, 25 and 53 bits: products of the first two with n < 2^28 are exact.
const halfPi1: f64 = 1.5707963109016418;
const halfPi2: f64 = 1.5893254712295857e-8;
const halfPi3: f64 = 6.123233995736766e-17;

/** sin(x + shift pi / 2) of two float64 below 2^27. */
@inline
function sin2(x: v128, shift: i64): v128 {
  const n = f64x2.nearest(mul(x, splat(0.6366197723675814)));
  const r = sub(sub(sub(x, mul(n, splat(halfPi1))), mul(n, splat(halfPi2))), mul(n, splat(halfPi3)));
  const quadrant = i64x2.add(wholeBits(n), i64x2.splat(shift));
  const z = mul(r, r);
  // Taylor series on |r| <= pi / 4, cut where the terms fall below 1e-10.
  let s = step(splat(-1.0 / 39916800.0), z, 1.0 / 362880.0);
  s = step(s, z, -1.0 / 5040.0);
  s = step(s, z, 1.0 / 120.0);
  s = step(s, z, -1.0 / 6.0);
  s = add(r, mul(mul(r, z), s));
  let c = step(splat(1.0 / 479001600.0), z, -1.0 / 3628800.0);
  c = step(c, z, 1.0 / 40320.0);
  c = step(c, z, -1.0 / 720.0);
  c = step(c, z, 1.0 / 24.0);
  c = step(c, z, -0.5);
  c = step(c, z, 1);
  const isOdd = i64x2.neg(v128.and(quadrant, i64x2.splat(1)));
  const sign = i64x2.shl(v128.and(quadrant, i64x2.splat(2)), 62);
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

/** log2 of two positive finite float64 that were float32, so none is subnormal; see log4 for the series. */
@inline
function log2(x: v128): v128 {
  const rootHalf = i64x2.splat(0x3fe6a09e667f3bcd);
  const k = i64x2.shr_s(i64x2.sub(x, rootHalf), 52);
  const m = i64x2.sub(x, i64x2.shl(k, 52));
  // k as float64, by the inverse of wholeBits.
  const magic = i64x2.splat(0x4338000000000000);
  const exponent = sub(i64x2.add(k, magic), splat(6755399441055744));
  const s = f64x2.div(sub(m, splat(1)), add(m, splat(1)));
  const z = mul(s, s);
  let p = step(splat(1.0 / 13.0), z, 1.0 / 11.0);
  p = step(p, z, 1.0 / 9.0);
  p = step(p, z, 1.0 / 7.0);
  p = step(p, z, 1.0 / 5.0);
  p = step(p, z, 1.0 / 3.0);
  p = step(p, z, 1);
  return add(exponent, mul(mul(s, splat(2.8853900817779268)), p));
}

/** 2^t of two float64; beyond 2^200 float32 has only infinity and 0. */
@inline
function exp2(t: v128): v128 {
  t = f64x2.max(f64x2.min(t, splat(200)), splat(-200));
  const n = f64x2.nearest(t);
  const r = mul(sub(t, n), splat(0.6931471805599453));
  let p = step(splat(1.0 / 362880.0), r, 1.0 / 40320.0);
  p = step(p, r, 1.0 / 5040.0);
  p = step(p, r, 1.0 / 720.0);
  p = step(p, r, 1.0 / 120.0);
  p = step(p, r, 1.0 / 24.0);
  p = step(p, r, 1.0 / 6.0);
  p = step(p, r, 0.5);
  p = step(p, r, 1);
  p = step(p, r, 1);
  return i64x2.add(p, i64x2.shl(wholeBits(n), 52));
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
