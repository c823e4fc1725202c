// Functions of four float32, within about two units in the last place, for the elementwise kernels and softmax.
// NaN passes through everywhere. Sines, cosines and powers need float64: math64.as.ts has them.

// Constants stand in memory: engines build a vector constant from words wherever it is used, but load one at no cost.
const numbers = memory.data<f32>([1, 2, 0.5, 0.7071067811865476, Infinity, NaN, -0.0]);
const exponential = memory.data<f32>([
  1.4426950408889634, // 1 / ln 2
  12582912, // 1.5 2^23: adding it rounds to a whole number, which the low bits then hold
  // ln 2 in two parts: the first has nine bits, so that its product with a whole number below 2^15 is exact.
  0.693359375,
  -0.00021219444005469057,
  // (e^r - 1 - r) / r^2 for |r| <= ln 2 / 2, fitted to an error of 2e-8 of e^r - 1; highest power first.
  0.00139265504,
  0.00836347272,
  0.0416665524,
  0.166665752,
  0.5,
  // Beyond these e^x is infinity or 0 ...
  89,
  -104,
  // ... and beyond these it changes e^x - 1 of tanh and elu no more.
  40,
  -30,
]);
const far = memory.data<f32>([-60]); // below it sigmoid(x) = e^x
const logarithm = memory.data<f32>([1.17549435e-38, 8388608, 23, 2.0 / 9.0, 2.0 / 7.0, 2.0 / 5.0, 2.0 / 3.0]);
// erf(x) / x - 1 as a polynomial in x^2, for |x| <= 1.
const errorNear = memory.data<f32>([
  7.87587506e-5, -0.000801686429, 0.00518908742, -0.026854212, 0.112835947, -0.376126267, 0.12837917,
]);
// (1 - erf(t)) e^(t^2) / u as a polynomial in u = 1 / (1 + 0.4 t), for t >= 1; 0.4 stands first.
const errorFar = memory.data<f32>([
  0.4, 0.0626464172, -0.230063806, 0.244003263, -0.070024226, 0.173992973, 0.158701466, 0.209569949, 0.22550874,
  0.225681993,
]);
// The series of e^d for |d| below 0.08, and where e^(-t^2) and e^(-t^2 / 2) end.
const exponentialTail = memory.data<f32>([1.0 / 24.0, 1.0 / 6.0, 16]);
const geluFactors = memory.data<f32>([0.044715, 1.5957691216057308, 0.3989422804014327]); // then 2 sqrt(2 / pi), 1 / sqrt(2 pi)

/** Of log(1 + u) = 2 s (1 + z / 3 + z^2 / 5 + ...), s = u / (2 + u), z = s^2, for u from 0 to 1: error 2e-8. From the last on. */
const softplusSeries = memory.data<f32>([
  0.07692307692307693, 0.09090909090909091, 0.1111111111111111, 0.14285714285714285, 0.2, 0.3333333333333333,
]);

/** Constant `k` of a table in all lanes. */
@inline
function at(table: usize, k: usize): v128 {
  return v128.load32_splat(table + (k << 2));
}

@inline
function one(): v128 {
  return at(numbers, 0);
}

@inline
function signBit(): v128 {
  return at(numbers, 6);
}

@inline
function add(a: v128, b: v128): v128 {
  return f32x4.add(a, b);
}

@inline
function sub(a: v128, b: v128): v128 {
  return f32x4.sub(a, b);
}

@inline
function mul(a: v128, b: v128): v128 {
  return f32x4.mul(a, b);
}

/** a x + b */
@inline
function step(a: v128, x: v128, b: v128): v128 {
  return add(mul(a, x), b);
}

/** 2^k for whole k in [-126, 127]. */
@inline
function powerOfTwo(k: v128): v128 {
  return i32x4.add(i32x4.shl(k, 23), one());
}

/** x between two limits. pmin and pmax are one instruction each, and NaN as their first operand stays. */
@inline
function limit(x: v128, high: v128, low: v128): v128 {
  return f32x4.pmax(f32x4.pmin(x, high), low);
}

/** x / ln 2 rounded to a whole number, in the low bits of the float32 it is added to. */
@inline
function wholePowers(x: v128): v128 {
  return step(x, at(exponential, 0), at(exponential, 1));
}

/** e^r - 1 with r = x - n ln 2. */
@inline
function expm1Reduced(x: v128, n: v128): v128 {
  const r = sub(sub(x, mul(n, at(exponential, 2))), mul(n, at(exponential, 3)));
  let p = step(at(exponential, 4), r, at(exponential, 5));
  p = step(p, r, at(exponential, 6));
  p = step(p, r, at(exponential, 7));
  p = step(p, r, at(exponential, 8));
  return add(r, mul(mul(r, r), p));
}

