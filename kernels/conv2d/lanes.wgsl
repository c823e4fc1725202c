// conv2d and conv2dInputGradient without workgroup memory, for processors where a load costs as much as many multiply-adds
// and has no cheaper place than the cache (software adapters).
// One thread makes four consecutive pixels of up to 32 channels. Per source channel and tap it loads its four source
// words, and one weight per block of eight channels: lane l holds that of channel l, and the subgroup broadcasts them in
// turn. So 4 + 4 loads serve 128 multiply-adds, where the direct plan needs 1 + 1/4 for one. Wants subgroups of at least eight.

// Blocks of eight channels per thread: 1 to 4. The compiler drops what lies above.
override blocks: u32 = 4;

alias Block = array<vec4<f32>, 8>;

// Written out, because lanes of a broadcast are constants.
fn multiply(sums: ptr<function, Block>, weight: f32, values: vec4<f32>) {
  (*sums)[0] += subgroupBroadcast(weight, 0) * values;
  (*sums)[1] += subgroupBroadcast(weight, 1) * values;
  (*sums)[2] += subgroupBroadcast(weight, 2) * values;
  (*sums)[3] += subgroupBroadcast(weight, 3) * values;
  (*sums)[4] += subgroupBroadcast(weight, 4) * values;
  (*sums)[5] += subgroupBroadcast(weight, 5) * values;
  (*sums)[6] += subgroupBroadcast(weight, 6) * values;
  (*sums)[7] += subgroupBroadcast(weight, 7) * values;
}

// Where the pixels of a thread go: their offsets in the image of channel 0, and which of them there are.
struct Pixels {
  offset: vec4<u32>,
  valid: vec4<bool>,
}

fn store(sums: ptr<function, Block>, channels: Channels, group: u32, firstTarget: u32, pixels: Pixels, plane: u32) {
  for (var i = 0u; i < 8 && firstTarget + i < channels.targets; i++) {
    let channel = group * channels.targets + firstTarget + i;
    let values = (*sums)[i] + biasOf(channel);
    let offset = pixels.offset + channel * plane;
    if (pixels.valid.x) {
      result[offset.x] = values.x;
    }
    if (pixels.valid.y) {
      result[offset.y] = values.y;
    }
    if (pixels.valid.z) {
      result[offset.z] = values.z;
    }
    if (pixels.valid.w) {
      result[offset.w] = values.w;
    }
  }
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
  @builtin(subgroup_invocation_id) invocation: u32,
) {
  let lane = invocation % 8;
  let groupAndPhase = workgroup.z;
  let group = groupAndPhase % params.groups;
  let rows = rowAxis(groupAndPhase / params.groups);
  let columns = columnAxis(groupAndPhase / params.groups);
  let channels = channelsOf(group);
  // Channel tiles vary fastest, so that workgroups at work together read the same pixels.
  let tiles = (channels.targets + blocks * 8 - 1) / (blocks * 8);
  let at = workgroup.x + workgroup.y * workgroups.x;
  let firstTarget = at % tiles * blocks * 8;
  let firstPixel = at / tiles * 256;
  let perImage = rows.count * columns.count;
  let total = params.batch * perImage;
  if (firstPixel >= total) {
    return;
  }

  // Threads past the end repeat the last pixel and store nothing: the whole subgroup must reach every broadcast.
  let pixel = firstPixel + thread * 4 + vec4<u32>(0, 1, 2, 3);
  let near = min(pixel, vec4<u32>(total - 1));
  let image = near / perImage;
  let row = near % perImage / columns.count;
  let column = near % columns.count;
  let sourcePlane = rows.sourceSize * columns.sourceSize;
  let sourceStart = (image * channels.sourceTotal + group * channels.sources) * sourcePlane;
  let channel = min(firstTarget + lane + vec4<u32>(0, 8, 16, 24), vec4<u32>(channels.targets - 1));
  let weightStart = channels.weightStart + channel * channels.weightPerTarget;

  var sums0: Block;
  var sums1: Block;
  var sums2: Block;
  var sums3: Block;
  for (var a = 0u; a < rows.taps; a++) {
    for (var b = 0u; b < columns.taps; b++) {
      let sourceRow = rows.start + vec4<i32>(row) * rows.stride + i32(a) * rows.shift;
      let sourceColumn = columns.start + vec4<i32>(column) * columns.stride + i32(b) * columns.shift;
      let rowInside = (sourceRow >= vec4<i32>()) & (sourceRow < vec4<i32>(i32(rows.sourceSize)));
      let inside = rowInside & (sourceColumn >= vec4<i32>()) & (sourceColumn < vec4<i32>(i32(columns.sourceSize)));
      let offset = vec4<u32>(sourceRow) * columns.sourceSize + vec4<u32>(sourceColumn);
      var at = sourceStart + select(vec4<u32>(), offset, inside);
      let tapRow = rows.firstTap + a * rows.tapStep;
      var weightAt = weightStart + tapRow * params.kernelW + columns.firstTap + b * columns.tapStep;
      for (var s = 0u; s < channels.sources; s++) {
        let loaded = vec4<f32>(source[at.x], source[at.y], source[at.z], source[at.w]);
        let values = select(vec4<f32>(), loaded, inside);
        multiply(&sums0, weights[weightAt.x], values);
        if (blocks > 1) {
          multiply(&sums1, weights[weightAt.y], values);
        }
        if (blocks > 2) {
          multiply(&sums2, weights[weightAt.z], values);
        }
        if (blocks > 3) {
          multiply(&sums3, weights[weightAt.w], values);
        }
        at += sourcePlane;
        weightAt += channels.weightPerSource;
      }
    }
  }

  let targetPlane = rows.targetSize * columns.targetSize;
  let targetRow = rows.phase + row * rows.phases;
  let targetColumn = columns.phase + column * columns.phases;
  let offset = image * channels.targetTotal * targetPlane + targetRow * columns.targetSize + targetColumn;
  let pixels = Pixels(offset, pixel < vec4<u32>(total));
  store(&sums0, channels, group, firstTarget, pixels, targetPlane);
  if (blocks > 1) {
    store(&sums1, channels, group, firstTarget + 8, pixels, targetPlane);
  }
  if (blocks > 2) {
    store(&sums2, channels, group, firstTarget + 16, pixels, targetPlane);
  }
  if (blocks > 3) {
    store(&sums3, channels, group, firstTarget + 24, pixels, targetPlane);
  }
}
