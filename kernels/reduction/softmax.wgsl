// y = e^(x - m) / sum of e^(x - m) along the middle axis of [outer, n, inner], m its maximum; or the logarithm of that.
//
// `perThread`: a thread per (o, i), neighbours along i, for the classes of a pixel. `perWorkgroup`: a workgroup per o where
// inner = 1 and rows are long. x is read three times, from cache after the first, and y written once.

override isLog: bool;
override workgroupSize: u32;

const BLOCK = 32u;

struct Params {
  outer: u32,
  n: u32,
  inner: u32,
  log: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

var<workgroup> lanes: array<vec2<f32>, workgroupSize>;

fn lineMaximum(base: u32, begin: u32, step: u32) -> f32 {
  var result = -infinity();
  for (var k = begin; k < params.n; k += step) { result = maximum(result, x[base + k * params.inner]); }
  return result;
}

/// Sum of e^(x - m) below m, which keeps what is small beside 1, and how many are m. By blocks so that long lines keep their
/// accuracy.
fn lineSum(base: u32, begin: u32, step: u32, m: f32) -> vec2<f32> {
  var sums = vec2(0.0);
  var k = begin;
  while (k < params.n) {
    var block = 0.0;
    for (var j = 0u; j < BLOCK && k < params.n; j++) {
      let shifted = x[base + k * params.inner] - m;
      let isTop = shifted == 0.0 && !isNan(shifted);
      block += select(preciseExp(shifted), 0.0, isTop);
      sums.y += select(0.0, 1.0, isTop);
      k += step;
    }
    sums.x += block;
  }
  return sums;
}

fn writeLine(base: u32, begin: u32, step: u32, m: f32, sums: vec2<f32>) {
  let total = sums.x + sums.y;
  let logTotal = preciseLogOnePlus(sums.x + (sums.y - 1.0));
  for (var k = begin; k < params.n; k += step) {
    let at = base + k * params.inner;
    let shifted = x[at] - m;
    if (isLog) { y[at] = shifted - logTotal; } else { y[at] = preciseExp(shifted) / total; }
  }
}

@compute @workgroup_size(workgroupSize)
fn perThread(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) grid: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = (group.x + group.y * grid.x) * workgroupSize + lane;
  let o = at / params.inner;
  if (o >= params.outer) { return; }
  let base = o * params.n * params.inner + at % params.inner;
  let m = lineMaximum(base, 0u, 1u);
  writeLine(base, 0u, 1u, m, lineSum(base, 0u, 1u, m));
}

@compute @workgroup_size(workgroupSize)
fn perWorkgroup(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) grid: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let o = group.x + group.y * grid.x;
  if (o >= params.outer) { return; }
  let base = o * params.n;
  lanes[lane].x = lineMaximum(base, lane, workgroupSize);
  for (var width = workgroupSize / 2u; width > 0u; width /= 2u) {
    workgroupBarrier();
    if (lane < width) { lanes[lane].x = maximum(lanes[lane].x, lanes[lane + width].x); }
  }
  workgroupBarrier();
  let m = lanes[0].x;
  workgroupBarrier();
  lanes[lane] = lineSum(base, lane, workgroupSize, m);
  for (var width = workgroupSize / 2u; width > 0u; width /= 2u) {
    workgroupBarrier();
    if (lane < width) { lanes[lane] += lanes[lane + width]; }
  }
  workgroupBarrier();
  writeLine(base, lane, workgroupSize, m, lanes[0]);
}
