// y = f(a, b) for four neighbouring elements per thread, which keeps four times the bytes in flight. a has no repeats. In
// `dense` b has none either; in `repeated` four neighbours share one element of b, as with a scalar or one number per
// channel. The last axis must be a multiple of 4; other cases are in binary.wgsl.

override rank: u32;

struct Params {
  shape: array<vec4<u32>, 2>,
  stridesA: array<vec4<u32>, 2>,
  stridesB: array<vec4<u32>, 2>,
  rank: u32,
  n: u32,
  op: u32,
  alpha: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a4: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> b4: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> y4: array<vec4<u32>>;

fn applyFour(u: vec4<f32>, v: vec4<f32>) -> vec4<u32> {
  var result: vec4<u32>;
  for (var k = 0; k < 4; k++) { result[k] = apply(u[k], v[k], params.alpha); }
  return result;
}

@compute @workgroup_size(workgroupSize)
fn dense(thread: Thread) {
  let i = itemOf(thread);
  if (i >= params.n / 4u) { return; }
  y4[i] = applyFour(a4[i], b4[i]);
}

@compute @workgroup_size(workgroupSize)
fn repeated(thread: Thread) {
  let i = itemOf(thread);
  if (i >= params.n / 4u) { return; }
  // The last axis has stride 0 in b, so it only has to be divided away.
  var rest = 4u * i;
  var source = 0u;
  for (var axis = rank - 1u; axis > 0u; axis--) {
    let size = params.shape[axis >> 2u][axis & 3u];
    source += rest % size * params.stridesB[axis >> 2u][axis & 3u];
    rest /= size;
  }
  source += rest * params.stridesB[0].x;
  y4[i] = applyFour(a4[i], vec4(b[source]));
}
