// Start: one thread per weight walks all pixels of all images. Two loads per multiply-add (2 flops for 8 bytes); there are
// few weights and many pixels, so a few threads work for long while the rest of the machine has nothing to do.

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
  var sum = 0.0;
  for (var image = 0u; image < params.batch; image++) {
    for (var p = 0u; p < params.outH; p++) {
      for (var q = 0u; q < params.outW; q++) {
        let h = i32(p * params.strideH) + rowShift;
        let w = i32(q * params.strideW) + columnShift;
        if (h >= 0 && h < i32(params.inH) && w >= 0 && w < i32(params.inW)) {
          let value = x[((image * params.inChannels + channel) * params.inH + u32(h)) * params.inW + u32(w)];
          sum += value * g[((image * params.outChannels + out) * params.outH + p) * params.outW + q];
        }
      }
    }
  }
  partials[weight] = sum;
}
