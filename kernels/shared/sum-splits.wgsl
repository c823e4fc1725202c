// Second pass of a split sum: result[i] = partials[0][i] + partials[1][i] + ..., in runs of RUN whose sums are added up in turn, so
// that no chain of additions grows long. One thread per element, neighbours read neighbouring words; every partial is read once.

const RUN = 32u;

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
  let end = arrayLength(&partials);
  var sum = 0.0;
  var i = at;
  while (i < end) {
    var run = 0.0;
    for (var j = 0u; j < RUN && i < end; j++) {
      run += partials[i];
      i += size;
    }
    sum += run;
  }
  result[at] = sum;
}
