// The gradient of softmax or of its logarithm along the middle axis of [outer, n, inner], from its output y and the gradient g
// of that; equations in reduction.ts. y and g are read three times, from cache after the first, and gx written once.
//
// `perThread`: a thread per (o, i), neighbours along i, for the classes of a pixel. `perWorkgroup`: a workgroup per o where
// inner = 1 and rows are long.

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
@group(0) @binding(1) var<storage, read> y: array<f32>;
@group(0) @binding(2) var<storage, read> g: array<f32>;
@group(0) @binding(3) var<storage, read_write> gx: array<f32>;

var<workgroup> lanes: array<f32, workgroupSize>;
var<workgroup> places: array<u32, workgroupSize>;

/// The most likely k of a thread's share, the first of them.
fn topOf(base: u32, begin: u32, step: u32) -> u32 {
  var top = min(begin, params.n - 1u);
  for (var k = top + step; k < params.n; k += step) {
    if (y[base + k * params.inner] > y[base + top * params.inner]) { top = k; }
  }
  return top;
}

/// The sum over all but `top`: of g for the logarithm, else of y (g - gTop). By blocks so that long lines keep their accuracy.
fn sumOfOthers(base: u32, begin: u32, step: u32, top: u32, gTop: f32) -> f32 {
  var total = 0.0;
  var k = begin;
  while (k < params.n) {
    var block = 0.0;
    for (var j = 0u; j < BLOCK && k < params.n; j++) {
      let at = base + k * params.inner;
      if (k != top) {
        if (isLog) { block += g[at]; } else { block += y[at] * (g[at] - gTop); }
      }
      k += step;
    }
    total += block;
  }
  return total;
}

fn writeLine(base: u32, begin: u32, step: u32, top: u32, gTop: f32, others: f32) {
  for (var k = begin; k < params.n; k += step) {
    let at = base + k * params.inner;
    if (!isLog) {
      gx[at] = y[at] * (g[at] - gTop - others);
    } else if (k == top) {
      gx[at] = -gTop * preciseExpMinusOne(y[at]) - preciseExp(y[at]) * others;
    } else {
      gx[at] = g[at] - preciseExp(y[at]) * (others + gTop);
    }
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
  let top = topOf(base, 0u, 1u);
  let gTop = g[base + top * params.inner];
  writeLine(base, 0u, 1u, top, gTop, sumOfOthers(base, 0u, 1u, top, gTop));
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
  places[lane] = topOf(base, lane, workgroupSize);
  for (var width = workgroupSize / 2u; width > 0u; width /= 2u) {
    workgroupBarrier();
    if (lane < width && y[base + places[lane + width]] > y[base + places[lane]]) { places[lane] = places[lane + width]; }
  }
  workgroupBarrier();
  let top = places[0];
  let gTop = g[base + top];
  lanes[lane] = sumOfOthers(base, lane, workgroupSize, top, gTop);
  for (var width = workgroupSize / 2u; width > 0u; width /= 2u) {
    workgroupBarrier();
    if (lane < width) { lanes[lane] += lanes[lane + width]; }
  }
  workgroupBarrier();
  writeLine(base, lane, workgroupSize, top, gTop, lanes[0]);
}
