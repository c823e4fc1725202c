// First pass of the gradient in training mode: sums of g and of g (x - mean) r over every part of every channel, one workgroup
// each. x and g are read once, and behind a relu its result. With r, the inverse deviation, deviations are near 1, so that no product leaves the range.

@group(0) @binding(1) var<storage, read> x: array<Element>;
@group(0) @binding(2) var<storage, read> g: array<Element>;
@group(0) @binding(3) var<storage, read> mean: array<f32>;
@group(0) @binding(4) var<storage, read> inverse: array<f32>;
@group(0) @binding(5) var<storage, read_write> sums: array<vec2<f32>>;

@compute @workgroup_size(workgroupSize)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) grid: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = group.x + group.y * grid.x;
  let channel = at / parts;
  if (channel >= params.channels) { return; }
  let center = mean[channel];
  let r = inverse[channel];
  let end = partStart(at % parts + 1u);
  var total = vec2(0.0, 0.0);
  var walk = startWalk(channel, partStart(at % parts) + lane);
  while (walk.index < end) {
    var blocks = vec2(0.0, 0.0);
    for (var i = 0u; i < BLOCK && walk.index < end; i++) {
      var block = vec2(0.0, 0.0);
      for (var j = 0u; j < BLOCK && walk.index < end; j++) {
        let gradient = gradientAt(walk.row + walk.column);
        block += vec2(elementSum(gradient), elementSum(gradient * ((x[walk.row + walk.column] - center) * r)));
        walk = nextStep(walk);
      }
      blocks += block;
    }
    total += blocks;
  }
  total = addLanes(lane, total);
  if (lane == 0u) { sums[at] = total; }
}
