// Start: one thread per element of C = op(A) op(B) + bias, neighbouring threads below each other. Two words loaded per
// multiply-add (2 flops for 8 bytes), none used again but from the cache; neighbours read rows of A that are k words apart,
// so a subgroup asks for as many cache lines as it has threads.

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
  let row = at % params.m;
  let column = at / params.m % params.n;
  let entry = at / (params.n * params.m);
  let strideA = stridesA(entry);
  let strideB = stridesB(entry);
  var sum = 0.0;
  for (var l = 0u; l < params.k; l++) {
    sum += a[strideA.start + row * strideA.outer + l * strideA.inner] * b[strideB.start + column * strideB.outer + l * strideB.inner];
  }
  c[(entry * params.m + row) * params.n + column] = sum + biasOf(column);
}
