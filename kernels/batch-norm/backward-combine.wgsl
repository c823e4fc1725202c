// Second pass of the gradient: joins the parts of a channel and prepares the four numbers of the third pass. With the inverse
// deviation r and m = batch x spatial: gb = sum g, gw = sum g (x - mean) r. One thread per channel.

override workgroupSize: u32;
override parts: u32;

struct Params {
  batch: u32,
  channels: u32,
  spatial: u32,
  eps: f32,
  relu: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> sums: array<vec2<f32>>;
@group(0) @binding(2) var<storage, read> mean: array<f32>;
@group(0) @binding(3) var<storage, read> inverse: array<f32>;
@group(0) @binding(4) var<storage, read> weight: array<f32>;
@group(0) @binding(5) var<storage, read_write> gw: array<f32>;
@group(0) @binding(6) var<storage, read_write> gb: array<f32>;
/// weight r, gb / m, gw r / m, mean.
@group(0) @binding(7) var<storage, read_write> coefficients: array<vec4<f32>>;

@compute @workgroup_size(workgroupSize)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) grid: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let c = (group.x + group.y * grid.x) * workgroupSize + lane;
  if (c >= params.channels) { return; }
  var total = vec2(0.0, 0.0);
  for (var part = 0u; part < parts; part++) { total += sums[c * parts + part]; }
  let r = inverse[c];
  let m = f32(params.batch * params.spatial);
  gb[c] = total.x;
  gw[c] = total.y;
  coefficients[c] = vec4(weight[c] * r, total.x / m, total.y * r / m, mean[c]);
}
