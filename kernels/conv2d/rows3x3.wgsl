// conv2d and conv2dInputGradient of 3 x 3 kernels with stride 1 and dilation 1, without workgroup memory; improves on
// lanes.wgsl by loading each source word once for the taps that share it.
// One thread makes two rows of four pixels of up to 16 channels. Per source channel it loads the 4 x 6 window under them and
// nine weights per block of eight channels (lane l those of channel l, which the subgroup broadcasts in turn): 42 loads
// for 1152 multiply-adds. Wants subgroups of at least eight.

// Blocks of eight channels per thread: 1 or 2.
override blocks: u32 = 2;

// Two rows of four sums, for eight channels.
alias Block = array<mat2x4<f32>, 8>;

// Four source rows (the columns of each matrix) as the left, middle and right taps see them.
struct Window {
  left: mat4x4<f32>,
  middle: mat4x4<f32>,
  right: mat4x4<f32>,
}

fn rowTaps(sum: vec4<f32>, weight: vec3<f32>, window: Window, row: u32) -> vec4<f32> {
  let left = fma(vec4<f32>(weight.x), window.left[row], sum);
  let middle = fma(vec4<f32>(weight.y), window.middle[row], left);
  return fma(vec4<f32>(weight.z), window.right[row], middle);
}

// Adds the channel whose nine weights lane `i` holds, one column of `weights9` per kernel row.
fn convolveOne(sum: ptr<function, mat2x4<f32>>, weights9: mat3x3<f32>, i: u32, window: Window) {
  let top = subgroupShuffle(weights9[0], i);
  let middle = subgroupShuffle(weights9[1], i);
  let bottom = subgroupShuffle(weights9[2], i);
  (*sum)[0] = rowTaps(rowTaps(rowTaps((*sum)[0], top, window, 0), middle, window, 1), bottom, window, 2);
  (*sum)[1] = rowTaps(rowTaps(rowTaps((*sum)[1], top, window, 1), middle, window, 2), bottom, window, 3);
}

// Written out, because the sums stay in registers only if every index is a constant.
fn convolve(sums: ptr<function, Block>, weights9: mat3x3<f32>, window: Window) {
  convolveOne(&(*sums)[0], weights9, 0, window);
  convolveOne(&(*sums)[1], weights9, 1, window);
  convolveOne(&(*sums)[2], weights9, 2, window);
  convolveOne(&(*sums)[3], weights9, 3, window);
  convolveOne(&(*sums)[4], weights9, 4, window);
  convolveOne(&(*sums)[5], weights9, 5, window);
  convolveOne(&(*sums)[6], weights9, 6, window);
  convolveOne(&(*sums)[7], weights9, 7, window);
}

fn loadWeights(at: u32) -> mat3x3<f32> {
  let given = mat3x3<f32>(
    weights[at], weights[at + 1], weights[at + 2],
    weights[at + 3], weights[at + 4], weights[at + 5],
    weights[at + 6], weights[at + 7], weights[at + 8],
  );
  // The input gradient is the convolution with the kernel turned by half a turn.
  let turned = mat3x3<f32>(given[2].zyx, given[1].zyx, given[0].zyx);
  if (adjoint) {
    return turned;
  }
  return given;
}

// Six source words of one row, zero where they lie on padding.
fn loadRow(plane: u32, row: i32, column: i32, height: u32, width: u32, part: u32) -> f32 {
  let at = column + i32(part);
  let inside = row >= 0 && row < i32(height) && at >= 0 && at < i32(width);
  return select(0.0, source[select(0u, plane + u32(row) * width + u32(at), inside)], inside);
}

fn store(sums: ptr<function, Block>, channels: Channels, group: u32, firstTarget: u32, image: u32, row: u32, column: u32) {
  let height = select(params.outH, params.inH, adjoint);
  let width = select(params.outW, params.inW, adjoint);
  for (var i = 0u; i < 8 && firstTarget + i < channels.targets; i++) {
    let channel = group * channels.targets + firstTarget + i;
    let values = (*sums)[i];
    let start = (image * channels.targetTotal + channel) * height;
    for (var r = 0u; r < 2 && row + r < height; r++) {
      for (var c = 0u; c < 4 && column + c < width; c++) {
        result[(start + row + r) * width + column + c] = values[r][c] + biasOf(channel);
      }
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
  let group = workgroup.z;
  let channels = channelsOf(group);
  let rows = rowAxis(0);
  let columns = columnAxis(0);
  // Channel tiles vary fastest, so that workgroups at work together read the same pixels.
  let tiles = (channels.targets + blocks * 8 - 1) / (blocks * 8);
  let at = workgroup.x + workgroup.y * workgroups.x;
  let firstTarget = at % tiles * blocks * 8;
  let acrossCount = (columns.count + 3) / 4;
  let downCount = (rows.count + 1) / 2;
  let spot = at / tiles * 64 + thread;
  let image = spot / (acrossCount * downCount);
  let row = spot / acrossCount % downCount * 2;
  let column = spot % acrossCount * 4;
  let inBatch = image < params.batch;

  // Both axes have shift 1 (forward) or -1 with the kernel turned; either way the window starts at the least position read.
  let top = i32(row) + rows.start + min(rows.shift, 0) * 2;
  let left = i32(column) + columns.start + min(columns.shift, 0) * 2;
  // Padding of a spot outside the batch: nothing is read, yet the whole subgroup reaches every broadcast.
  let height = select(0u, rows.sourceSize, inBatch);
  let width = columns.sourceSize;
  let sourcePlane = rows.sourceSize * columns.sourceSize;
  var plane = (image * channels.sourceTotal + group * channels.sources) * sourcePlane;
  let channel0 = min(firstTarget + lane, channels.targets - 1);
  let channel1 = min(firstTarget + 8 + lane, channels.targets - 1);
  var weight0 = channels.weightStart + channel0 * channels.weightPerTarget;
  var weight1 = channels.weightStart + channel1 * channels.weightPerTarget;

  var sums0: Block;
  var sums1: Block;
  for (var s = 0u; s < channels.sources; s++) {
    var window: Window;
    for (var r = 0; r < 4; r++) {
      let v0 = loadRow(plane, top + r, left, height, width, 0);
      let v1 = loadRow(plane, top + r, left, height, width, 1);
      let v2 = loadRow(plane, top + r, left, height, width, 2);
      let v3 = loadRow(plane, top + r, left, height, width, 3);
      let v4 = loadRow(plane, top + r, left, height, width, 4);
      let v5 = loadRow(plane, top + r, left, height, width, 5);
      window.left[r] = vec4<f32>(v0, v1, v2, v3);
      window.middle[r] = vec4<f32>(v1, v2, v3, v4);
      window.right[r] = vec4<f32>(v2, v3, v4, v5);
    }
    convolve(&sums0, loadWeights(weight0), window);
    if (blocks > 1) {
      convolve(&sums1, loadWeights(weight1), window);
    }
    plane += sourcePlane;
    weight0 += channels.weightPerSource;
    weight1 += channels.weightPerSource;
  }

  if (inBatch) {
    store(&sums0, channels, group, firstTarget, image, row, column);
    if (blocks > 1) {
      store(&sums1, channels, group, firstTarget + 8, image, row, column);
    }
  }
}
