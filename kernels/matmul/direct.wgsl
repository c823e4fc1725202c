// C = op(A) op(B) + bias, one thread per element of C; neighbouring threads take neighbouring columns.
// Loads two words per multiply-add, with no reuse but the cache's. For products too small for a tile. Terms are added up by 256,
// these sums by 256, and those in turn, so that no chain of additions grows with the inner dimension.

const RUN = 256u;

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
  let strideA = stridesA(entry);
  let strideB = stridesB(entry);
  let startA = strideA.start + row * strideA.outer;
  let startB = strideB.start + column * strideB.outer;
  var sum = 0.0;
  var l = 0u;
  while (l < params.k) {
    let end = l + min(params.k - l, RUN * RUN);
    var part = 0.0;
    while (l < end) {
      let runEnd = min(end, l + RUN);
      var run = 0.0;
      for (; l < runEnd; l++) { run += a[startA + l * strideA.inner] * b[startB + l * strideB.inner]; }
      part += run;
    }
    sum += part;
  }
  c[at] = sum + biasOf(column);
}
