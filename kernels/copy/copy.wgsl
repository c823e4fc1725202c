// y[outOffset + i . outStrides] = x[inOffset + i . inStrides] over a shape of up to eight axes; strides may be negative. One
// thread per element copied, in the order of the shape; 8 bytes moved per element. `perFour` copies a contiguous run whose
// length and offsets are multiples of 4, four words per thread. Words of any type.

override rank: u32;

struct Params {
  shape: array<vec4<u32>, 2>,
  inStrides: array<vec4<i32>, 2>,
  outStrides: array<vec4<i32>, 2>,
  rank: u32,
  n: u32,
  inOffset: u32,
  outOffset: u32,
  inSize: u32,
  outSize: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;
@group(0) @binding(1) var<storage, read> x4: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> y4: array<vec4<u32>>;

@compute @workgroup_size(workgroupSize)
fn perElement(thread: Thread) {
  let i = itemOf(thread);
  if (i >= params.n) { return; }
  var rest = i;
  // Unsigned sums wrap, so that a negative stride is the same as a large positive one.
  var source = params.inOffset;
  var destination = params.outOffset;
  for (var axis = rank - 1u; axis > 0u; axis--) {
    let size = params.shape[axis >> 2u][axis & 3u];
    let coordinate = rest % size;
    rest /= size;
    source += coordinate * bitcast<u32>(params.inStrides[axis >> 2u][axis & 3u]);
    destination += coordinate * bitcast<u32>(params.outStrides[axis >> 2u][axis & 3u]);
  }
  source += rest * bitcast<u32>(params.inStrides[0].x);
  destination += rest * bitcast<u32>(params.outStrides[0].x);
  y[destination] = x[source];
}

@compute @workgroup_size(workgroupSize)
fn perFour(thread: Thread) {
  let i = itemOf(thread);
  if (i >= params.n / 4u) { return; }
  y4[params.outOffset / 4u + i] = x4[params.inOffset / 4u + i];
}
