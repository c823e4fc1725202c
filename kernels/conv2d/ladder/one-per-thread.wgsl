// One thread per target, which visits only the taps that can reach it. One weight and one source word are loaded per
// multiply-add (2 flops for 8 bytes), none used again but from the cache; neighbouring threads take neighbouring columns.

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let targetTotal = select(params.outChannels, params.inChannels, adjoint);
  let mostRows = select(params.outH, (params.inH + params.strideH - 1) / params.strideH, adjoint);
  let mostColumns = select(params.outW, (params.inW + params.strideW - 1) / params.strideW, adjoint);
  let tiles = (params.batch * targetTotal * mostRows * mostColumns + 63) / 64;
  let tile = workgroup.x + workgroup.y * workgroups.x;
  let phase = tile / tiles;
  if (phase >= select(1u, params.strideH * params.strideW, adjoint)) {
    return;
  }
  let rows = rowAxis(phase);
  let columns = columnAxis(phase);
  let perImage = rows.count * columns.count;
  let at = tile % tiles * 64 + thread;
  if (perImage == 0 || at >= params.batch * targetTotal * perImage) {
    return;
  }
  let image = at / perImage;
  let channel = image % targetTotal;
  let i = at % perImage / columns.count;
  let j = at % columns.count;
  let group = channel / (targetTotal / params.groups);
  let channels = channelsOf(group);
  let weightStart = channels.weightStart + channel % channels.targets * channels.weightPerTarget;
  let plane = rows.sourceSize * columns.sourceSize;
  let sourceStart = (image / targetTotal * channels.sourceTotal + group * channels.sources) * plane;
  var sum = biasOf(channel);
  for (var s = 0u; s < channels.sources; s++) {
    for (var a = 0u; a < rows.taps; a++) {
      for (var b = 0u; b < columns.taps; b++) {
        let row = rows.start + i32(i) * rows.stride + i32(a) * rows.shift;
        let column = columns.start + i32(j) * columns.stride + i32(b) * columns.shift;
        if (row >= 0 && row < i32(rows.sourceSize) && column >= 0 && column < i32(columns.sourceSize)) {
          let tap = (rows.firstTap + a * rows.tapStep) * params.kernelW + columns.firstTap + b * columns.tapStep;
          let value = source[sourceStart + s * plane + u32(row) * columns.sourceSize + u32(column)];
          sum += weights[weightStart + s * channels.weightPerSource + tap] * value;
        }
      }
    }
  }
  let targetRow = rows.phase + i * rows.phases;
  result[(image * rows.targetSize + targetRow) * columns.targetSize + columns.phase + j * columns.phases] = sum;
}
