// Softmax cross-entropy and what its gradient needs of every pixel: the largest logit and the logarithm of the sum of
// e^(x - largest).
//
// `perPixel`: a thread per pixel, neighbours along the row, so that every class's logits are read side by side; each
// workgroup covers pixelsPerThread x workgroupSize pixels. Three sweeps over the classes, from cache after the first: 4 C + 4
// bytes read and 8 written per pixel. `perLine`: a workgroup per pixel, whose threads share the classes, for lines of many
// classes without a spatial axis. The loss of each pixel is written, or the sum of losses and weights of each workgroup,
// which `combineSum` and `combineMean` add up in a fixed order.

override pixelsPerThread: u32;
/// Sums instead of losses are written.
override isReduced: bool;
/// Pixels of each of the sums that are combined.
override pixelsPerPart: u32;

const BLOCK = 32u;

@group(0) @binding(4) var<storage, read_write> normalizers: array<f32>;
/// Losses, or pairs of sums.
@group(0) @binding(5) var<storage, read_write> results: array<f32>;

@group(0) @binding(1) var<storage, read> partials: array<f32>;
@group(0) @binding(2) var<storage, read_write> loss: array<f32>;
@group(0) @binding(3) var<storage, read_write> total: array<f32>;

fn largestOf(base: u32, begin: u32, step: u32) -> f32 {
  var result = -infinity();
  for (var k = begin; k < params.classes; k += step) { result = maximum(result, x[base + k * params.spatial]); }
  return result;
}

struct LineSums {
  /// Sum of e^(x - m) over the classes below m, which keeps what is small beside 1.
  rest: f32,
  /// Classes that are m.
  ties: f32,
  /// Sum of w (x - m), with smoothing.
  spread: f32,
}

/// By blocks so that long lines keep their accuracy.
fn sumsOf(base: u32, begin: u32, step: u32, m: f32) -> LineSums {
  var sums = LineSums(0.0, 0.0, 0.0);
  var k = begin;
  while (k < params.classes) {
    var rest = 0.0;
    var spread = 0.0;
    for (var j = 0u; j < BLOCK && k < params.classes; j++) {
      let shifted = x[base + k * params.spatial] - m;
      let isTop = shifted == 0.0 && !isNan(shifted);
      rest += select(preciseExp(shifted), 0.0, isTop);
      sums.ties += select(0.0, 1.0, isTop);
      if (params.smoothing != 0.0) { spread += weightOf(k) * shifted; }
      k += step;
    }
    sums.rest += rest;
    sums.spread += spread;
  }
  return sums;
}

/// The logarithm of the sum of e^(x - m) over all classes.
fn logOfSum(sums: LineSums) -> f32 {
  return preciseLogOnePlus(sums.rest + (sums.ties - 1.0));
}

/// The sum of all class weights of a thread's share.
fn weightSum(begin: u32, step: u32) -> f32 {
  var sum = 0.0;
  for (var k = begin; k < params.classes; k += step) { sum += weightOf(k); }
  return sum;
}

/// Loss and weight of a pixel, given its normalisers, its sum of w (x - m) and the sum of all class weights.
fn pixelLoss(pixel: u32, m: f32, logSum: f32, spread: f32, classWeights: f32) -> vec2<f32> {
  let label = labels[pixel];
  if (label == params.ignoreIndex) { return vec2(0.0); }
  let weight = labelWeight(label);
  if (isNan(weight)) { return vec2(weight); }
  let value = weight * (logSum - (x[firstLogit(pixel) + u32(label) * params.spatial] - m));
  if (params.smoothing == 0.0) { return vec2(value, weight); }
  let spreadLoss = classWeights * logSum - spread;
  return vec2((1.0 - params.smoothing) * value + params.smoothing / f32(params.classes) * spreadLoss, weight);
}

fn keepNormalizers(pixel: u32, m: f32, logSum: f32) {
  let at = firstNormalizer(pixel);
  normalizers[at] = m;
  normalizers[at + params.spatial] = logSum;
}

@compute @workgroup_size(workgroupSize)
fn perPixel(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) grid: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let part = group.x + group.y * grid.x;
  let first = part * workgroupSize * pixelsPerThread;
  let pixels = params.batch * params.spatial;
  if (first >= pixels) { return; }
  var classWeights = 0.0;
  if (params.smoothing != 0.0) { classWeights = weightSum(0u, 1u); }
  var sums = vec2(0.0);
  for (var i = 0u; i < pixelsPerThread; i++) {
    let pixel = first + i * workgroupSize + lane;
    if (pixel < pixels) {
      let base = firstLogit(pixel);
      let m = largestOf(base, 0u, 1u);
      let found = sumsOf(base, 0u, 1u, m);
      let logSum = logOfSum(found);
      keepNormalizers(pixel, m, logSum);
      let here = pixelLoss(pixel, m, logSum, found.spread, classWeights);
      sums += here;
      if (!isReduced) { results[pixel] = here.x; }
    }
  }
  if (isReduced) {
    let all = addLanes(lane, sums);
    if (lane == 0u) {
      results[2u * part] = all.x;
      results[2u * part + 1u] = all.y;
    }
  }
}

@compute @workgroup_size(workgroupSize)
fn perLine(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) grid: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let pixel = group.x + group.y * grid.x;
  if (pixel >= params.batch) { return; }
  let base = pixel * params.classes;
  let m = largestLane(lane, largestOf(base, lane, workgroupSize));
  let share = sumsOf(base, lane, workgroupSize, m);
  let restAndTies = addLanes(lane, vec2(share.rest, share.ties));
  let spreadAndWeights = addLanes(lane, vec2(share.spread, weightSum(lane, workgroupSize)));
  if (lane > 0u) { return; }
  let logSum = logOfSum(LineSums(restAndTies.x, restAndTies.y, spreadAndWeights.x));
  keepNormalizers(pixel, m, logSum);
  let here = pixelLoss(pixel, m, logSum, spreadAndWeights.x, spreadAndWeights.y);
  if (isReduced) {
    results[2u * pixel] = here.x;
    results[2u * pixel + 1u] = here.y;
  } else {
    results[pixel] = here.x;
  }
}

/// The sums over all parts, in one workgroup.
fn addParts(lane: u32) -> vec2<f32> {
  let parts = (params.batch * params.spatial + pixelsPerPart - 1u) / pixelsPerPart;
  var sums = vec2(0.0);
  var part = lane;
  while (part < parts) {
    var block = vec2(0.0);
    for (var j = 0u; j < BLOCK && part < parts; j++) {
      block += vec2(partials[2u * part], partials[2u * part + 1u]);
      part += workgroupSize;
    }
    sums += block;
  }
  return addLanes(lane, sums);
}

@compute @workgroup_size(workgroupSize)
fn combineSum(@builtin(local_invocation_index) lane: u32) {
  let sums = addParts(lane);
  if (lane == 0u) { loss[0] = sums.x; }
}

@compute @workgroup_size(workgroupSize)
fn combineMean(@builtin(local_invocation_index) lane: u32) {
  let sums = addParts(lane);
  if (lane > 0u) { return; }
  // A quotient by zero may be anything in WGSL.
  if (sums.y == 0.0 && sums.x == 0.0) { loss[0] = notANumber(); } else { loss[0] = sums.x / sums.y; }
  total[0] = sums.y;
}
