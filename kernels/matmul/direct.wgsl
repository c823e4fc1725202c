// C = op(A) op(B) + bias, one thread per element of C; threads of a workgroup take neighbouring columns.
// Reads 2 k words per element straight from the buffers: m n k (1 + 1) words in all, with no reuse but the cache's.
// The first step of the ladder: the tiled plans read each word once per tile instead of once per element.

struct Params {
  batch: u32,
  m: u32,
  n: u32,
  k: u32,
  transposeA: u32,
  transposeB: u32,
  batchedA: u32,
  batchedB: u32,
  bias: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> c: array<f32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let at = (workgroup.x + workgroup.y * workgroups.x) * 64 + thread;
  if (at >= params.batch * params.m * params.n) {
    return;
  }
  let column = at % params.n;
  let row = at / params.n % params.m;
  let entry = at / (params.n * params.m);
  let strideA = select(1u, params.m, params.transposeA == 1);
  let strideB = select(params.n, 1u, params.transposeB == 1);
  let rowStart = select(row * params.k, row, params.transposeA == 1);
  let columnStart = select(column, column * params.k, params.transposeB == 1);
  let startA = entry * params.batchedA * params.m * params.k + rowStart;
  let startB = entry * params.batchedB * params.k * params.n + columnStart;
  var sum = 0.0;
  for (var l = 0u; l < params.k; l++) {
    sum += a[startA + l * strideA] * b[startB + l * strideB];
  }
  if (params.bias == 1) {
    sum += bias[column];
  }
  c[at] = sum;
}
