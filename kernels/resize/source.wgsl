// What an output position of one axis reads; put before resize.wgsl and resize-backward.wgsl, which must agree to the bit.
// Source positions as in torch's interpolate: nearest floor(i scale); bilinear max(0, (i + 0.5) scale - 0.5), with aligned
// corners i scale; each step rounded to float32.

struct Params {
  planes: u32,
  inH: u32,
  inW: u32,
  outH: u32,
  outW: u32,
  mode: u32,
  alignCorners: u32,
  scaleH: f32,
  scaleW: f32,
}

@group(0) @binding(0) var<uniform> params: Params;

/// Two positions and the weight of the second; that of the first is 1 - fraction.
struct Source {
  low: u32,
  high: u32,
  fraction: f32,
}

/// A product rounded by itself. A fused multiply-add would put some floors on the other side; an integer operation between
/// the two, which changes nothing but is unknown to the compiler, keeps them apart.
fn roundedProduct(a: f32, b: f32) -> f32 {
  return bitcast<f32>(bitcast<u32>(a * b) | (params.alignCorners >> 1u));
}

fn sourceOf(i: u32, inSize: u32, scale: f32) -> Source {
  let last = inSize - 1u;
  if (params.mode == RESIZE_MODE_NEAREST) {
    let nearest = min(last, u32(floor(roundedProduct(f32(i), scale))));
    return Source(nearest, nearest, 0.0);
  }
  var position: f32;
  if (params.alignCorners != 0u) {
    position = roundedProduct(f32(i), scale);
  } else {
    position = max(0.0, roundedProduct(f32(i) + 0.5, scale) - 0.5);
  }
  let low = min(last, u32(floor(position)));
  return Source(low, min(last, low + 1u), position - f32(low));
}
