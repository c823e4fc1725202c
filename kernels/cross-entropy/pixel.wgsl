// What the shaders of softmax cross-entropy share; put before each, after the names of its bindings. Equations are in
// cross-entropy.ts.

override workgroupSize: u32;

struct Params {
  batch: u32,
  classes: u32,
  spatial: u32,
  ignoreIndex: i32,
  weighted: u32,
  smoothing: f32,
  reduction: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> labels: array<i32>;
/// Bound to x where there are none.
@group(0) @binding(3) var<storage, read> weights: array<f32>;

fn weightOf(k: u32) -> f32 {
  if (params.weighted == 0u) { return 1.0; }
  return weights[k];
}

/// The weight of a label, NaN for one that is not a class. A negative label is a large unsigned one.
fn labelWeight(label: i32) -> f32 {
  if (u32(label) >= params.classes) { return notANumber(); }
  return weightOf(u32(label));
}

/// Where the logits of a pixel begin; they lie `spatial` apart.
fn firstLogit(pixel: u32) -> u32 {
  return pixel / params.spatial * params.classes * params.spatial + pixel % params.spatial;
}

/// Where the first normaliser of a pixel lies; the second follows after `spatial`.
fn firstNormalizer(pixel: u32) -> u32 {
  return pixel / params.spatial * 2u * params.spatial + pixel % params.spatial;
}

var<workgroup> lanes: array<vec2<f32>, workgroupSize>;

/// The sum over the threads of a workgroup, given to all of them. Uniform control flow only.
fn addLanes(lane: u32, value: vec2<f32>) -> vec2<f32> {
  workgroupBarrier();
  lanes[lane] = value;
  for (var width = workgroupSize / 2u; width > 0u; width /= 2u) {
    workgroupBarrier();
    if (lane < width) { lanes[lane] += lanes[lane + width]; }
  }
  workgroupBarrier();
  return lanes[0];
}

/// The largest over the threads of a workgroup.
fn largestLane(lane: u32, value: f32) -> f32 {
  workgroupBarrier();
  lanes[lane].x = value;
  for (var width = workgroupSize / 2u; width > 0u; width /= 2u) {
    workgroupBarrier();
    if (lane < width) { lanes[lane].x = maximum(lanes[lane].x, lanes[lane + width].x); }
  }
  workgroupBarrier();
  return lanes[0].x;
}
