// conv2dWeightGradient without workgroup memory, for processors where a load costs as much as many multiply-adds (software
// adapters). One thread adds up four weights (neighbours along source channel and tap) of up to 32 output channels. Per
// pixel it loads four words of x, and one of g per block of eight channels: lane l holds that of channel l, and the
// subgroup broadcasts them in turn. So 4 + 4 loads serve 128 multiply-adds. Wants subgroups of at least eight.

// Blocks of eight channels per thread, 1 to 4, and threads per workgroup, four weights each.
override blocks: u32 = 4;
override threads: u32 = 64;

alias Block = array<vec4<f32>, 8>;

// Written out, because lanes of a broadcast are constants.
fn multiply(sums: ptr<function, Block>, gradient: f32, values: vec4<f32>) {
  (*sums)[0] += subgroupBroadcast(gradient, 0) * values;
  (*sums)[1] += subgroupBroadcast(gradient, 1) * values;
  (*sums)[2] += subgroupBroadcast(gradient, 2) * values;
  (*sums)[3] += subgroupBroadcast(gradient, 3) * values;
  (*sums)[4] += subgroupBroadcast(gradient, 4) * values;
  (*sums)[5] += subgroupBroadcast(gradient, 5) * values;
  (*sums)[6] += subgroupBroadcast(gradient, 6) * values;
  (*sums)[7] += subgroupBroadcast(gradient, 7) * values;
}

fn store(sums: ptr<function, Block>, split: u32, group: u32, firstOut: u32, firstColumn: u32) {
  let columns = insPerGroup() * params.kernelH * params.kernelW;
  for (var i = 0u; i < 8 && firstOut + i < outsPerGroup(); i++) {
    let values = (*sums)[i];
    let at = partialAt(split, group * outsPerGroup() + firstOut + i, firstColumn);
    for (var j = 0u; j < 4 && firstColumn + j < columns; j++) {
      partials[at + j] = values[j];
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
  let firstColumn = (workgroup.x * threads + thread) * 4;

  // The four weights' places: threads past the end repeat the last weight and store nothing.
  let taps = params.kernelH * params.kernelW;
  let column = min(firstColumn + vec4<u32>(0, 1, 2, 3), vec4<u32>(insPerGroup() * taps - 1));
  let channel = group * insPerGroup() + column / taps;
  let rowShift = vec4<i32>(column % taps / params.kernelW * params.dilationH) - i32(params.padH);
  let columnShift = vec4<i32>(column % params.kernelW * params.dilationW) - i32(params.padW);
  let out = group * outsPerGroup() + min(firstOut + lane + vec4<u32>(0, 8, 16, 24), vec4<u32>(outsPerGroup() - 1));

  var sums0: Block;
  var sums1: Block;
  var sums2: Block;
  var sums3: Block;
  let rows = rowsOf(split, splits);
  for (var row = rows.begin; row < rows.end; row++) {
    let image = row / params.outH;
    let p = row % params.outH;
    let h = i32(p * params.strideH) + rowShift;
    let rowInside = (h >= vec4<i32>()) & (h < vec4<i32>(i32(params.inH)));
    let xStart = vec4<i32>((image * params.inChannels + channel) * params.inH * params.inW) + h * i32(params.inW);
    var gAt = ((image * params.outChannels + out) * params.outH + p) * params.outW;
    var w = columnShift;
    for (var q = 0u; q < params.outW; q++) {
      let inside = rowInside & (w >= vec4<i32>()) & (w < vec4<i32>(i32(params.inW)));
      let at = vec4<u32>(select(vec4<i32>(), xStart + w, inside));
      let values = select(vec4<f32>(), vec4<f32>(x[at.x], x[at.y], x[at.z], x[at.w]), inside);
      multiply(&sums0, g[gAt.x], values);
      if (blocks > 1) {
        multiply(&sums1, g[gAt.y], values);
      }
      if (blocks > 2) {
        multiply(&sums2, g[gAt.z], values);
      }
      if (blocks > 3) {
        multiply(&sums3, g[gAt.w], values);
      }
      gAt += 1;
      w += i32(params.strideW);
    }
  }

  store(&sums0, split, group, firstOut, firstColumn);
  if (blocks > 1) {
    store(&sums1, split, group, firstOut + 8, firstColumn);
  }
  if (blocks > 2) {
    store(&sums2, split, group, firstOut + 16, firstColumn);
  }
  if (blocks > 3) {
    store(&sums3, split, group, firstOut + 24, firstColumn);
  }
}
