// y[i] = f(a[i], b[i], c[i]), 16 bytes moved per element. `perElement`: a thread per element. `perFour`: a thread per four, which
// keeps four times the bytes in flight; n must be a multiple of 4. `op` is known when the pipeline is compiled, so that of the
// functions below only one is left.

override op: u32;

struct Params {
  n: u32,
  op: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read> c: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(1) var<storage, read> a4: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> b4: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> c4: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> y4: array<vec4<f32>>;

/// sigmoid(x) and sigmoid(-x), neither as a difference.
fn sigmoids(x: f32) -> vec2<f32> {
  let e = preciseExp(-abs(x));
  let large = 1.0 / (1.0 + e);
  return select(vec2(large, e * large), vec2(e * large, large), x < 0.0);
}

fn siluSlope(x: f32) -> f32 {
  let s = sigmoids(x);
  return s.x * (1.0 + x * s.y);
}

/// NaN at the infinities, as in PyTorch.
fn geluSlope(x: f32) -> f32 {
  if (isNan(x) || isInfinite(x)) { return notANumber(); }
  let density = expMinusSquare(min(abs(x), 16.0), 0.5) * 0.3989422804014327;
  return 0.5 * preciseErfc(-0.7071067811865476 * x) + clamp(x, -16.0, 16.0) * density;
}

fn apply(u: f32, v: f32, w: f32) -> f32 {
  switch op {
    case TERNARY_SIGMOID_BACKWARD: { return u * select(sigmoidSlope(w), v * (1.0 - v), v <= MOST_PLAIN_SLOPE); }
    case TERNARY_TANH_BACKWARD: {
      let size = abs(v);
      return u * select(4.0 * sigmoidSlope(2.0 * w), (1.0 - size) * (1.0 + size), size <= MOST_PLAIN_SLOPE);
    }
    case TERNARY_SILU_BACKWARD: { return u * siluSlope(w); }
    case TERNARY_GELU_BACKWARD: { return u * geluSlope(w); }
    case TERNARY_BCE: {
      let log = preciseLogOnePlus(preciseExp(-abs(w)));
      let isBelow = isNegative(w) && !isNan(w);
      return u * (select(w, 0.0, isBelow) + log) + v * (select(0.0, -w, isBelow) + log);
    }
    case TERNARY_BCE_SLOPE: {
      let s = sigmoids(w);
      return u * s.x - v * s.y;
    }
    default: { return u; }
  }
}

@compute @workgroup_size(workgroupSize)
fn perElement(thread: Thread) {
  let i = itemOf(thread);
  if (i >= params.n) { return; }
  y[i] = apply(a[i], b[i], c[i]);
}

@compute @workgroup_size(workgroupSize)
fn perFour(thread: Thread) {
  let i = itemOf(thread);
  if (i >= params.n / 4u) { return; }
  var values = a4[i];
  let others = b4[i];
  let thirds = c4[i];
  for (var k = 0; k < 4; k++) { values[k] = apply(values[k], others[k], thirds[k]); }
  y4[i] = values;
}
