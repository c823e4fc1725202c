// A thread per element: workgroups add up 256 neighbours in a tree, and passes follow until one is left. All threads of the
// machine read side by side, but each for one word only (4 bytes, 1 flop), half of them idle after the first of eight
// barriers, and the sums between passes move 1/128 of the bytes again.

const THREADS = 256u;

/// Elements of a line in this pass; 0: all of them.
override length: u32;

struct Params {
  outer: u32,
  n: u32,
  inner: u32,
  op: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

var<workgroup> lanes: array<f32, THREADS>;

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) grid: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let n = select(params.n, length, length > 0u);
  let parts = (n + THREADS - 1u) / THREADS;
  let at = group.x + group.y * grid.x;
  let o = at / parts;
  if (o >= params.outer) { return; }
  let k = at % parts * THREADS + lane;
  var value = 0.0;
  if (k < n) { value = x[o * n + k]; }
  lanes[lane] = value;
  for (var width = THREADS / 2u; width > 0u; width /= 2u) {
    workgroupBarrier();
    if (lane < width) { lanes[lane] += lanes[lane + width]; }
  }
  if (lane == 0u) { y[at] = lanes[0]; }
}
