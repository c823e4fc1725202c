// conv2dWeightGradient without tiling, for groups of few channels (depthwise above all). One thread adds up one weight over
// the output rows of its split; neighbouring threads have neighbouring taps and so read the same cache lines. Two loads per
// multiply-add.

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let taps = params.kernelH * params.kernelW;
  let ins = insPerGroup();
  let weight = (workgroup.x + workgroup.y * workgroups.x) * 64 + thread;
  if (weight >= params.outChannels * ins * taps) {
    return;
  }
  let out = weight / (ins * taps);
  let channel = out / outsPerGroup() * ins + weight / taps % ins;
  let rowShift = i32(weight % taps / params.kernelW * params.dilationH) - i32(params.padH);
  let columnShift = i32(weight % params.kernelW * params.dilationW) - i32(params.padW);
  // Output columns whose tap lies inside x: firstColumn <= q < endColumn.
  let stride = i32(params.strideW);
  let firstColumn = u32(max(0, (stride - 1 - columnShift) / stride));
  let endColumn = min(params.outW, u32(max(0, (i32(params.inW) - columnShift + stride - 1) / stride)));

  let rows = rowsOf(workgroup.z, workgroups.z);
  var sum = 0.0;
  for (var row = rows.begin; row < rows.end; row++) {
    let image = row / params.outH;
    let p = row % params.outH;
    let h = i32(p * params.strideH) + rowShift;
    if (h < 0 || h >= i32(params.inH)) {
      continue;
    }
    let xStart = i32(((image * params.inChannels + channel) * params.inH + u32(h)) * params.inW) + columnShift;
    let gStart = ((image * params.outChannels + out) * params.outH + p) * params.outW;
    for (var q = firstColumn; q < endColumn; q++) {
      sum += x[u32(xStart + i32(q) * stride)] * g[gStart + q];
    }
  }
  partials[partialAt(workgroup.z, out, weight % (ins * taps))] = sum;
}
