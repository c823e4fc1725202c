// Mean, biased variance and inverse deviation 1 / sqrt(variance + eps) of every channel.
//
// One workgroup per channel, or per part of one, adds up x for the mean and then, from cache, x - mean and its square: the
// first corrects the mean, the second is the variance about it, so a large mean cancels nothing. Squares are those of x over a
// power of two near its largest value, so that none leaves the range of float32, and parts hand on the root of their mean
// square. `combine` joins the parts of a channel, one thread each. x is read once from memory and once more from cache, which
// is what exactness costs over a single sweep; results are per channel.

@group(0) @binding(1) var<storage, read> x: array<Element>;
/// Mean and deviation of each part of each channel.
@group(0) @binding(2) var<storage, read_write> moments: array<vec2<f32>>;

@group(0) @binding(1) var<storage, read> partMoments: array<vec2<f32>>;
@group(0) @binding(2) var<storage, read_write> mean: array<f32>;
@group(0) @binding(3) var<storage, read_write> variance: array<f32>;
@group(0) @binding(4) var<storage, read_write> inverse: array<f32>;

/// The bits of the power of two at or below a number that is not negative, kept where its inverse is a normal number too.
fn magnitude(value: f32) -> u32 {
  return clamp(bitcast<u32>(value) >> 23u, 1u, 253u) << 23u;
}

fn powerOf(bits: u32) -> f32 {
  return bitcast<f32>(bits);
}

fn inversePowerOf(bits: u32) -> f32 {
  return bitcast<f32>((254u << 23u) - bits);
}

/// Sum of `share` x, and the largest |x|, over every workgroupSize-th Element of a part.
fn roughSums(share: f32, channel: u32, begin: u32, end: u32) -> vec2<f32> {
  var total = vec2(0.0, 0.0);
  var walk = startWalk(channel, begin);
  while (walk.index < end) {
    var block = 0.0;
    for (var j = 0u; j < BLOCK * BLOCK && walk.index < end; j++) {
      let value = x[walk.row + walk.column];
      block += elementSum(value * share);
      total.y = max(total.y, elementMax(abs(value)));
      walk = nextStep(walk);
    }
    total.x += block;
  }
  return total;
}

/// As addLanes, but of the second numbers the largest.
fn joinRough(lane: u32, value: vec2<f32>) -> vec2<f32> {
  lanes[lane] = value;
  for (var width = workgroupSize / 2u; width > 0u; width /= 2u) {
    workgroupBarrier();
    if (lane < width) {
      let other = lanes[lane + width];
      lanes[lane] = vec2(lanes[lane].x + other.x, max(lanes[lane].y, other.y));
    }
  }
  workgroupBarrier();
  return lanes[0];
}

/// Sums of (x - center) scale and of its square over every workgroupSize-th Element of a part.
fn sumsAbout(center: f32, scale: f32, channel: u32, begin: u32, end: u32) -> vec2<f32> {
  var total = vec2(0.0, 0.0);
  var walk = startWalk(channel, begin);
  while (walk.index < end) {
    var blocks = vec2(0.0, 0.0);
    for (var i = 0u; i < BLOCK && walk.index < end; i++) {
      var block = vec2(0.0, 0.0);
      for (var j = 0u; j < BLOCK && walk.index < end; j++) {
        let d = x[walk.row + walk.column] * scale - center * scale;
        block += vec2(elementSum(d), elementSum(d * d));
        walk = nextStep(walk);
      }
      blocks += block;
    }
    total += blocks;
  }
  return total;
}

@compute @workgroup_size(workgroupSize)
fn perPart(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) grid: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = group.x + group.y * grid.x;
  let channel = at / parts;
  if (channel >= params.channels) { return; }
  let begin = partStart(at % parts);
  let end = partStart(at % parts + 1u);
  let count = f32((end - begin) * ELEMENT_WIDTH);
  let rough = joinRough(lane, roughSums(1.0 / count, channel, begin + lane, end));
  let size = magnitude(rough.y);
  let sums = addLanes(lane, sumsAbout(rough.x, inversePowerOf(size), channel, begin + lane, end));
  if (lane > 0u) { return; }
  let correction = sums.x / count;
  let square = sums.y / count - correction * correction;
  moments[at] = vec2(rough.x + correction * powerOf(size), sqrt(select(square, 0.0, square < 0.0)) * powerOf(size));
}

@compute @workgroup_size(workgroupSize)
fn combine(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) grid: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let channel = (group.x + group.y * grid.x) * workgroupSize + lane;
  if (channel >= params.channels) { return; }
  let length = f32(params.batch * params.spatial);
  let first = partMoments[channel * parts].x;
  var center = 0.0;
  for (var part = 1u; part < parts; part++) {
    let count = f32((partStart(part + 1u) - partStart(part)) * ELEMENT_WIDTH);
    if (count > 0.0) { center += count / length * (partMoments[channel * parts + part].x - first); }
  }
  center += first;
  var largest = 0.0;
  for (var part = 0u; part < parts; part++) {
    let here = partMoments[channel * parts + part];
    if (partStart(part + 1u) > partStart(part)) { largest = max(largest, max(here.y, abs(here.x - center))); }
  }
  let size = magnitude(largest);
  let scale = inversePowerOf(size);
  var squares = 0.0;
  for (var part = 0u; part < parts; part++) {
    let count = f32((partStart(part + 1u) - partStart(part)) * ELEMENT_WIDTH);
    let here = vec2(partMoments[channel * parts + part].x - center, partMoments[channel * parts + part].y) * scale;
    if (count > 0.0) { squares += count * dot(here, here); }
  }
  let square = squares / length;
  mean[channel] = center;
  variance[channel] = square * powerOf(size) * powerOf(size);
  // Both terms of the root by the larger of the deviation's size and sqrt(eps).
  let root = sqrt(params.eps);
  let unit = max(powerOf(size), root);
  let terms = vec2(powerOf(size) / unit, root / unit);
  inverse[channel] = 1.0 / (unit * sqrt(square * terms.x * terms.x + terms.y * terms.y));
}
