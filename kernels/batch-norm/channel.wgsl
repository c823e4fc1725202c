// The elements of one channel of [batch, channels, spatial] as one line of batch x spatial, cut into parts of which each
// belongs to a workgroup. Put before the modules that add up over channels, after a definition of Element: one number, or
// four neighbours where spatial is a multiple of four. All places and lengths here count Elements.

override workgroupSize: u32;
/// Parts of a channel, each of ceil(length / parts) Elements.
override parts: u32;

/// Elements summed on their own, and sums of them, before they join the total, so that errors grow with n / 1024 at most.
const BLOCK = 32u;

struct Params {
  batch: u32,
  channels: u32,
  spatial: u32,
  eps: f32,
  relu: u32,
}

@group(0) @binding(0) var<uniform> params: Params;

fn planeSize() -> u32 {
  return params.spatial / ELEMENT_WIDTH;
}

/// First Element of a part.
fn partStart(part: u32) -> u32 {
  let length = params.batch * planeSize();
  return min(length, part * ((length + parts - 1u) / parts));
}

/// A walk through a channel in steps of workgroupSize, without a division per step: `index` is the Element's place in the
/// line, `row` its first neighbour's place in the tensor and `column` its distance from that.
struct Walk {
  index: u32,
  row: u32,
  column: u32,
}

fn startWalk(channel: u32, index: u32) -> Walk {
  return Walk(index, (index / planeSize() * params.channels + channel) * planeSize(), index % planeSize());
}

fn nextStep(walk: Walk) -> Walk {
  let image = params.channels * planeSize();
  var next = Walk(
    walk.index + workgroupSize,
    walk.row + workgroupSize / planeSize() * image,
    walk.column + workgroupSize % planeSize(),
  );
  if (next.column >= planeSize()) {
    next.column -= planeSize();
    next.row += image;
  }
  return next;
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
