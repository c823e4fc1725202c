// y = f(a, b) of single elements; put before binary.wgsl and binary-vector.wgsl. `op` is known when the pipeline is compiled,
// so that of the functions below only one is left.

override op: u32;

fn float(value: f32) -> u32 {
  return bitcast<u32>(value);
}

/// The word to store: bits of a float32, or 0 or 1 of a bool.
fn apply(u: f32, v: f32, alpha: f32) -> u32 {
  let comparable = !isNan(u) && !isNan(v);
  switch op {
    case BINARY_ADD: { return float(u + v); }
    case BINARY_SUB: { return float(u - v); }
    case BINARY_MUL: { return float(u * v); }
    case BINARY_DIV: { return float(u / v); }
    case BINARY_MAXIMUM: { return float(maximum(u, v)); }
    case BINARY_MINIMUM: { return float(minimum(u, v)); }
    case BINARY_POW: { return float(precisePower(u, v)); }
    case BINARY_EQ: { return u32(comparable && u == v); }
    case BINARY_NE: { return u32(!comparable || u != v); }
    case BINARY_LT: { return u32(comparable && u < v); }
    case BINARY_LE: { return u32(comparable && u <= v); }
    case BINARY_GT: { return u32(comparable && u > v); }
    case BINARY_GE: { return u32(comparable && u >= v); }
    case BINARY_RELU_GRAD: { return float(select(0.0, u, v > 0.0 || isNan(v))); }
    case BINARY_LEAKY_RELU_GRAD: { return float(select(alpha * u, u, v > 0.0 && !isNan(v))); }
    case BINARY_SIGMOID_GRAD: { return float(u * sigmoidSlope(v)); }
    // 1 - tanh(v)^2 = 4 sigmoid(2 v) sigmoid(-2 v)
    case BINARY_TANH_GRAD: { return float(u * (4.0 * sigmoidSlope(2.0 * v))); }
    case BINARY_ADD_SCALED: { return float(fma(alpha, v, u)); }
    case BINARY_LOG_RATIO: { return float(preciseLogRatio(u, v)); }
    default: { return 0u; }
  }
}
