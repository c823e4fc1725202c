// y[i] = f(x[i]), 8 bytes moved per element. `perElement`: a thread per element. `perFour`: a thread per four, which keeps
// four times the bytes in flight; n must be a multiple of 4. `op` is known when the pipeline is compiled, so that of the
// functions below only one is left. Gradients are in binary-function.wgsl.

override op: u32;

struct Params {
  n: u32,
  op: u32,
  a: f32,
  b: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(1) var<storage, read> x4: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> y4: array<vec4<f32>>;

fn apply(v: f32, a: f32, b: f32) -> f32 {
  switch op {
    case UNARY_NEG: { return -v; }
    case UNARY_EXP: { return preciseExp(v); }
    case UNARY_LOG: { return preciseLog(v); }
    case UNARY_SQRT: { return preciseSqrt(v); }
    case UNARY_RSQRT: { return preciseInverseSqrt(v); }
    case UNARY_ABS: { return abs(v); }
    case UNARY_SIGN: { return select(0.0, select(-1.0, 1.0, v > 0.0), v != 0.0 && !isNan(v)); }
    case UNARY_RELU: { return select(v, 0.0, isNegative(v) && !isNan(v)); }
    case UNARY_SILU: { return timesSigmoid(v, v); }
    case UNARY_SIGMOID: { return preciseSigmoid(v); }
    case UNARY_TANH: { return preciseTanh(v); }
    case UNARY_RECIPROCAL: { return 1.0 / v; }
    case UNARY_SQUARE: { return v * v; }
    case UNARY_SIN: { return preciseSin(v); }
    case UNARY_COS: { return preciseCos(v); }
    case UNARY_LEAKY_RELU: { return select(a * v, v, v > 0.0 && !isNan(v)); }
    case UNARY_ELU: {
      if (v > 0.0 && !isNan(v)) { return v; }
      return a * preciseExpMinusOne(v);
    }
    case UNARY_GELU: { return preciseGelu(v); }
    // 1 + tanh(u) = 2 sigmoid(2 u), which does not cancel for negative u.
    case UNARY_GELU_TANH: { return timesSigmoid(v, 1.5957691216057308 * fma(0.044715 * v * v, v, v)); }
    case UNARY_SOFTPLUS: {
      let z = a * v;
      if (z > b && !isNan(z)) { return v; }
      return (select(z, 0.0, isNegative(z) && !isNan(z)) + preciseLogOnePlus(preciseExp(-abs(z)))) / a;
    }
    case UNARY_CLAMP: { return minimum(maximum(v, a), b); }
    case UNARY_POW_SCALAR: { return precisePower(v, a); }
    case UNARY_AFFINE: { return fma(v, a, b); }
    case UNARY_STEP: { return select(0.0, 1.0, v > a && !isNan(v)); }
    case UNARY_INSIDE: { return select(0.0, 1.0, a <= v && v <= b && !isNan(v)); }
    case UNARY_ERF: { return preciseErf(v); }
    case UNARY_ERFC: { return preciseErfc(v); }
    case UNARY_LOG1P: { return preciseLogOnePlus(v); }
    case UNARY_FLOOR: { return floor(v); }
    case UNARY_CEIL: { return ceil(v); }
    case UNARY_ROUND: { return round(v); }
    default: { return v; }
  }
}

@compute @workgroup_size(workgroupSize)
fn perElement(thread: Thread) {
  let i = itemOf(thread);
  if (i >= params.n) { return; }
  y[i] = apply(x[i], params.a, params.b);
}

@compute @workgroup_size(workgroupSize)
fn perFour(thread: Thread) {
  let i = itemOf(thread);
  if (i >= params.n / 4u) { return; }
  var values = x4[i];
  for (var k = 0; k < 4; k++) { values[k] = apply(values[k], params.a, params.b); }
  y4[i] = values;
}
