// conv2dWeightGradient of 3 x 3 kernels with stride 1 and dilation 1, without workgroup memory; improves on
// weight-gradient-lanes.wgsl by loading each word of x once for the taps that share it.
// One thread adds up all nine weights of one source channel for up to 16 output channels. It walks along an output row two
// pixels at a time with a window of 3 x 4 words of x, of which six are new, and loads two words of g per block of eight
// output channels (lane l those of channel l, which the subgroup broadcasts in turn): 10 loads for 288 multiply-adds.
// Wants subgroups of at least eight.

// Blocks of eight output channels per thread, 1 or 2, and threads per workgroup, one source channel each.
override blocks: u32 = 2;
override threads: u32 = 64;

// Nine weights (matrix columns are kernel columns) for eight output channels.
alias Block = array<mat3x3<f32>, 8>;

// The columns of x under two pixels, three rows each.
struct Window {
  first: mat3x3<f32>,
  second: mat3x3<f32>,
}

fn weightOf(sum: mat3x3<f32>, pair: vec2<f32>, window: Window) -> mat3x3<f32> {
  let a = vec3<f32>(pair.x);
  let b = vec3<f32>(pair.y);
  return mat3x3<f32>(
    fma(b, window.second[0], fma(a, window.first[0], sum[0])),
    fma(b, window.second[1], fma(a, window.first[1], sum[1])),
    fma(b, window.second[2], fma(a, window.first[2], sum[2])),
  );
}

// Written out, because lanes of a broadcast are constants.
fn multiply(sums: ptr<function, Block>, pair: vec2<f32>, window: Window) {
  (*sums)[0] = weightOf((*sums)[0], subgroupBroadcast(pair, 0), window);
  (*sums)[1] = weightOf((*sums)[1], subgroupBroadcast(pair, 1), window);
  (*sums)[2] = weightOf((*sums)[2], subgroupBroadcast(pair, 2), window);
  (*sums)[3] = weightOf((*sums)[3], subgroupBroadcast(pair, 3), window);
  (*sums)[4] = weightOf((*sums)[4], subgroupBroadcast(pair, 4), window);
  (*sums)[5] = weightOf((*sums)[5], subgroupBroadcast(pair, 5), window);
  (*sums)[6] = weightOf((*sums)[6], subgroupBroadcast(pair, 6), window);
  (*sums)[7] = weightOf((*sums)[7], subgroupBroadcast(pair, 7), window);
}

// One column of x, three rows from `row`, zero on padding.
fn loadColumn(plane: u32, row: vec3<i32>, column: i32) -> vec3<f32> {
  let columnInside = column >= 0 && column < i32(params.inW);
  let inside = (row >= vec3<i32>()) & (row < vec3<i32>(i32(params.inH))) & vec3<bool>(columnInside);
  let at = plane + vec3<u32>(select(vec3<i32>(), row * i32(params.inW) + column, inside));
  return select(vec3<f32>(), vec3<f32>(x[at.x], x[at.y], x[at.z]), inside);
}

// Two words of g, the second zero past the end of the row.
fn loadPair(at: u32, secondThere: bool) -> vec2<f32> {
  return vec2<f32>(g[at], select(0.0, g[at + 1], secondThere));
}

fn store(sums: ptr<function, Block>, split: u32, group: u32, firstOut: u32, channel: u32) {
  for (var i = 0u; i < 8 && firstOut + i < outsPerGroup(); i++) {
    let values = (*sums)[i];
    let at = partialAt(split, group * outsPerGroup() + firstOut + i, channel * 9);
    for (var tap = 0u; tap < 9; tap++) {
      partials[at + tap] = values[tap % 3][tap / 3];
    }
  }
}

@compute @workgroup_size(threads)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
  @builtin(subgroup_invocation_id) invocation: u32,
) {
  let lane = invocation % 8;
  let splits = workgroups.z / params.groups;
  let split = workgroup.z / params.groups;
  let group = workgroup.z % params.groups;
  let firstOut = workgroup.y * blocks * 8;
  // Threads past the last channel repeat it and store nothing: the whole subgroup must reach every broadcast.
  let channel = workgroup.x * threads + thread;
  let sourceChannel = group * insPerGroup() + min(channel, insPerGroup() - 1);
  let out = group * outsPerGroup() + min(firstOut + lane + vec2<u32>(0, 8), vec2<u32>(outsPerGroup() - 1));

  var sums0: Block;
  var sums1: Block;
  let rows = rowsOf(split, splits);
  for (var outRow = rows.begin; outRow < rows.end; outRow++) {
    let image = outRow / params.outH;
    let p = outRow % params.outH;
    let plane = (image * params.inChannels + sourceChannel) * params.inH * params.inW;
    let row = i32(p) - i32(params.padH) + vec3<i32>(0, 1, 2);
    let gStart = ((image * params.outChannels + out) * params.outH + p) * params.outW;
    let left = -i32(params.padW);
    var column0 = loadColumn(plane, row, left);
    var column1 = loadColumn(plane, row, left + 1);
    for (var q = 0u; q < params.outW; q += 2) {
      let column2 = loadColumn(plane, row, left + i32(q) + 2);
      let column3 = loadColumn(plane, row, left + i32(q) + 3);
      let window = Window(mat3x3<f32>(column0, column1, column2), mat3x3<f32>(column1, column2, column3));
      let secondThere = q + 1 < params.outW;
      multiply(&sums0, loadPair(gStart.x + q, secondThere), window);
      if (blocks > 1) {
        multiply(&sums1, loadPair(gStart.y + q, secondThere), window);
      }
      column0 = column2;
      column1 = column3;
    }
  }

  if (channel < insPerGroup()) {
    store(&sums0, split, group, firstOut, channel);
    if (blocks > 1) {
      store(&sums1, split, group, firstOut + 8, channel);
    }
  }
}
