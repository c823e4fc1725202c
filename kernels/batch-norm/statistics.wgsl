// Mean and biased variance of every channel.
//
// One workgroup per channel, or per part of one, adds up x for the mean and then, from cache, x - mean and its square: the
// first corrects the mean, the second is the variance about it, so a large mean cancels nothing. `combine` joins the parts
// of a channel, one thread each. x is read once from memory and once more from cache, which is what exactness costs over
// a single sweep; results are per channel.

@group(0) @binding(1) var<storage, read> x: array<Element>;
/// Mean and summed squares about it, of each part of each channel.
@group(0) @binding(2) var<storage, read_write> moments: array<vec2<f32>>;

@group(0) @binding(1) var<storage, read> partMoments: array<vec2<f32>>;
@group(0) @binding(2) var<storage, read_write> mean: array<f32>;
@group(0) @binding(3) var<storage, read_write> variance: array<f32>;

/// Sums of x - center and of its square over every workgroupSize-th Element of a part.
fn sumsAbout(center: f32, channel: u32, begin: u32, end: u32) -> vec2<f32> {
  var total = vec2(0.0, 0.0);
  var walk = startWalk(channel, begin);
  while (walk.index < end) {
    var block = vec2(0.0, 0.0);
    for (var j = 0u; j < BLOCK && walk.index < end; j++) {
      let d = x[walk.row + walk.column] - center;
      block += vec2(elementSum(d), elementSum(d * d));
      walk = nextStep(walk);
    }
    total += block;
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
  let rough = addLanes(lane, sumsAbout(0.0, channel, begin + lane, end)).x / count;
  let sums = addLanes(lane, sumsAbout(rough, channel, begin + lane, end));
  if (lane > 0u) { return; }
  let correction = sums.x / count;
  moments[at] = vec2(rough + correction, max(0.0, sums.y - sums.x * correction));
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
    if (count > 0.0) { center += count * (partMoments[channel * parts + part].x - first); }
  }
  center = first + center / length;
  var squares = 0.0;
  for (var part = 0u; part < parts; part++) {
    let count = f32((partStart(part + 1u) - partStart(part)) * ELEMENT_WIDTH);
    let here = partMoments[channel * parts + part];
    let distance = here.x - center;
    if (count > 0.0) { squares += here.y + count * distance * distance; }
  }
  mean[channel] = center;
  variance[channel] = squares / length;
}
