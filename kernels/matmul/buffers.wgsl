// Buffers of the matrix product word by word, for all but tiles.wgsl.

@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
// Bound to A when there is no bias.
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> c: array<f32>;

fn biasOf(column: u32) -> f32 {
  if (params.bias == 0) {
    return 0.0;
  }
  return bias[column];
}

