// y = (x - mean) r weight + bias with r = 1 / sqrt(variance + eps), which is given, or made of the variance; then relu, if it is
// asked for. 8 bytes moved per element, the four numbers of a channel coming from cache; a thread per element, or per four where
// `spatial` is a multiple of 4.

override workgroupSize: u32;
/// 1 where `spread` is the variance, 0 where it is r.
override ofVariance: u32;

struct Params {
  batch: u32,
  channels: u32,
  spatial: u32,
  eps: f32,
  relu: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> mean: array<f32>;
@group(0) @binding(3) var<storage, read> spread: array<f32>;
@group(0) @binding(4) var<storage, read> weight: array<f32>;
@group(0) @binding(5) var<storage, read> bias: array<f32>;
@group(0) @binding(6) var<storage, read_write> y: array<f32>;
@group(0) @binding(1) var<storage, read> x4: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> y4: array<vec4<f32>>;

fn scaleOf(c: u32) -> f32 {
  if (ofVariance == 1u) { return weight[c] / sqrt(spread[c] + params.eps); }
  return weight[c] * spread[c];
}

/// NaN stays, and -0 becomes 0.
fn activated(value: f32) -> f32 {
  return select(value, 0.0, params.relu == 1u && isNegative(value) && !isNan(value));
}

@compute @workgroup_size(workgroupSize)
fn perElement(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) grid: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = (group.x + group.y * grid.x) * workgroupSize + lane;
  let plane = i / params.spatial;
  if (plane >= params.batch * params.channels) { return; }
  let c = plane % params.channels;
  y[i] = activated((x[i] - mean[c]) * scaleOf(c) + bias[c]);
}

@compute @workgroup_size(workgroupSize)
fn perFour(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) grid: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = (group.x + group.y * grid.x) * workgroupSize + lane;
  let plane = 4u * i / params.spatial;
  if (plane >= params.batch * params.channels) { return; }
  let c = plane % params.channels;
  let v = (x4[i] - mean[c]) * scaleOf(c) + bias[c];
  y4[i] = vec4(activated(v.x), activated(v.y), activated(v.z), activated(v.w));
}