/** e^x = 2^n e^r. The factor 2^n is applied in two halves, so that overflow and subnormal results come out right. */
@inline
export function exp4(x: v128): v128 {
  x = limit(x, at(exponential, 9), at(exponential, 10));
  const whole = wholePowers(x);
  const k = i32x4.sub(whole, at(exponential, 1));
  const half = i32x4.shr_s(k, 1);
  const e = add(expm1Reduced(x, sub(whole, at(exponential, 1))), one());
  return mul(mul(e, powerOfTwo(half)), powerOfTwo(i32x4.sub(k, half)));
}

/** e^x - 1 with all its digits for small x. For x up to 40, from where on it stays the same. */
@inline
export function expm1(x: v128): v128 {
  x = limit(x, at(exponential, 11), at(exponential, 12));
  const whole = wholePowers(x);
  const scale = powerOfTwo(i32x4.sub(whole, at(exponential, 1)));
  return add(mul(scale, expm1Reduced(x, sub(whole, at(exponential, 1)))), sub(scale, one()));
}

/** log(x) for normal positive numbers: see `log4`. `exponent` is added to that of x. */
@inline
function logNormal(x: v128, exponent: v128): v128 {
  const k = i32x4.shr_s(i32x4.sub(x, at(numbers, 3)), 23);
  const n = add(f32x4.convert_i32x4_s(k), exponent);
  const f = sub(i32x4.sub(x, i32x4.shl(k, 23)), one());
  const s = f32x4.div(f, add(f, at(numbers, 1)));
  const z = mul(s, s);
  let r = step(at(logarithm, 3), z, at(logarithm, 4));
  r = step(r, z, at(logarithm, 5));
  r = mul(step(r, z, at(logarithm, 6)), z);
  const half = mul(mul(f, f), at(numbers, 2));
  const small = add(mul(s, add(half, r)), mul(n, at(exponential, 3)));
  return sub(mul(n, at(exponential, 2)), sub(sub(half, small), f));
}

/**
 * Natural logarithm: x = 2^k (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)], and with s = f / (2 + f)
 * log(1 + f) = 2 artanh(s) = f - f^2 / 2 + s (f^2 / 2 + R), R = 2 (s^2 / 3 + s^4 / 5 + ...).
 */
@inline
export function log4(x: v128): v128 {
  const isSubnormal = f32x4.lt(x, at(logarithm, 0));
  const scaled = v128.bitselect(mul(x, at(logarithm, 1)), x, isSubnormal);
  const value = logNormal(scaled, f32x4.neg(v128.and(isSubnormal, at(logarithm, 2))));
  // Infinity and 0 have their own logarithms; what is left, negative or NaN, has none.
  const infinity = at(numbers, 4);
  const zero = f32x4.splat(0);
  let other = v128.bitselect(infinity, at(numbers, 5), f32x4.eq(x, infinity));
  other = v128.bitselect(v128.xor(infinity, signBit()), other, f32x4.eq(x, zero));
  const isPlain = v128.and(f32x4.gt(x, zero), f32x4.lt(x, infinity));
  return v128.bitselect(value, other, isPlain);
}

/**
 * log(1 + x) = log w + (x - (w - 1)) / w with w = 1 + x rounded: what w has lost of x comes back. For x below -1 there is none.
 */
@inline
export function log1p4(x: v128): v128 {
  const w = add(one(), x);
  const lost = f32x4.div(sub(x, sub(w, one())), w);
  const isPlain = v128.and(f32x4.gt(w, f32x4.splat(0)), f32x4.lt(w, at(numbers, 4)));
  return add(log4(w), v128.and(lost, isPlain));
}

/** log(a / b) by two logarithms: where the quotient is no normal number, or there is none. */
@inline
function logDifference(a: v128, b: v128): v128 {
  return sub(log4(a), log4(b));
}

/** log(a / b), for neighbours as log(1 + (a - b) / b): their difference is exact. */
@inline
export function logRatio4(a: v128, b: v128): v128 {
  const zero = f32x4.splat(0);
  const quotient = f32x4.div(a, b);
  const difference = f32x4.div(sub(a, b), b);
  const isNear = f32x4.le(f32x4.abs(difference), f32x4.splat(0.25));
  const w = v128.bitselect(add(one(), difference), quotient, isNear);
  const lost = f32x4.div(sub(difference, sub(w, one())), w);
  const value = add(log4(w), v128.and(lost, isNear));
  let isPlain = v128.and(f32x4.ge(quotient, at(logarithm, 0)), f32x4.lt(quotient, at(numbers, 4)));
  isPlain = v128.and(isPlain, v128.and(f32x4.gt(a, zero), f32x4.gt(b, zero)));
  if (v128.any_true(v128.not(isPlain))) return v128.bitselect(value, logDifference(a, b), isPlain);
  return value;
}

