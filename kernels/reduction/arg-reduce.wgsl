// y[o][i] = the first k at which x[o][k][i] is largest (smallest), NaN before all numbers.
//
// `perThread`: a thread per (o, i). `perWorkgroup`: a workgroup per o where inner = 1. Values are compared as integers that
// are ordered like them, so NaN needs no float comparison; ties go to the smaller k, so the order of visits is free.

override op: u32;
override workgroupSize: u32;

struct Params {
  outer: u32,
  n: u32,
  inner: u32,
  op: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;

struct Candidate {
  key: u32,
  k: u32,
}

var<workgroup> lanes: array<Candidate, workgroupSize>;

/// Larger for what is to be found first. No key of a number is 0 or 2^32 - 1; both zeros have the same.
fn orderKey(value: f32) -> u32 {
  if (isNan(value)) { return 0xffffffffu; }
  var bits = bitcast<u32>(value);
  if ((bits & 0x7fffffffu) == 0u) { bits = 0u; }
  let ascending = select(bits | 0x80000000u, ~bits, (bits >> 31u) == 1u);
  return select(ascending, ~ascending, op == ARG_REDUCTION_MIN);
}

fn better(a: Candidate, b: Candidate) -> Candidate {
  if (b.key > a.key || (b.key == a.key && b.k < a.k)) { return b; }
  return a;
}

/// The best of x[base + k inner] for k = begin, begin + step, ... below params.n; key 0 if there is none.
fn searchLine(base: u32, begin: u32, step: u32) -> Candidate {
  var best = Candidate(0u, 0u);
  for (var k = begin; k < params.n; k += step) {
    let key = orderKey(x[base + k * params.inner]);
    if (key > best.key) { best = Candidate(key, k); }
  }
  return best;
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
  y[at] = searchLine(o * params.n * params.inner + at % params.inner, 0u, 1u).k;
}

@compute @workgroup_size(workgroupSize)
fn perWorkgroup(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) grid: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let o = group.x + group.y * grid.x;
  if (o >= params.outer) { return; }
  lanes[lane] = searchLine(o * params.n, lane, workgroupSize);
  for (var width = workgroupSize / 2u; width > 0u; width /= 2u) {
    workgroupBarrier();
    if (lane < width) { lanes[lane] = better(lanes[lane], lanes[lane + width]); }
  }
  if (lane == 0u) { y[o] = lanes[0].k; }
}
