// y = c ? a : b over a shape of up to eight axes, in which a stride of 0 repeats an operand. One thread per element; only the
// chosen side is read: 12 bytes per element where nothing repeats. Words of any type pass through unchanged.

override rank: u32;

struct Params {
  shape: array<vec4<u32>, 2>,
  stridesC: array<vec4<u32>, 2>,
  stridesA: array<vec4<u32>, 2>,
  stridesB: array<vec4<u32>, 2>,
  rank: u32,
  n: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> c: array<u32>;
@group(0) @binding(2) var<storage, read> a: array<u32>;
@group(0) @binding(3) var<storage, read> b: array<u32>;
@group(0) @binding(4) var<storage, read_write> y: array<u32>;

@compute @workgroup_size(workgroupSize)
fn main(thread: Thread) {
  let i = itemOf(thread);
  if (i >= params.n) { return; }
  var rest = i;
  var fromC = 0u;
  var fromA = 0u;
  var fromB = 0u;
  for (var axis = rank - 1u; axis > 0u; axis--) {
    let size = params.shape[axis >> 2u][axis & 3u];
    let coordinate = rest % size;
    rest /= size;
    fromC += coordinate * params.stridesC[axis >> 2u][axis & 3u];
    fromA += coordinate * params.stridesA[axis >> 2u][axis & 3u];
    fromB += coordinate * params.stridesB[axis >> 2u][axis & 3u];
  }
  if (c[fromC + rest * params.stridesC[0].x] != 0u) {
    y[i] = a[fromA + rest * params.stridesA[0].x];
  } else {
    y[i] = b[fromB + rest * params.stridesB[0].x];
  }
}
