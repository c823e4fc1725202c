// gx = scale (a p_k - [k = label] h - b w_k): the gradient of softmax cross-entropy, with h = (1 - e) w_label, b = e / C and
// a = h + b sum of w, from the normalisers that the forward pass kept.
//
// `perPixel`: a thread per pixel, neighbours along the row; what is alike for all classes is worked out once, and every logit
// is read once and its gradient written once: 8 C + 12 bytes per pixel, and 4 more without a reduction. `perLine`: a workgroup
// per pixel, whose threads share the classes, for lines of many classes without a spatial axis.

@group(0) @binding(4) var<storage, read> normalizers: array<f32>;
@group(0) @binding(5) var<storage, read> g: array<f32>;
/// Bound to g unless the reduction is the mean.
@group(0) @binding(6) var<storage, read> total: array<f32>;
@group(0) @binding(7) var<storage, read_write> gx: array<f32>;

fn weightSum(begin: u32, step: u32) -> f32 {
  var sum = 0.0;
  for (var k = begin; k < params.classes; k += step) { sum += weightOf(k); }
  return sum;
}

/// What all classes of a pixel share: gx = peak p - spread w, and at the label (peak - atLabel) p + atLabel (p - 1) - spread w.
struct Pixel {
  label: i32,
  m: f32,
  logSum: f32,
  peak: f32,
  spread: f32,
  atLabel: f32,
}

fn pixelOf(pixel: u32, classWeights: f32) -> Pixel {
  let label = labels[pixel];
  let at = firstNormalizer(pixel);
  let m = normalizers[at];
  let logSum = normalizers[at + params.spatial];
  if (label == params.ignoreIndex) { return Pixel(label, m, logSum, 0.0, 0.0, 0.0); }
  var scale = 0.0;
  switch params.reduction {
    case PIXEL_REDUCTION_NONE: { scale = g[pixel]; }
    case PIXEL_REDUCTION_MEAN: { scale = g[0] / total[0]; }
    default: { scale = g[0]; }
  }
  let hard = (1.0 - params.smoothing) * labelWeight(label);
  let each = params.smoothing / f32(params.classes);
  return Pixel(label, m, logSum, scale * (hard + each * classWeights), scale * each, scale * hard);
}

fn writeClass(pixel: Pixel, at: u32, k: u32) {
  let logProbability = x[at] - pixel.m - pixel.logSum;
  let isLabel = i32(k) == pixel.label;
  var peak = pixel.peak;
  var value = 0.0;
  // p - 1 without the difference, of which nothing is left where p is near 1.
  if (isLabel) {
    value = pixel.atLabel * preciseExpMinusOne(logProbability);
    peak -= pixel.atLabel;
  }
  if (!isLabel || params.smoothing != 0.0) { value += peak * preciseExp(logProbability); }
  if (params.smoothing != 0.0) { value -= pixel.spread * weightOf(k); }
  gx[at] = value;
}

@compute @workgroup_size(workgroupSize)
fn perPixel(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) grid: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = (group.x + group.y * grid.x) * workgroupSize + lane;
  if (at >= params.batch * params.spatial) { return; }
  var classWeights = 0.0;
  if (params.smoothing != 0.0) { classWeights = weightSum(0u, 1u); }
  let pixel = pixelOf(at, classWeights);
  let base = firstLogit(at);
  for (var k = 0u; k < params.classes; k++) { writeClass(pixel, base + k * params.spatial, k); }
}

@compute @workgroup_size(workgroupSize)
fn perLine(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) grid: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = group.x + group.y * grid.x;
  if (at >= params.batch) { return; }
  let pixel = pixelOf(at, addLanes(lane, vec2(weightSum(lane, workgroupSize), 0.0)).x);
  for (var k = lane; k < params.classes; k += workgroupSize) { writeClass(pixel, at * params.classes + k, k); }
}
