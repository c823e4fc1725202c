// One step of RMSprop, in place: v is the running mean of g^2, a that of g if centered, b the momentum buffer if there is one.
// One entry point for each set of buffers. One thread per parameter; 20 bytes moved, and 8 more for each of a and b.

struct Params {
  /// Of all parameters of the launch; a pass is for one of them, which is as long as its buffers.
  n: array<vec4<u32>, 8>,
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
/// b if there is momentum, a if centered; the others are bound to g and not used.
@group(0) @binding(4) var<storage, read_write> b: array<f32>;
@group(0) @binding(5) var<storage, read_write> a: array<f32>;

fn gradientOf(i: u32) -> f32 {
  return g[i] + params.weightDecay * p[i];
}

fn updateSquare(i: u32, gradient: f32) -> f32 {
  let updated = params.alpha * v[i] + params.oneMinusAlpha * gradient * gradient;
  v[i] = updated;
  return updated;
}

/// The gradient over the root of its mean square, which is updated.
fn aboutZero(i: u32) -> f32 {
  let gradient = gradientOf(i);
  return gradient / (sqrt(updateSquare(i, gradient)) + params.eps);
}

/// The gradient over its deviation about the running mean; both moments are updated.
fn aboutMean(i: u32) -> f32 {
  let gradient = gradientOf(i);
  let mean = params.alpha * a[i] + params.oneMinusAlpha * gradient;
  a[i] = mean;
  return gradient / (sqrt(updateSquare(i, gradient) - mean * mean) + params.eps);
}

fn stepWithMomentum(i: u32, direction: f32) {
  let velocity = params.momentum * b[i] + direction;
  b[i] = velocity;
  p[i] -= params.learningRate * velocity;
}

@compute @workgroup_size(workgroupSize)
fn plain(thread: Thread) {
  let i = itemOf(thread);
  if (i >= arrayLength(&g)) { return; }
  p[i] -= params.learningRate * aboutZero(i);
}

@compute @workgroup_size(workgroupSize)
fn withMomentum(thread: Thread) {
  let i = itemOf(thread);
  if (i >= arrayLength(&g)) { return; }
  stepWithMomentum(i, aboutZero(i));
}

@compute @workgroup_size(workgroupSize)
fn centered(thread: Thread) {
  let i = itemOf(thread);
  if (i >= arrayLength(&g)) { return; }
  p[i] -= params.learningRate * aboutMean(i);
}

@compute @workgroup_size(workgroupSize)
fn centeredWithMomentum(thread: Thread) {
  let i = itemOf(thread);
  if (i >= arrayLength(&g)) { return; }
  stepWithMomentum(i, aboutMean(i));
}
