// What all SSIM modules share, put before them: parameters, the centre of a plane, the four products whose windowed sums are
// the moments, and S from these. Equations in ssim.ts.

struct Params {
  planes: u32,
  inH: u32,
  inW: u32,
  outH: u32,
  outW: u32,
  windowH: u32,
  windowW: u32,
  padH: u32,
  padW: u32,
  c1: f32,
  c2: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> y: array<f32>;
/// Weights along H, then along W.
@group(0) @binding(3) var<storage, read> window: array<f32>;

fn smaller(value: f32, best: f32) -> f32 {
  if (isNan(value) || isInfinite(value)) { return best; }
  return select(best, value, abs(value) < abs(best));
}

/// x and y are taken about a pixel of their plane, so that E[x^2] - E[x]^2 does not cancel where the mean is large: the
/// smallest of three on the diagonal that are finite, lest an outlier becomes the centre.
fn centreOf(plane: u32) -> vec2<f32> {
  const NONE = 3.4e38;
  var best = vec2(NONE, NONE);
  for (var i = 1u; i < 6u; i += 2u) {
    let at = (plane * params.inH + params.inH * i / 6u) * params.inW + params.inW * i / 6u;
    best = vec2(smaller(x[at], best.x), smaller(y[at], best.y));
  }
  return select(best, vec2(0.0, 0.0), best == vec2(NONE, NONE));
}

/// Deviations of x and y from the centre, the sum of their squares, and their product. Zeros stand around the plane.
fn productsAt(plane: u32, row: i32, column: i32, centre: vec2<f32>) -> vec4<f32> {
  var d = -centre;
  if (row >= 0 && row < i32(params.inH) && column >= 0 && column < i32(params.inW)) {
    let at = (plane * params.inH + u32(row)) * params.inW + u32(column);
    d += vec2(x[at], y[at]);
  }
  return vec4(d, dot(d, d), d.x * d.y);
}

struct Similarity {
  mean: vec2<f32>,
  /// mean y - mean x over mean x^2 + mean y^2 + c1, and that sum.
  slope: f32,
  brightness: f32,
  luminance: f32,
  contrast: f32,
  /// The variances + c2.
  spread: f32,
}

fn similarityOf(moments: vec4<f32>, centre: vec2<f32>) -> Similarity {
  var s: Similarity;
  s.mean = centre + moments.xy;
  s.brightness = dot(s.mean, s.mean) + params.c1;
  let difference = (centre.y - centre.x) + (moments.y - moments.x);
  s.slope = difference / s.brightness;
  s.luminance = 1.0 - difference * s.slope;
  s.spread = moments.z - dot(moments.xy, moments.xy) + params.c2;
  s.contrast = (2.0 * (moments.w - moments.x * moments.y) + params.c2) / s.spread;
  return s;
}
