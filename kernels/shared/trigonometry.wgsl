// sin and cos in float32 for every finite argument, after reduction to |r| <= pi / 4 and a quadrant: absolute error 1e-7,
// relative 2 ulp away from the zeros. Put before modules after math.wgsl; leaves out the other trigonometric functions.

/// x = quadrant pi / 2 + r, whole turns left aside.
struct ReducedAngle {
  quadrant: u32,
  r: f32,
}

/// Upper and lower word of a 32 x 32 bit product.
fn multiplyWide(a: u32, b: u32) -> vec2<u32> {
  let low = (a & 0xffffu) * (b & 0xffffu);
  let middle = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
  let other = (a & 0xffffu) * (b >> 16u) + (middle & 0xffffu);
  return vec2((a >> 16u) * (b >> 16u) + (middle >> 16u) + (other >> 16u), a * b);
}

/// Bits [at, at + 32) after the binary point of 2 / pi, for at in [-32, 192).
fn twoOverPiBits(at: i32) -> u32 {
  var words = array<u32, 8>(
    0u, 0xa2f9836eu, 0x4e441529u, 0xfc2757d1u, 0xf534ddc0u, 0xdb629599u, 0x3c439041u, 0xfe5163abu,
  );
  let word = u32(at + 32) >> 5u;
  let shift = u32(at + 32) & 31u;
  if (shift == 0u) { return words[word]; }
  return (words[word] << shift) | (words[word + 1u] >> (32u - shift));
}

/// Payne and Hanek's reduction of x >= 512: of x 2 / pi only the two bits before the point and those after it are made.
fn reduceLargeAngle(x: f32) -> ReducedAngle {
  let bits = bitcast<u32>(x);
  let significand = (bits & 0x007fffffu) | 0x00800000u;
  // x = significand 2^exponent, so the bits of 2 / pi before exponent - 2 contribute multiples of 4.
  let at = i32(bits >> 23u) - 150 - 2;
  let middle = multiplyWide(significand, twoOverPiBits(at + 32));
  let fraction = middle.y + multiplyWide(significand, twoOverPiBits(at + 64)).x;
  let carry = select(0u, 1u, fraction < middle.y);
  // x 2 / pi modulo 4 in units of 2^-30, and then `fraction` in units of 2^-62.
  let quarters = significand * twoOverPiBits(at) + middle.x + carry;
  let quadrant = (quarters + 0x20000000u) >> 30u;
  let rest = bitcast<i32>(((quarters - (quadrant << 30u)) << 2u) | (fraction >> 30u));
  let distance = f32(rest) * 2.3283064365386963e-10 + f32(fraction << 2u) * 5.421010862427522e-20;
  return ReducedAngle(quadrant, distance * 1.5707963267948966);
}

/// For finite x.
fn reduceAngle(x: f32) -> ReducedAngle {
  if (abs(x) >= 512.0) {
    let reduced = reduceLargeAngle(abs(x));
    if (x < 0.0) { return ReducedAngle((4u - reduced.quadrant) & 3u, -reduced.r); }
    return reduced;
  }
  let n = round(x * 0.6366197723675814);
  // pi / 2 in three parts. The first has eight bits and n at most nine.
  let r = fma(n, -7.549789948768648e-8, fma(n, -4.837512969970703e-4, x - exactProduct(n, 1.5703125)));
  return ReducedAngle(bitcast<u32>(i32(n)) & 3u, r);
}

/// sin((quadrant + shift) pi / 2 + r).
fn sineOfReduced(angle: ReducedAngle, shift: u32) -> f32 {
  let quadrant = (angle.quadrant + shift) & 3u;
  let r = angle.r;
  let z = r * r;
  var result: f32;
  if ((quadrant & 1u) == 0u) {
    let p = fma(fma(-1.95140833966434e-4, z, 8.332154713571072e-3), z, -0.16666655242443085);
    result = fma(r * z, p, r);
  } else {
    let p = fma(fma(2.4434844817733392e-5, z, -1.3887337408959866e-3), z, 4.166664555668831e-2);
    result = fma(z * z, p, fma(-0.5, z, 1.0));
  }
  return select(result, -result, quadrant >= 2u);
}

fn preciseSin(x: f32) -> f32 {
  if (isNan(x) || isInfinite(x)) { return notANumber(); }
  return sineOfReduced(reduceAngle(x), 0u);
}

fn preciseCos(x: f32) -> f32 {
  if (isNan(x) || isInfinite(x)) { return notANumber(); }
  return sineOfReduced(reduceAngle(x), 1u);
}
