// y = f(a, b) over a shape of up to eight axes, in which a stride of 0 repeats an operand. One thread per element; 12 bytes
// moved per element where nothing repeats. With one axis (same shapes, or a scalar) there is no division at all.

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
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<u32>;

@compute @workgroup_size(workgroupSize)
fn main(thread: Thread) {
  let i = itemOf(thread);
  if (i >= params.n) { return; }
  var rest = i;
  var fromA = 0u;
  var fromB = 0u;
  for (var axis = rank - 1u; axis > 0u; axis--) {
    let size = params.shape[axis >> 2u][axis & 3u];
    let coordinate = rest % size;
    rest /= size;
    fromA += coordinate * params.stridesA[axis >> 2u][axis & 3u];
    fromB += coordinate * params.stridesB[axis >> 2u][axis & 3u];
  }
  fromA += rest * params.stridesA[0].x;
  fromB += rest * params.stridesB[0].x;
  y[i] = apply(a[fromA], b[fromB], params.alpha);
}
