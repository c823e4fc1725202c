// Third pass of the gradient: gx = weight r (g - gb / m - (x - mean) r gw / m), with what belongs to a channel prepared by
// backward-combine.wgsl. 12 bytes moved per element, 16 behind a relu; a thread per Element: one number, or four neighbours where
// `spatial` is a multiple of 4. Put behind a definition of Element and of gradientAt.

override workgroupSize: u32;

struct Params {
  batch: u32,
  channels: u32,
  spatial: u32,
  eps: f32,
  relu: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Element>;
@group(0) @binding(2) var<storage, read> g: array<Element>;
@group(0) @binding(3) var<storage, read> coefficients: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> gx: array<Element>;

@compute @workgroup_size(workgroupSize)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) grid: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = (group.x + group.y * grid.x) * workgroupSize + lane;
  let plane = ELEMENT_WIDTH * i / params.spatial;
  if (plane >= params.batch * params.channels) { return; }
  let k = coefficients[plane % params.channels];
  gx[i] = k.x * (gradientAt(i) - k.y - (x[i] - k.w) * k.z);
}
