// y = (x - mean) / sqrt(variance + eps) weight + bias. 8 bytes moved per element, the four numbers of a channel coming from
// cache; a thread per element, or per four where `spatial` is a multiple of 4.

override workgroupSize: u32;

struct Params {
  batch: u32,
  channels: u32,
  spatial: u32,
  eps: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> mean: array<f32>;
@group(0) @binding(3) var<storage, read> variance: array<f32>;
@group(0) @binding(4) var<storage, read> weight: array<f32>;
@group(0) @binding(5) var<storage, read> bias: array<f32>;
@group(0) @binding(6) var<storage, read_write> y: array<f32>;
@group(0) @binding(1) var<storage, read> x4: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> y4: array<vec4<f32>>;

fn scaleOf(c: u32) -> f32 {
  return weight[c] / sqrt(variance[c] + params.eps);
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
  y[i] = (x[i] - mean[c]) * scaleOf(c) + bias[c];
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
  y4[i] = (x4[i] - mean[c]) * scaleOf(c) + bias[c];
}
