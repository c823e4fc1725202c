// conv2d and conv2dInputGradient without tiling, for groups of few channels (depthwise above all).
// One thread makes four targets below each other in one column; neighbouring threads take neighbouring columns, then the
// next four rows, channel and image; after all targets of one phase come those of the next, from a new workgroup on. Per tap
// and source channel it reads one weight and four source words, so a weight is read once per four multiply-adds; what
// neighbours share comes from the cache.

struct Place {
  offset: u32,
  inside: bool,
}

fn place(image: u32, row: i32, column: i32, rows: Axis, columns: Axis) -> Place {
  let inside = row >= 0 && row < i32(rows.sourceSize) && column >= 0 && column < i32(columns.sourceSize);
  return Place(select(0u, image + u32(row) * columns.sourceSize + u32(column), inside), inside);
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let targetTotal = select(params.outChannels, params.inChannels, adjoint);
  // Every phase gets the workgroups of the first, which has the most targets.
  let mostRows = select(params.outH, (params.inH + params.strideH - 1) / params.strideH, adjoint);
  let mostColumns = select(params.outW, (params.inW + params.strideW - 1) / params.strideW, adjoint);
  let tiles = (params.batch * targetTotal * ((mostRows + 3) / 4) * mostColumns + 63) / 64;
  let tile = workgroup.x + workgroup.y * workgroups.x;
  let phase = tile / tiles;
  if (phase >= select(1u, params.strideH * params.strideW, adjoint)) {
    return;
  }
  let rows = rowAxis(phase);
  let columns = columnAxis(phase);
  let quads = (rows.count + 3) / 4;
  let perImage = quads * columns.count;
  let at = tile % tiles * 64 + thread;
  if (perImage == 0 || at >= params.batch * targetTotal * perImage) {
    return;
  }
  let image = at / perImage;
  let channel = image % targetTotal;
  let firstRow = at % perImage / columns.count * 4;
  let column = at % columns.count;

  let group = channel / (targetTotal / params.groups);
  let channels = channelsOf(group);
  let weightStart = channels.weightStart + channel % channels.targets * channels.weightPerTarget;
  let sourcePlane = rows.sourceSize * columns.sourceSize;
  let sourceStart = (image / targetTotal * channels.sourceTotal + group * channels.sources) * sourcePlane;

  var sum = vec4<f32>(biasOf(channel));
  for (var a = 0u; a < rows.taps; a++) {
    for (var b = 0u; b < columns.taps; b++) {
      let row = rows.start + i32(firstRow) * rows.stride + i32(a) * rows.shift;
      let sourceColumn = columns.start + i32(column) * columns.stride + i32(b) * columns.shift;
      let place0 = place(sourceStart, row, sourceColumn, rows, columns);
      let place1 = place(sourceStart, row + rows.stride, sourceColumn, rows, columns);
      let place2 = place(sourceStart, row + 2 * rows.stride, sourceColumn, rows, columns);
      let place3 = place(sourceStart, row + 3 * rows.stride, sourceColumn, rows, columns);
      let inside = vec4<bool>(place0.inside, place1.inside, place2.inside, place3.inside);
      var offset = vec4<u32>(place0.offset, place1.offset, place2.offset, place3.offset);
      let tapRow = rows.firstTap + a * rows.tapStep;
      let tapColumn = columns.firstTap + b * columns.tapStep;
      var weightAt = weightStart + tapRow * params.kernelW + tapColumn;
      for (var s = 0u; s < channels.sources; s++) {
        let values = vec4<f32>(source[offset.x], source[offset.y], source[offset.z], source[offset.w]);
        sum += weights[weightAt] * select(vec4<f32>(0.0), values, inside);
        offset += sourcePlane;
        weightAt += channels.weightPerSource;
      }
    }
  }

  let targetStart = image * rows.targetSize * columns.targetSize + columns.phase + column * columns.phases;
  for (var i = 0u; i < 4; i++) {
    if (firstRow + i < rows.count) {
      result[targetStart + (rows.phase + (firstRow + i) * rows.phases) * columns.targetSize] = sum[i];
    }
  }
}
