// Conversions between float32, int32 and bool, word by word. One thread per element; 8 bytes moved per element.

override kind: u32;

struct Params {
  n: u32,
  kind: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;

/// Toward zero; what int32 cannot hold becomes its nearest limit, and NaN 0.
fn truncate(value: f32) -> i32 {
  if (isNan(value)) { return 0; }
  if (value >= 2147483648.0) { return 2147483647; }
  if (value <= -2147483648.0) { return -2147483647 - 1; }
  return i32(value);
}

fn convert(bits: u32) -> u32 {
  switch kind {
    case CAST_TO_FLOAT: { return bitcast<u32>(f32(bitcast<i32>(bits))); }
    case CAST_TO_INT: { return bitcast<u32>(truncate(bitcast<f32>(bits))); }
    case CAST_FLOAT_TO_BOOL: { return u32((bits & 0x7fffffffu) != 0u); }
    case CAST_INT_TO_BOOL: { return u32(bits != 0u); }
    default: { return bits; }
  }
}

@compute @workgroup_size(workgroupSize)
fn main(thread: Thread) {
  let i = itemOf(thread);
  if (i >= params.n) { return; }
  y[i] = convert(x[i]);
}
