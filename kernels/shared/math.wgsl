// Transcendental functions in float32, because the built-ins may be off by 2^-11 (sin, cos) or many ulps (exp, log, pow,
// tanh) and differ from one adapter to the next. Each states its largest error, assuming division within 2.5 ulp and
// leaving results below 2^-126 aside, which adapters may flush to zero. Polynomials are minimax fits on the range given.
// Drivers reassociate sums (Mesa turns n a + n b + x into n (a + b) + x), so a step that must be exact is hidden behind a
// mask that clears bits known to be zero: see `exactProduct` and `upperHalf`.

/// The upper 12 bits of the significand: the product of two such numbers is exact.
fn upperHalf(x: f32) -> f32 {
  return bitcast<f32>(bitcast<u32>(x) & 0xfffff000u);
}

/// a b where it has at most 17 significant bits, as a value that compilers cannot take apart.
fn exactProduct(a: f32, b: f32) -> f32 {
  return bitcast<f32>(bitcast<u32>(a * b) & 0xffffff80u);
}

/// 2^n for n in [-126, 127].
fn powerOfTwo(n: i32) -> f32 {
  return bitcast<f32>(u32(n + 127) << 23u);
}

/// x 2^n for n in [-252, 254], overflowing and underflowing as it should.
fn scaleByPower(x: f32, n: i32) -> f32 {
  let half = n >> 1u;
  return x * powerOfTwo(half) * powerOfTwo(n - half);
}

/// e^r - 1 for |r| <= 0.35. Relative error 1e-7.
fn expMinusOneNearZero(r: f32) -> f32 {
  var q = 1.3813144760206342e-3;
  q = fma(q, r, 8.369418792426586e-3);
  q = fma(q, r, 4.166845604777336e-2);
  q = fma(q, r, 0.16666515171527863);
  q = fma(q, r, 0.4999999403953552);
  return fma(r * r, q, r);
}

/// x = n ln 2 + r with |r| <= ln 2 / 2.
struct ReducedExponent {
  n: f32,
  r: f32,
}

fn reduceExponent(x: f32) -> ReducedExponent {
  let n = round(x * 1.4426950408889634);
  // ln 2 = 0.693359375, which has nine bits, minus a rest: the first difference is exact.
  return ReducedExponent(n, fma(n, 2.1219444005469057e-4, x - exactProduct(n, 0.693359375)));
}

/// e^(x + tail) for a tail below 0.01 that is known better than x + tail could be. Error 1.2 ulp.
fn expOfSum(x: f32, tail: f32) -> f32 {
  if (isNan(x)) { return x; }
  // Beyond these limits the result is infinite or zero anyway.
  let reduced = reduceExponent(min(max(x, -110.0), 89.5));
  return scaleByPower(1.0 + expMinusOneNearZero(reduced.r + tail), i32(reduced.n));
}

/// e^x. Error 1.2 ulp.
fn preciseExp(x: f32) -> f32 {
  return expOfSum(x, 0.0);
}

/// e^x - 1 for x <= 0. Error 2 ulp.
fn preciseExpMinusOne(x: f32) -> f32 {
  if (isNan(x)) { return x; }
  let reduced = reduceExponent(max(x, -20.0));
  let scale = powerOfTwo(i32(reduced.n));
  return fma(scale, expMinusOneNearZero(reduced.r), scale - 1.0);
}

/// x = m 2^e with m in [sqrt(1/2), sqrt(2)).
struct SplitFloat {
  m: f32,
  e: f32,
}

/// For finite x > 0, numbers below 2^-126 included.
fn splitFloat(x: f32) -> SplitFloat {
  var bits = bitcast<u32>(x);
  var e = 0;
  if (bits < 0x00800000u) {
    let shift = countLeadingZeros(bits) - 8u;
    bits <<= shift;
    e = -i32(shift);
  }
  e += i32(bits >> 23u) - 127;
  let m = bitcast<f32>((bits & 0x007fffffu) | 0x3f800000u);
  if (m > 1.4142135) { return SplitFloat(0.5 * m, f32(e + 1)); }
  return SplitFloat(m, f32(e));
}

