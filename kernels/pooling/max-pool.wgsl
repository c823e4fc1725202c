// The maximum of each window and its position h inW + w. The first maximum wins and NaN beats every number; a window without
// positions gives minus infinity and -1. One thread per output, neighbours along a row; the windows come from
// pool-window.wgsl or adaptive-window.wgsl.

@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read_write> indices: array<i32>;

@compute @workgroup_size(workgroupSize)
fn main(thread: Thread) {
  let at = itemOf(thread);
  let line = at / params.outW;
  let plane = line / params.outH;
  if (plane >= params.planes) { return; }
  let rows = rowWindow(line % params.outH);
  let columns = columnWindow(at % params.outW);
  let base = plane * params.inH * params.inW;

  var best = -infinity();
  var index = -1;
  if (rows.count * columns.count > 0u) { index = i32(rows.first * params.inW + columns.first); }
  for (var h = rows.first; h < rows.end; h += rows.step) {
    for (var w = columns.first; w < columns.end; w += columns.step) {
      let position = h * params.inW + w;
      let value = x[base + position];
      if (isNan(value) || (value > best && !isNan(best))) {
        best = value;
        index = i32(position);
      }
    }
  }
  y[at] = best;
  indices[at] = index;
}
