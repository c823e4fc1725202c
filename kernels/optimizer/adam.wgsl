// One step of Adam, AdamW or AMSGrad, in place: m and v are running moments of the gradient,
// p = shrink p - stepSize m / (sqrt(v) / correction + eps). One thread per parameter; 28 bytes moved, with amsgrad 36.

struct Params {
  /// Of all parameters of the launch; a pass is for one of them, which is as long as its buffers.
  n: array<vec4<u32>, 8>,
  stepSize: f32,
  beta1: f32,
  beta2: f32,
  oneMinusBeta1: f32,
  oneMinusBeta2: f32,
  eps: f32,
  weightDecay: f32,
  shrink: f32,
  correction: f32,
  amsgrad: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> g: array<f32>;
@group(0) @binding(2) var<storage, read_write> p: array<f32>;
@group(0) @binding(3) var<storage, read_write> m: array<f32>;
@group(0) @binding(4) var<storage, read_write> v: array<f32>;
@group(0) @binding(5) var<storage, read_write> vMax: array<f32>;

/// Updates m[i] and v[i]; returns p[i] after decoupled decay.
fn updateMoments(i: u32) -> f32 {
  let shrunk = params.shrink * p[i];
  let gradient = g[i] + params.weightDecay * shrunk;
  m[i] = params.beta1 * m[i] + params.oneMinusBeta1 * gradient;
  v[i] = params.beta2 * v[i] + params.oneMinusBeta2 * gradient * gradient;
  return shrunk;
}

fn stepOf(i: u32, second: f32) -> f32 {
  return params.stepSize * m[i] / (sqrt(second) / params.correction + params.eps);
}

@compute @workgroup_size(workgroupSize)
fn plain(thread: Thread) {
  let i = itemOf(thread);
  if (i >= arrayLength(&g)) { return; }
  let shrunk = updateMoments(i);
  p[i] = shrunk - stepOf(i, v[i]);
}

@compute @workgroup_size(workgroupSize)
fn amsgrad(thread: Thread) {
  let i = itemOf(thread);
  if (i >= arrayLength(&g)) { return; }
  let shrunk = updateMoments(i);
  let largest = maximum(vMax[i], v[i]);
  vMax[i] = largest;
  p[i] = shrunk - stepOf(i, largest);
}
