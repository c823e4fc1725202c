// y[o][i] = reduction over k of x[o][k][i], for the parts of a long axis first and for their results in a second pass.
//
// `perThread`: a thread per (o, part, i), neighbours along i. `perWorkgroup`: a workgroup per (o, part) where inner = 1,
// whose threads read neighbouring k and then combine pairwise. Both read every element once. Sums go by four chains of
// groups of blocks: no number is added to more than a few dozen others in a row, also where equal terms round the same way
// each time. Their order is fixed by the shape and the plan alone.

override op: u32;
override workgroupSize: u32;
/// Parts of the axis, each of ceil(length / parts) elements; y is [outer, parts, inner].
override parts: u32;
/// Length of the axis of x if it is not params.n: the parts of the first pass.
override partial: u32;
/// Whether this pass ends the reduction, so that a mean is divided here.
override isLast: bool;

/// Fours that are combined on their own before they join a group, and such blocks in a group before it joins the total.
const BLOCK = 16u;
const GROUP = 16u;

struct Params {
  outer: u32,
  n: u32,
  inner: u32,
  op: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

var<workgroup> lanes: array<f32, workgroupSize>;

fn identity() -> f32 {
  switch op {
    case REDUCTION_MAX: { return -infinity(); }
    case REDUCTION_MIN: { return infinity(); }
    default: { return 0.0; }
  }
}

fn combine(a: f32, b: f32) -> f32 {
  switch op {
    case REDUCTION_MAX: { return maximum(a, b); }
    case REDUCTION_MIN: { return minimum(a, b); }
    default: { return a + b; }
  }
}

fn finish(total: f32) -> f32 {
  if (!isLast || op != REDUCTION_MEAN) { return total; }
  if (params.n == 0u) { return notANumber(); }
  return total / f32(params.n);
}

fn axisLength() -> u32 {
  return select(params.n, partial, partial > 0u);
}

/// First element of a part.
fn partStart(part: u32) -> u32 {
  let length = axisLength();
  return min(length, part * ((length + parts - 1u) / parts));
}

fn combineFour(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> {
  if (op == REDUCTION_MAX || op == REDUCTION_MIN) {
    return vec4(combine(a.x, b.x), combine(a.y, b.y), combine(a.z, b.z), combine(a.w, b.w));
  }
  return a + b;
}

/// Reduces x[base + k inner] over k = begin, begin + step, ... below end, in four interleaved chains: their loads do not
/// wait for each other.
fn reduceLine(base: u32, begin: u32, end: u32, step: u32) -> f32 {
  var chains = vec4(identity());
  var k = begin;
  let stride = step * params.inner;
  while (k + 3u * step < end) {
    var group = vec4(identity());
    for (var i = 0u; i < GROUP && k + 3u * step < end; i++) {
      var block = vec4(identity());
      for (var j = 0u; j < BLOCK && k + 3u * step < end; j++) {
        let at = base + k * params.inner;
        block = combineFour(block, vec4(x[at], x[at + stride], x[at + 2u * stride], x[at + 3u * stride]));
        k += 4u * step;
      }
      group = combineFour(group, block);
    }
    chains = combineFour(chains, group);
  }
  var total = combine(combine(chains.x, chains.y), combine(chains.z, chains.w));
  while (k < end) {
    total = combine(total, x[base + k * params.inner]);
    k += step;
  }
  return total;
}

@compute @workgroup_size(workgroupSize)
fn perThread(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) grid: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = (group.x + group.y * grid.x) * workgroupSize + lane;
  let rows = at / params.inner;
  let part = rows % parts;
  let o = rows / parts;
  if (o >= params.outer) { return; }
  let base = o * axisLength() * params.inner + at % params.inner;
  y[at] = finish(reduceLine(base, partStart(part), partStart(part + 1u), 1u));
}

@compute @workgroup_size(workgroupSize)
fn perWorkgroup(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) grid: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = group.x + group.y * grid.x;
  let part = at % parts;
  let o = at / parts;
  if (o >= params.outer) { return; }
  lanes[lane] = reduceLine(o * axisLength(), partStart(part) + lane, partStart(part + 1u), workgroupSize);
  for (var width = workgroupSize / 2u; width > 0u; width /= 2u) {
    workgroupBarrier();
    if (lane < width) { lanes[lane] = combine(lanes[lane], lanes[lane + width]); }
  }
  if (lane == 0u) { y[at] = finish(lanes[0]); }
}
