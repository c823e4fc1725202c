// What the scans share: where elements stand, and a running value kept as an unevaluated sum of two floats, so that a long line
// does not gather the rounding of every step. Prepended to the modules.

struct Params {
  outer: u32,
  n: u32,
  inner: u32,
  reverse: u32,
}

@group(0) @binding(0) var<uniform> params: Params;

/// Place of step `k` of a scan over line `line`.
fn place(line: u32, k: u32) -> u32 {
  let at = select(k, params.n - 1u - k, params.reverse != 0u);
  return (line / params.inner * params.n + at) * params.inner + line % params.inner;
}

/// The same number, of which a compiler that rearranges sums does not know that it is: (a + b) - a is not simply b. The bit that
/// is set is always 0.
fn asRounded(x: f32) -> f32 {
  return bitcast<f32>(bitcast<u32>(x) | (params.reverse >> 1u));
}

/// value.x + value.y + term, by Knuth's exact sum of two. Where the sum is not finite there is nothing to keep.
fn plus(value: vec2<f32>, term: f32) -> vec2<f32> {
  let sum = asRounded(value.x + term);
  let part = asRounded(sum - value.x);
  let lost = (value.x - (sum - part)) + (term - part);
  let low = select(value.y + lost, 0.0, isNan(lost) || isInfinite(lost));
  return vec2(sum, low);
}

/// The float nearest to the running value.
fn rounded(value: vec2<f32>) -> f32 {
  return value.x + value.y;
}
