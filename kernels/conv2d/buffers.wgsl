// Buffers of conv2d and conv2dInputGradient word by word, for all but tiles.wgsl.

@group(0) @binding(1) var<storage, read> source: array<f32>;
@group(0) @binding(2) var<storage, read> weights: array<f32>;
// Bound to the weights when there is no bias.
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> result: array<f32>;

fn biasOf(targetChannel: u32) -> f32 {
  if (params.bias == 0) {
    return 0.0;
  }
  return bias[targetChannel];
}

