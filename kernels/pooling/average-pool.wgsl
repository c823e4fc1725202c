// The mean of each window; the windows come from pool-window.wgsl or adaptive-window.wgsl. Without dilation.
//
// `perThread`: a thread per output, neighbours along a row. `perWorkgroup`: a workgroup per output, for windows of hundreds
// of positions such as a whole plane, whose threads read neighbouring columns and then add pairwise. Sums go row by row or
// in strides, so that errors grow with the root of the window.

@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

var<workgroup> lanes: array<f32, workgroupSize>;

/// A window in the padding alone has the mean 0.
fn mean(sum: f32, rows: AxisWindow, columns: AxisWindow) -> f32 {
  if (rows.count * columns.count == 0u) { return 0.0; }
  return sum / f32(rows.counted * columns.counted);
}

@compute @workgroup_size(workgroupSize)
fn perThread(thread: Thread) {
  let at = itemOf(thread);
  let line = at / params.outW;
  let plane = line / params.outH;
  if (plane >= params.planes) { return; }
  let rows = rowWindow(line % params.outH);
  let columns = columnWindow(at % params.outW);
  var sum = 0.0;
  for (var h = rows.first; h < rows.end; h++) {
    let base = (plane * params.inH + h) * params.inW;
    var rowSum = 0.0;
    for (var w = columns.first; w < columns.end; w++) { rowSum += x[base + w]; }
    sum += rowSum;
  }
  y[at] = mean(sum, rows, columns);
}

@compute @workgroup_size(workgroupSize)
fn perWorkgroup(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) grid: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = group.x + group.y * grid.x;
  let line = at / params.outW;
  let plane = line / params.outH;
  if (plane >= params.planes) { return; }
  let rows = rowWindow(line % params.outH);
  let columns = columnWindow(at % params.outW);
  var sum = 0.0;
  for (var k = lane; k < rows.count * columns.count; k += workgroupSize) {
    let h = rows.first + k / columns.count;
    sum += x[(plane * params.inH + h) * params.inW + columns.first + k % columns.count];
  }
  lanes[lane] = sum;
  for (var width = workgroupSize / 2u; width > 0u; width /= 2u) {
    workgroupBarrier();
    if (lane < width) { lanes[lane] += lanes[lane + width]; }
  }
  if (lane == 0u) { y[at] = mean(lanes[0], rows, columns); }
}