/// log(1 + f) - f for f in [sqrt(1/2) - 1, sqrt(2) - 1].
fn logTail(f: f32) -> f32 {
  var p = -7.634501159191132e-2;
  p = fma(p, f, 0.12761588394641876);
  p = fma(p, f, -0.13160185515880585);
  p = fma(p, f, 0.14201757311820984);
  p = fma(p, f, -0.16623356938362122);
  p = fma(p, f, 0.20001226663589478);
  p = fma(p, f, -0.2500081956386566);
  p = fma(p, f, 0.3333333134651184);
  return f * f * fma(p, f, -0.5);
}

/// log(x). Error 1.5 ulp. Zero gives minus infinity, negative numbers NaN.
fn preciseLog(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  if ((bits & 0x7fffffffu) == 0u) { return -infinity(); }
  if (isNan(x) || bits == 0x7f800000u) { return x; }
  if (isNegative(x)) { return notANumber(); }
  let parts = splitFloat(x);
  let f = parts.m - 1.0;
  let low = fma(parts.e, -2.1219444005469057e-4, logTail(f));
  return exactProduct(parts.e, 0.693359375) + (f + low);
}

/// log(1 + u). Error 2 ulp.
fn preciseLogOnePlus(u: f32) -> f32 {
  if (u > -0.29 && u < 0.41) { return u + logTail(u); }
  return preciseLog(1.0 + u);
}

/// log(a / b). Neighbours by their difference, which is exact; where the quotient is no normal number, by two logarithms.
/// Error 3 ulp, and those of the two logarithms in the latter case.
fn preciseLogRatio(a: f32, b: f32) -> f32 {
  let isPositive = a > 0.0 && b > 0.0 && !isNan(a) && !isNan(b);
  if (isPositive && abs(a - b) <= 0.25 * b) { return preciseLogOnePlus((a - b) / b); }
  let quotient = a / b;
  if (isPositive && quotient > 1.2e-38 && quotient < 3.4e38 && !isNan(quotient)) { return preciseLog(quotient); }
  return preciseLog(a) - preciseLog(b);
}

/// tanh(x). Error 3 ulp.
fn preciseTanh(x: f32) -> f32 {
  if (isNan(x)) { return x; }
  let size = abs(x);
  if (size < 0.6) {
    let z = x * x;
    var p = -5.905863828957081e-3;
    p = fma(p, z, 2.080538123846054e-2);
    p = fma(p, z, -5.3786683827638626e-2);
    p = fma(p, z, 0.13331958651542664);
    p = fma(p, z, -0.33333298563957214);
    return fma(x * z, p, x);
  }
  let result = 1.0 - 2.0 / (preciseExp(2.0 * min(size, 10.0)) + 1.0);
  return select(result, -result, x < 0.0);
}

/// a / (1 + e^-x). Error 4 ulp. For x far below 0, where e^-x may be infinite, it is a e^x, by e^(x / 2) twice.
fn timesSigmoid(a: f32, x: f32) -> f32 {
  if (x < -60.0) {
    let half = preciseExp(0.5 * x);
    return a * half * half;
  }
  return a / (1.0 + preciseExp(-x));
}

/// 1 / (1 + e^-x). Error 4 ulp.
fn preciseSigmoid(x: f32) -> f32 {
  return timesSigmoid(1.0, x);
}

/// The derivative of sigmoid, sigmoid(x) sigmoid(-x), without the difference 1 - sigmoid(x). Error 6 ulp.
fn sigmoidSlope(x: f32) -> f32 {
  let e = preciseExp(-abs(x));
  return e / ((1.0 + e) * (1.0 + e));
}

