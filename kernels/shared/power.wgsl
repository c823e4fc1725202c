// x^y in float32 with C's special cases, by 2^(y log2 x) with log2 x in two parts: relative error 5e-7 wherever the result is
// neither zero nor infinite. Put before modules after math.wgsl; leaves out complex results, which are NaN.

/// A number as the sum of two, the first of 12 bits.
struct Pair {
  head: f32,
  tail: f32,
}

/// log2 x for finite x > 0, with about 36 significant bits.
fn logTwoPair(x: f32) -> Pair {
  let parts = splitFloat(x);
  // log m = 2 s + s^3 P(s^2) with s = f / d, f = m - 1, d = m + 1; s and d are each split into halves.
  let f = parts.m - 1.0;
  let d = parts.m + 1.0;
  let dHead = upperHalf(d);
  let dTail = parts.m - (dHead - 1.0);
  let sHead = upperHalf(f / d);
  let sTail = ((f - sHead * dHead) - sHead * dTail) / d;
  let s = sHead + sTail;
  let z = s * s;
  var p = 0.23699305951595306;
  p = fma(p, z, 0.28530412912368774);
  p = fma(p, z, 0.40000462532043457);
  p = fma(p, z, 0.6666666269302368);
  let tail = fma(s * z, p, 2.0 * sTail);
  // Times log2 e, whose upper half is 1.4423828125.
  let product = 2.0 * sHead * 1.4423828125;
  let head = upperHalf(parts.e + product);
  let rest = (parts.e - head) + product;
  return Pair(head, rest + fma(2.0 * sHead, 3.12228388963387e-4, tail * 1.4426950408889634));
}

/// x^y for finite x > 0 and finite y.
fn powerOfPositive(x: f32, y: f32) -> f32 {
  let logarithm = logTwoPair(x);
  let yHead = upperHalf(y);
  let exact = yHead * logarithm.head;
  let rest = (y - yHead) * logarithm.head + y * logarithm.tail;
  let exponent = exact + rest;
  if (exponent > 160.0) { return infinity(); }
  if (exponent < -160.0) { return 0.0; }
  let n = round(exponent);
  let r = (exact - n) + rest;
  return scaleByPower(1.0 + expMinusOneNearZero(r * 0.6931471805599453), i32(n));
}

fn precisePower(x: f32, y: f32) -> f32 {
  if (y == 0.0 && !isNan(y)) { return 1.0; }
  if (x == 1.0 && !isNan(x)) { return 1.0; }
  if (isNan(x)) { return x; }
  if (isNan(y)) { return y; }
  let size = abs(x);
  if (isInfinite(y)) {
    if (size == 1.0) { return 1.0; }
    if ((size > 1.0) == isNegative(y)) { return 0.0; }
    return infinity();
  }
  let whole = abs(y) >= 8388608.0 || floor(y) == y;
  let odd = whole && abs(y) < 16777216.0 && (i32(y) & 1) == 1;
  let sign = select(1.0, -1.0, odd && isNegative(x));
  let isZero = (bitcast<u32>(x) & 0x7fffffffu) == 0u;
  if (isZero || isInfinite(x)) {
    if (isZero == isNegative(y)) { return sign * infinity(); }
    return sign * 0.0;
  }
  if (isNegative(x) && !whole) { return notANumber(); }
  return sign * powerOfPositive(size, y);
}
