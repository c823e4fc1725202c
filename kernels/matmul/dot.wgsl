// C = op(A) op(B) + bias for few elements and a long inner dimension, as in products with a vector. A workgroup of 64
// threads makes one element: thread t adds up the terms t, t + 64, ..., then a tree in workgroup memory adds up the threads,
// in the same order every time. Two loads per multiply-add, neighbours in neighbouring words where the inner stride is one. A thread
// adds up its terms by 256 and then these sums.

const RUN = 256u;

var<workgroup> parts: array<f32, 64>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let at = workgroup.x + workgroup.y * workgroups.x;
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
  var l = thread;
  while (l < params.k) {
    var run = 0.0;
    for (var i = 0u; i < RUN && l < params.k; i++) {
      run += a[startA + l * strideA.inner] * b[startB + l * strideB.inner];
      l += 64;
    }
    sum += run;
  }
  parts[thread] = sum;
  for (var half = 32u; half > 0; half /= 2) {
    workgroupBarrier();
    if (thread < half) {
      parts[thread] += parts[thread + half];
    }
  }
  if (thread == 0) {
    c[at] = parts[0] + biasOf(column);
  }
}
