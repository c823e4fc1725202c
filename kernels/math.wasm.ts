// Functions of four float32, within about two units in the last place, for the elementwise kernels and softmax.
// NaN passes through everywhere. Sines, cosines and powers need float64: math64.wasm.ts has them.

const log2OfE: f32 = 1.4426950408889634;
// ln 2 in two parts: the first has nine bits, so that its product with a whole number below 2^15 is exact.
const ln2High: f32 = 0.693359375;
const ln2Low: f32 = -0.00021219444005469057;

@inline
function splat(x: f32): v128 {
  return f32x4.splat(x);
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
function step(a: v128, x: v128, b: f32): v128 {
  return add(mul(a, x), splat(b));
}

/** 2^k for whole k in [-126, 127]. */
@inline
function powerOfTwo(k: v128): v128 {
  return i32x4.shl(i32x4.add(k, i32x4.splat(127)), 23);
}

/** x - n ln 2 */
@inline
function reduce(x: v128, n: v128): v128 {
  return sub(sub(x, mul(n, splat(ln2High))), mul(n, splat(ln2Low)));
}

/** e^r - 1 for |r| <= ln 2 / 2: r + r^2 P(r), P fitted to an error of 2e-8 of the result. */
@inline
function expm1Reduced(r: v128): v128 {
  let p = step(splat(0.00139265504), r, 0.00836347272);
  p = step(p, r, 0.0416665524);
  p = step(p, r, 0.166665752);
  p = step(p, r, 0.5);
  return add(r, mul(mul(r, r), p));
}

/** e^x = 2^n e^r. The factor 2^n is applied in two halves, so that overflow and subnormal results come out right. */
@inline
export function exp4(x: v128): v128 {
  // Beyond these the result is infinity or 0.
  x = f32x4.max(f32x4.min(x, splat(89)), splat(-104));
  const n = f32x4.nearest(mul(x, splat(log2OfE)));
  const k = i32x4.trunc_sat_f32x4_s(n);
  const half = i32x4.shr_s(k, 1);
  const e = add(expm1Reduced(reduce(x, n)), splat(1));
  return mul(mul(e, powerOfTwo(half)), powerOfTwo(i32x4.sub(k, half)));
}

/** e^x - 1 with all its digits for small x. For x up to 40, from where on it stays the same. */
@inline
export function expm1(x: v128): v128 {
  x = f32x4.max(f32x4.min(x, splat(40)), splat(-30));
  const n = f32x4.nearest(mul(x, splat(log2OfE)));
  const scale = powerOfTwo(i32x4.trunc_sat_f32x4_s(n));
  return add(mul(scale, expm1Reduced(reduce(x, n))), sub(scale, splat(1)));
}

/**
 * Natural logarithm: x = 2^k (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)], and with s = f / (2 + f)
 * log(1 + f) = 2 artanh(s) = f - f^2 / 2 + s (f^2 / 2 + R), R = 2 (s^2 / 3 + s^4 / 5 + ...).
 */
@inline
export function log4(x: v128): v128 {
  const rootHalf = i32x4.splat(0x3f3504f3);
  const isSubnormal = f32x4.lt(x, splat(1.17549435e-38));
  const bits = v128.bitselect(mul(x, splat(8388608)), x, isSubnormal);
  const k = i32x4.shr_s(i32x4.sub(bits, rootHalf), 23);
  const f = sub(i32x4.sub(bits, i32x4.shl(k, 23)), splat(1));
  const exponent = f32x4.convert_i32x4_s(i32x4.sub(k, v128.and(isSubnormal, i32x4.splat(23))));
  const s = f32x4.div(f, add(f, splat(2)));
  const z = mul(s, s);
  let r = step(splat(2.0 / 9.0), z, 2.0 / 7.0);
  r = step(r, z, 2.0 / 5.0);
  r = mul(step(r, z, 2.0 / 3.0), z);
  const half = mul(mul(f, f), splat(0.5));
  const small = add(mul(s, add(half, r)), mul(exponent, splat(ln2Low)));
  const value = sub(mul(exponent, splat(ln2High)), sub(sub(half, small), f));
  // Infinity and 0 have their own logarithms; what is left, negative or NaN, has none.
  const infinity = splat(Infinity);
  let other = v128.bitselect(infinity, splat(NaN), f32x4.eq(x, infinity));
  other = v128.bitselect(splat(-Infinity), other, f32x4.eq(x, splat(0)));
  const isPlain = v128.and(f32x4.gt(x, splat(0)), f32x4.lt(x, infinity));
  return v128.bitselect(value, other, isPlain);
}

/** log(1 + u) for u in [0, 1]. The part of u that is lost in 1 + u comes back as the first term of the series. */
@inline
export function log1p(u: v128): v128 {
  const w = add(u, splat(1));
  return add(log4(w), f32x4.div(sub(u, sub(w, splat(1))), w));
}

/** 1 / (1 + e^-x) */
@inline
export function sigmoid4(x: v128): v128 {
  return f32x4.div(splat(1), add(splat(1), exp4(f32x4.neg(x))));
}

/** x / (1 + e^-x) */
@inline
export function silu4(x: v128): v128 {
  return f32x4.div(x, add(splat(1), exp4(f32x4.neg(x))));
}

/** tanh |x| = t / (t + 2), t = e^(2 |x|) - 1, which keeps the digits of small x. */
@inline
export function tanh4(x: v128): v128 {
  const t = expm1(mul(f32x4.abs(x), splat(2)));
  const sign = v128.and(x, splat(-0.0));
  return v128.or(f32x4.div(t, add(t, splat(2))), sign);
}

/** log(1 + e^z) */
@inline
export function softplus4(z: v128): v128 {
  return add(f32x4.max(z, splat(0)), log1p(exp4(f32x4.neg(f32x4.abs(z)))));
}

/** erf(x) / x - 1 as a polynomial in x^2, for |x| <= 1. */
@inline
function erfSlope(z: v128): v128 {
  let p = step(splat(7.87587506e-5), z, -0.000801686429);
  p = step(p, z, 0.00518908742);
  p = step(p, z, -0.026854212);
  p = step(p, z, 0.112835947);
  p = step(p, z, -0.376126267);
  return step(p, z, 0.12837917);
}

/** 1 - erf(t) for t >= 1: e^(-t^2) u P(u), u = 1 / (1 + 0.4 t), P fitted to an error of 2e-8. */
@inline
function erfcTail(t: v128): v128 {
  const u = f32x4.div(splat(1), step(splat(0.4), t, 1));
  let p = step(splat(0.0626464172), u, -0.230063806);
  p = step(p, u, 0.244003263);
  p = step(p, u, -0.070024226);
  p = step(p, u, 0.173992973);
  p = step(p, u, 0.158701466);
  p = step(p, u, 0.209569949);
  p = step(p, u, 0.22550874);
  p = step(p, u, 0.225681993);
  return mul(mul(p, u), exp4(f32x4.neg(mul(t, t))));
}

/** 2 / sqrt(pi) integral from 0 to x of e^(-t^2) dt */
@inline
export function erf4(x: v128): v128 {
  const t = f32x4.abs(x);
  const near = add(x, mul(x, erfSlope(mul(x, x))));
  const far = v128.or(sub(splat(1), erfcTail(t)), v128.and(x, splat(-0.0)));
  return v128.bitselect(far, near, f32x4.gt(t, splat(1)));
}

/** x Phi(x) = x (1 - c / 2) for x > 0 and x c / 2 below, c = erfc(|x| / sqrt(2)): no digit of c is lost to 1 - erf. */
@inline
export function gelu4(x: v128): v128 {
  const t = mul(f32x4.abs(x), splat(0.7071067811865476));
  const near = sub(splat(1), add(t, mul(t, erfSlope(mul(t, t)))));
  const half = mul(splat(0.5), v128.bitselect(erfcTail(t), near, f32x4.gt(t, splat(1))));
  return mul(x, v128.bitselect(sub(splat(1), half), half, f32x4.gt(x, splat(0))));
}

/** 0.5 x (1 + tanh u) = x / (1 + e^(-2 u)), u = sqrt(2 / pi) (x + 0.044715 x^3) */
@inline
export function geluTanh4(x: v128): v128 {
  const cubic = add(x, mul(mul(splat(0.044715), x), mul(x, x)));
  return f32x4.div(x, add(splat(1), exp4(mul(splat(-1.5957691216057308), cubic))));
}
