// Start: one thread per pixel of x' tries every tap and throws away those that fall between the strides. Two loads per
// multiply-add (2 flops for 8 bytes), and only one tap in strideH x strideW does any work: with stride 2, three divisions
// out of four are for nothing.

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let at = (workgroup.x + workgroup.y * workgroups.x) * 64 + thread;
  let plane = params.inH * params.inW;
  if (at >= params.batch * params.inChannels * plane) {
    return;
  }
  let channel = at / plane % params.inChannels;
  let image = at / plane / params.inChannels;
  let h = i32(at % plane / params.inW);
  let w = i32(at % params.inW);
  let ins = params.inChannels / params.groups;
  let outs = params.outChannels / params.groups;
  let group = channel / ins;
  let taps = params.kernelH * params.kernelW;
  var sum = biasOf(channel);
  for (var o = group * outs; o < (group + 1) * outs; o++) {
    for (var r = 0u; r < params.kernelH; r++) {
      for (var s = 0u; s < params.kernelW; s++) {
        let fromRow = h + i32(params.padH) - i32(r * params.dilationH);
        let fromColumn = w + i32(params.padW) - i32(s * params.dilationW);
        if (fromRow < 0 || fromColumn < 0) {
          continue;
        }
        let p = u32(fromRow) / params.strideH;
        let q = u32(fromColumn) / params.strideW;
        if (p * params.strideH != u32(fromRow) || q * params.strideW != u32(fromColumn)) {
          continue;
        }
        if (p < params.outH && q < params.outW) {
          let value = source[((image * params.outChannels + o) * params.outH + p) * params.outW + q];
          sum += weights[(o * ins + channel % ins) * taps + r * params.kernelW + s] * value;
        }
      }
    }
  }
  result[at] = sum;
}