/** a / (1 + e^-x). For x far below 0, where e^-x may be infinite, it is a e^x, by e^(x / 2) twice. */
@inline
function timesSigmoid(a: v128, x: v128): v128 {
  const value = f32x4.div(a, add(one(), exp4(f32x4.neg(x))));
  const isFar = f32x4.lt(x, at(far, 0));
  if (!v128.any_true(isFar)) return value;
  const half = exp4(mul(x, at(numbers, 2)));
  return v128.bitselect(mul(mul(a, half), half), value, isFar);
}

/** 1 / (1 + e^-x) */
@inline
export function sigmoid4(x: v128): v128 {
  return timesSigmoid(one(), x);
}

/** The derivative of sigmoid, sigmoid(x) sigmoid(-x), without the difference 1 - sigmoid(x). */
@inline
export function sigmoidSlope4(x: v128): v128 {
  const e = exp4(f32x4.neg(f32x4.abs(x)));
  const d = add(one(), e);
  return f32x4.div(e, mul(d, d));
}

/** x / (1 + e^-x) */
@inline
export function silu4(x: v128): v128 {
  return timesSigmoid(x, x);
}

/** The larger of sigmoid(x) and sigmoid(-x), given e = e^-|x|; the other is e times it, so that neither is a difference. */
@inline
function largeSigmoid(e: v128): v128 {
  return f32x4.div(one(), add(one(), e));
}

/** sigmoid(x) (1 + x sigmoid(-x)) */
@inline
export function siluSlope4(x: v128): v128 {
  const e = exp4(f32x4.neg(f32x4.abs(x)));
  const large = largeSigmoid(e);
  const small = mul(e, large);
  const isBelow = f32x4.lt(x, f32x4.splat(0));
  const own = v128.bitselect(small, large, isBelow);
  return mul(own, add(one(), mul(x, v128.bitselect(large, small, isBelow))));
}

/** a sigmoid(x) - b sigmoid(-x) */
@inline
export function bceSlope4(a: v128, b: v128, x: v128): v128 {
  const e = exp4(f32x4.neg(f32x4.abs(x)));
  const large = largeSigmoid(e);
  const small = mul(e, large);
  const isBelow = f32x4.lt(x, f32x4.splat(0));
  return sub(mul(a, v128.bitselect(small, large, isBelow)), mul(b, v128.bitselect(large, small, isBelow)));
}

/** tanh |x| = t / (t + 2), t = e^(2 |x|) - 1, which keeps the digits of small x. */
@inline
export function tanh4(x: v128): v128 {
  const size = f32x4.abs(x);
  const t = expm1(add(size, size));
  return v128.or(f32x4.div(t, add(t, at(numbers, 1))), v128.and(x, signBit()));
}

/** log(1 + e^-|z|) by a series in which no digit of a small power is lost. */
@inline
function softplusTail(z: v128): v128 {
  const u = exp4(f32x4.neg(f32x4.abs(z)));
  const s = f32x4.div(u, add(u, at(numbers, 1)));
  const square = mul(s, s);
  let r = step(at(softplusSeries, 0), square, at(softplusSeries, 1));
  r = step(r, square, at(softplusSeries, 2));
  r = step(r, square, at(softplusSeries, 3));
  r = step(r, square, at(softplusSeries, 4));
  r = step(r, square, at(softplusSeries, 5));
  const twice = add(s, s);
  return add(twice, mul(twice, mul(square, r)));
}

/** log(1 + e^z) = max(z, 0) + log(1 + e^-|z|) */
@inline
export function softplus4(z: v128): v128 {
  return add(f32x4.max(z, f32x4.splat(0)), softplusTail(z));
}

/** a log(1 + e^x) + b log(1 + e^-x), whose logarithms share all but max(x, 0) and max(-x, 0). */
@inline
export function bce4(a: v128, b: v128, x: v128): v128 {
  const tail = softplusTail(x);
  const zero = f32x4.splat(0);
  const above = add(f32x4.max(x, zero), tail);
  return add(mul(a, above), mul(b, add(f32x4.max(f32x4.neg(x), zero), tail)));
}

@inline
function erfSlope(z: v128): v128 {
  let p = step(at(errorNear, 0), z, at(errorNear, 1));
  p = step(p, z, at(errorNear, 2));
  p = step(p, z, at(errorNear, 3));
  p = step(p, z, at(errorNear, 4));
  p = step(p, z, at(errorNear, 5));
  return step(p, z, at(errorNear, 6));
}

