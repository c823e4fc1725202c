// Start: one thread per line adds up one element after the other. Every element is read once (4 bytes for 1 flop), but each
// addition waits for the one before, neighbouring threads read words that are a line apart, and few lines are few threads.

override workgroupSize: u32;

struct Params {
  outer: u32,
  n: u32,
  inner: u32,
  op: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(workgroupSize)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) grid: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = (group.x + group.y * grid.x) * workgroupSize + lane;
  let o = at / params.inner;
  if (o >= params.outer) { return; }
  var sum = 0.0;
  for (var k = 0u; k < params.n; k++) { sum += x[(o * params.n + k) * params.inner + at % params.inner]; }
  y[at] = sum;
}
