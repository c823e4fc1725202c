// The geometry that conv2d and conv2dInputGradient share; placed before each of their shaders. Both gather:
//
//   result[n][t][i][j] = bias[t] + sum over s, a, b of source[n][s][row(i, a)][column(j, b)] w[t, s][tap a][tap b]
//
// conv2d: target y, source x. Input gradient (`adjoint`): target x', source g. There, the targets at one residue modulo the
// stride (a phase) meet every tapStep-th tap only; within a phase the map is again a convolution of stride one. So no tap is
// tested and thrown away: a phase visits exactly the taps that can reach it.

override adjoint: bool = false;

// One image axis of one phase. Tap a of target i reads source position start + i stride + a shift, with the weight at
// kernel position firstTap + a tapStep; target i lies at phase + i phases.
struct Axis {
  taps: u32,
  firstTap: u32,
  tapStep: u32,
  start: i32,
  stride: i32,
  shift: i32,
  count: u32,
  phase: u32,
  phases: u32,
  sourceSize: u32,
  targetSize: u32,
}

fn axisOf(phase: u32, inSize: u32, outSize: u32, kernel: u32, stride: u32, pad: u32, dilation: u32) -> Axis {
  if (!adjoint) {
    return Axis(kernel, 0, 1, -i32(pad), i32(stride), i32(dilation), outSize, 0, 1, inSize, outSize);
  }
  var tapStep = 1u;
  while (tapStep * dilation % stride != 0) {
    tapStep++;
  }
  var firstTap = 0u;
  while (firstTap < tapStep && firstTap * dilation % stride != (phase + pad) % stride) {
    firstTap++;
  }
  // A phase that no tap reaches (stride and dilation share a factor) has none.
  let reached = firstTap < min(tapStep, kernel);
  let taps = select(0u, (kernel - firstTap + tapStep - 1) / tapStep, reached);
  let start = (i32(phase + pad) - i32(firstTap * dilation)) / i32(stride);
  let shift = -i32(tapStep * dilation / stride);
  let count = (max(inSize, phase) - phase + stride - 1) / stride;
  return Axis(taps, firstTap, tapStep, start, 1, shift, count, phase, stride, outSize, inSize);
}

// Axes of the rows and the columns of one phase; `phase` counts row phases times column phases.
fn rowAxis(phase: u32) -> Axis {
  return axisOf(phase / params.strideW, params.inH, params.outH, params.kernelH, params.strideH, params.padH, params.dilationH);
}

fn columnAxis(phase: u32) -> Axis {
  return axisOf(phase % params.strideW, params.inW, params.outW, params.kernelW, params.strideW, params.padW, params.dilationW);
}

// Channels of one group, and where its weights and images lie. Weights are [outChannels, inChannels / groups, taps].
struct Channels {
  sources: u32,
  targets: u32,
  sourceTotal: u32,
  targetTotal: u32,
  weightStart: u32,
  weightPerSource: u32,
  weightPerTarget: u32,
}

fn channelsOf(group: u32) -> Channels {
  let ins = params.inChannels / params.groups;
  let outs = params.outChannels / params.groups;
  let taps = params.kernelH * params.kernelW;
  let start = group * outs * ins * taps;
  if (adjoint) {
    return Channels(outs, ins, params.outChannels, params.inChannels, start, ins * taps, taps);
  }
  return Channels(ins, outs, params.inChannels, params.outChannels, start, taps, ins * taps);
}

// What workgroups along z share out: groups, phases, and ranges of the sum.
struct Depth {
  group: u32,
  phase: u32,
  split: u32,
  splits: u32,
}

fn depthOf(z: u32, depth: u32) -> Depth {
  let phases = select(1u, params.strideH * params.strideW, adjoint);
  let perSplit = params.groups * phases;
  return Depth(z % params.groups, z / params.groups % phases, z / perSplit, depth / perSplit);
}