/**
 * e^(-a t^2), a a power of two: t^2 is rounded, but h^2 for the upper half h of t is not, and e^(a h^2 - a t^2) is near 1. From
 * t = 16 on it is 0.
 */
@inline
function expMinusSquare(t: v128, a: v128): v128 {
  t = f32x4.pmin(t, at(exponentialTail, 2));
  const h = v128.and(t, i32x4.splat(0xfffff000));
  const d = mul(a, mul(sub(h, t), add(h, t)));
  let p = step(at(exponentialTail, 0), d, at(exponentialTail, 1));
  p = step(p, d, at(numbers, 2));
  p = step(p, d, one());
  p = step(p, d, one());
  return mul(exp4(f32x4.neg(mul(a, mul(h, h)))), p);
}

/** 1 - erf(t) for t >= 1, given e^(-t^2). */
@inline
function erfcTail(t: v128, e: v128): v128 {
  const u = f32x4.div(one(), step(at(errorFar, 0), t, one()));
  let p = step(at(errorFar, 1), u, at(errorFar, 2));
  p = step(p, u, at(errorFar, 3));
  p = step(p, u, at(errorFar, 4));
  p = step(p, u, at(errorFar, 5));
  p = step(p, u, at(errorFar, 6));
  p = step(p, u, at(errorFar, 7));
  p = step(p, u, at(errorFar, 8));
  p = step(p, u, at(errorFar, 9));
  return mul(mul(p, u), e);
}

/** 2 / sqrt(pi) integral from 0 to x of e^(-t^2) dt */
@inline
export function erf4(x: v128): v128 {
  const t = f32x4.abs(x);
  const near = add(x, mul(x, erfSlope(mul(x, x))));
  const far = v128.or(sub(one(), erfcTail(t, expMinusSquare(t, one()))), v128.and(x, signBit()));
  return v128.bitselect(far, near, f32x4.gt(t, one()));
}

/** 1 - erf(x) */
@inline
export function erfc4(x: v128): v128 {
  const t = f32x4.abs(x);
  const near = sub(one(), add(x, mul(x, erfSlope(mul(x, x)))));
  const tail = erfcTail(t, expMinusSquare(t, one()));
  const distant = v128.bitselect(sub(at(numbers, 1), tail), tail, f32x4.lt(x, f32x4.splat(0)));
  return v128.bitselect(distant, near, f32x4.gt(t, one()));
}

/** x Phi(x) = x (1 - c / 2) for x > 0 and x c / 2 below, c = erfc(|x| / sqrt(2)): no digit of c is lost to 1 - erf. */
@inline
export function gelu4(x: v128): v128 {
  const size = f32x4.abs(x);
  const t = mul(size, at(numbers, 3));
  const tail = erfcTail(t, expMinusSquare(size, at(numbers, 2)));
  const near = sub(one(), add(t, mul(t, erfSlope(mul(t, t)))));
  const half = mul(at(numbers, 2), v128.bitselect(tail, near, f32x4.gt(t, one())));
  return mul(x, v128.bitselect(sub(one(), half), half, f32x4.gt(x, f32x4.splat(0))));
}

/** The slope of gelu, Phi(x) + x phi(x), which share e^(-x^2 / 2). NaN at the infinities, as in PyTorch. */
@inline
export function geluSlope4(x: v128): v128 {
  const size = f32x4.abs(x);
  const t = mul(size, at(numbers, 3));
  const e = expMinusSquare(size, at(numbers, 2));
  const near = sub(one(), add(t, mul(t, erfSlope(mul(t, t)))));
  const half = mul(at(numbers, 2), v128.bitselect(erfcTail(t, e), near, f32x4.gt(t, one())));
  const below = v128.bitselect(sub(one(), half), half, f32x4.gt(x, f32x4.splat(0)));
  return add(below, mul(mul(x, at(geluFactors, 2)), e));
}

/** 0.5 x (1 + tanh u) = x / (1 + e^(-2 u)), u = sqrt(2 / pi) (x + 0.044715 x^3) */
@inline
export function geluTanh4(x: v128): v128 {
  const cubic = add(x, mul(mul(at(geluFactors, 0), x), mul(x, x)));
  return timesSigmoid(x, mul(at(geluFactors, 1), cubic));
}

/** f32x4.max would do but for -0. NaN is not <= 0 and passes. */
@inline
export function relu4(x: v128): v128 {
  return v128.andnot(x, f32x4.le(x, f32x4.splat(0)));
}

/**
 * What relu lets through of the gradient g, by its input or output y. A choice, not a product: 0 times infinity would be NaN.
 * NaN compares false, so that it lets the gradient through.
 */
@inline
export function reluGradient4(g: v128, y: v128): v128 {
  return v128.andnot(g, f32x4.le(y, f32x4.splat(0)));
}
