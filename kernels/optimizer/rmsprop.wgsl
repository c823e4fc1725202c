// One step of RMSprop, in place: v is the running mean of g^2, a that of g if centered, b the momentum buffer if there is one.
// One entry point for each set of buffers. One thread per parameter; 20 bytes moved, and 8 more for each of a and b.

override workgroupSize: u32;

struct Params {
  n: u32,
  learningRate: f32,
  alpha: f32,
  oneMinusAlpha: f32,
  eps: f32,
  weightDecay: f32,
  momentum: f32,
  centered: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> g: array<f32>;
@group(0) @binding(2) var<storage, read_write> p: array<f32>;
@group(0) @binding(3) var<storage, read_write> v: array<f32>;
/// a if centered, else b. The fourth is b where there are both.
@group(0) @binding(4) var<storage, read_write> third: array<f32>;
@group(0) @binding(5) var<storage, read_write> fourth: array<f32>;

fn gradientOf(i: u32) -> f32 {
  return g[i] + params.weightDecay * p[i];
}

fn updateSquare(i: u32, gradient: f32) -> f32 {
  let updated = params.alpha * v[i] + params.oneMinusAlpha * gradient * gradient;
  v[i] = updated;
  return updated;
}

/// The variance about the running mean, which is updated too.
fn updateCentered(i: u32, gradient: f32) -> f32 {
  let mean = params.alpha * third[i] + params.oneMinusAlpha * gradient;
  third[i] = mean;
  return updateSquare(i, gradient) - mean * mean;
}

fn scaled(gradient: f32, variance: f32) -> f32 {
  return gradient / (sqrt(variance) + params.eps);
}

@compute @workgroup_size(workgroupSize)
fn plain(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) grid: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = (group.x + group.y * grid.x) * workgroupSize + lane;
  if (i >= params.n) { return; }
  let gradient = gradientOf(i);
  p[i] -= params.learningRate * scaled(gradient, updateSquare(i, gradient));
}

@compute @workgroup_size(workgroupSize)
fn withMomentum(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) grid: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = (group.x + group.y * grid.x) * workgroupSize + lane;
  if (i >= params.n) { return; }
  let gradient = gradientOf(i);
  let velocity = params.momentum * third[i] + scaled(gradient, updateSquare(i, gradient));
  third[i] = velocity;
  p[i] -= params.learningRate * velocity;
}

@compute @workgroup_size(workgroupSize)
fn centered(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) grid: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = (group.x + group.y * grid.x) * workgroupSize + lane;
  if (i >= params.n) { return; }
  let gradient = gradientOf(i);
  p[i] -= params.learningRate * scaled(gradient, updateCentered(i, gradient));
}

@compute @workgroup_size(workgroupSize)
fn centeredWithMomentum(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) grid: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = (group.x + group.y * grid.x) * workgroupSize + lane;
  if (i >= params.n) { return; }
  let gradient = gradientOf(i);
  let velocity = params.momentum * fourth[i] + scaled(gradient, updateCentered(i, gradient));
  fourth[i] = velocity;
  p[i] -= params.learningRate * velocity;
}
