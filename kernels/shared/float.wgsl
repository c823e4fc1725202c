// NaN and infinities by their bits. WGSL lets an implementation assume that neither exists, so `x != x` may be folded to
// false and max(NaN, 0) be 0; integer tests are safe. Prepended to modules; leaves out arithmetic (elementwise/math.wgsl).

fn isNan(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}

fn isInfinite(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) == 0x7f800000u;
}

fn isNegative(x: f32) -> bool {
  return (bitcast<u32>(x) >> 31u) == 1u;
}

// A constant expression may not be infinite or NaN. A variable's value is no constant expression.
fn infinity() -> f32 {
  var bits = 0x7f800000u;
  return bitcast<f32>(bits);
}

fn notANumber() -> f32 {
  var bits = 0x7fc00000u;
  return bitcast<f32>(bits);
}

/// max and min in which NaN wins, as in PyTorch.
fn maximum(a: f32, b: f32) -> f32 {
  return select(b, a, isNan(a) || (a > b && !isNan(b)));
}

fn minimum(a: f32, b: f32) -> f32 {
  return select(b, a, isNan(a) || (a < b && !isNan(b)));
}