/// erf(x) for |x| <= 1. Error 2 ulp.
fn erfNearZero(x: f32) -> f32 {
  let z = x * x;
  var p = 7.889122935011983e-5;
  p = fma(p, z, -8.020842797122896e-4);
  p = fma(p, z, 5.189535673707724e-3);
  p = fma(p, z, -2.6854444295167923e-2);
  p = fma(p, z, 0.11283600330352783);
  p = fma(p, z, -0.3761262595653534);
  p = fma(p, z, 1.1283791065216064);
  return x * p;
}

/// e^(-a t^2) for 0 <= t <= 16, a a power of two. Relative error 2e-7.
fn expMinusSquare(t: f32, a: f32) -> f32 {
  let head = upperHalf(t);
  return expOfSum(-a * (head * head), a * ((head - t) * (head + t)));
}

/// erfc(t) = 1 - erf(t) for t >= 1, as `e` = e^(-t^2) times a polynomial of 1 / (1 + t / 2). Relative error 6e-7.
fn erfcFromOne(t: f32, e: f32) -> f32 {
  let u = 1.0 / fma(t, 0.5, 1.0);
  var p = 8.988301455974579e-2;
  p = fma(p, u, -0.21578530967235565);
  p = fma(p, u, 6.97681251952858e-2);
  p = fma(p, u, 6.930641829967499e-2);
  p = fma(p, u, 0.17562125623226166);
  p = fma(p, u, 0.2476617693901062);
  p = fma(p, u, 0.2819567918777466);
  p = fma(p, u, 0.28210246562957764);
  return u * p * e;
}

/// erfc(t) for t >= 1.
fn erfcTail(t: f32) -> f32 {
  if (t > 10.0) { return 0.0; }
  return erfcFromOne(t, expMinusSquare(t, 1.0));
}

/// erf(x). Error 2 ulp.
fn preciseErf(x: f32) -> f32 {
  if (isNan(x)) { return x; }
  let size = abs(x);
  if (size < 1.0) { return erfNearZero(x); }
  let result = 1.0 - erfcTail(size);
  return select(result, -result, x < 0.0);
}

/// 1 - erf(x). Relative error 8e-7, above 4 up to 3e-6.
fn preciseErfc(x: f32) -> f32 {
  if (isNan(x)) { return x; }
  let size = abs(x);
  if (size < 1.0) { return 1.0 - erfNearZero(x); }
  let tail = erfcTail(size);
  return select(tail, 2.0 - tail, x < 0.0);
}

/// x Phi(x) with the normal distribution function Phi(x) = erfc(-x / sqrt 2) / 2. Relative error 1e-6.
fn preciseGelu(x: f32) -> f32 {
  if (isNan(x)) { return x; }
  let size = abs(x);
  let t = size * 0.70710678118654752;
  var tail = 0.0;
  if (t < 1.0) {
    tail = 0.5 - 0.5 * erfNearZero(t);
  } else if (size < 15.0) {
    tail = 0.5 * erfcFromOne(t, expMinusSquare(size, 0.5));
  }
  return x * select(tail, 1.0 - tail, x > 0.0);
}

/// sqrt(x). Error 1 ulp: the built-in may be x inverseSqrt(x), off by several, and NaN at infinity.
fn preciseSqrt(x: f32) -> f32 {
  let isZero = (bitcast<u32>(x) & 0x7fffffffu) == 0u;
  if (isZero || isNan(x) || bitcast<u32>(x) == 0x7f800000u) { return x; }
  if (isNegative(x)) { return notANumber(); }
  let root = sqrt(x);
  // Where squares are subnormal there is nothing to correct with.
  if (x < 1e-30) { return root; }
  return fma(fma(-root, root, x), 0.5 / root, root);
}

/// 1 / sqrt(x). Error 4 ulp.
fn preciseInverseSqrt(x: f32) -> f32 {
  let isZero = (bitcast<u32>(x) & 0x7fffffffu) == 0u;
  if (isZero) { return select(infinity(), -infinity(), isNegative(x)); }
  if (bitcast<u32>(x) == 0x7f800000u) { return 0.0; }
  return 1.0 / preciseSqrt(x);
}
