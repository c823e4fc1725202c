// Second pass of a split sum: result[i] = partials[0][i] + partials[1][i] + ... in this order. One thread per element,
// neighbours read neighbouring words; every partial is read once.

@group(0) @binding(1) var<storage, read> partials: array<f32>;
@group(0) @binding(2) var<storage, read_write> result: array<f32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let at = (workgroup.x + workgroup.y * workgroups.x) * 64 + thread;
  let size = arrayLength(&result);
  if (at >= size) {
    return;
  }
  var sum = 0.0;
  for (var i = at; i < arrayLength(&partials); i += size) {
    sum += partials[i];
  }
  result[at] = sum;
}
