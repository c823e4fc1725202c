// One step of stochastic gradient descent, in place: g += weightDecay p; b = first ? g : momentum b + gain g;
// p -= learningRate (nesterov ? g + momentum b : b). One thread per parameter; 12 bytes moved, with momentum 20.

struct Params {
  /// Of all parameters of the launch; a pass is for one of them, which is as long as its buffers.
  n: array<vec4<u32>, 8>,
  learningRate: f32,
  momentum: f32,
  gain: f32,
  weightDecay: f32,
  nesterov: u32,
  first: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> g: array<f32>;
@group(0) @binding(2) var<storage, read_write> p: array<f32>;
@group(0) @binding(3) var<storage, read_write> b: array<f32>;

@compute @workgroup_size(workgroupSize)
fn plain(thread: Thread) {
  let i = itemOf(thread);
  if (i >= arrayLength(&g)) { return; }
  p[i] -= params.learningRate * (g[i] + params.weightDecay * p[i]);
}

@compute @workgroup_size(workgroupSize)
fn withMomentum(thread: Thread) {
  let i = itemOf(thread);
  if (i >= arrayLength(&g)) { return; }
  let gradient = g[i] + params.weightDecay * p[i];
  // In the first step b holds no number yet, so it must not be multiplied by anything.
  var velocity = gradient;
  if (params.first == 0u) { velocity = params.momentum * b[i] + params.gain * gradient; }
  b[i] = velocity;
  if (params.nesterov != 0u) { velocity = gradient + params.momentum * velocity; }
  p[i] -= params.learningRate * velocity;
}
