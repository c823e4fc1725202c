// The averages of a plane over the cells of several bins; `put` writes one of the bins.
//
// `perPlane`: a workgroup per plane. Threads first add up columns, one for each row of cells and column of the plane, reading
// neighbouring words; then one for each cell adds up its columns in workgroup memory. A plane is read once per bin, from cache
// after the first. `perCell`: a workgroup per cell, for planes too wide for that memory.

@group(0) @binding(1) var<storage, read> x: array<f32>;

const BLOCK = 32u;

@compute @workgroup_size(workgroupSize)
fn perPlane(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) grid: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let plane = group.x + group.y * grid.x;
  if (plane >= params.planes) { return; }
  let base = plane * params.inH * params.inW;
  var begin = 0u;
  for (var k = 0u; k < params.count; k++) {
    let bin = binOf(k);
    let words = cellsOf(bin, params.inH) * params.inW;
    for (var at = lane; at < words; at += workgroupSize) {
      let window = windowOf(at / params.inW, bin, params.inH);
      let column = base + at % params.inW;
      var sum = 0.0;
      var h = window.first;
      while (h < window.end) {
        var block = 0.0;
        for (var j = 0u; j < BLOCK && h < window.end; j++) {
          block += x[column + h * params.inW];
          h++;
        }
        sum += block;
      }
      rows[begin + at] = sum;
    }
    begin += words;
  }
  workgroupBarrier();
  begin = 0u;
  for (var k = 0u; k < params.count; k++) {
    let bin = binOf(k);
    let cellsH = cellsOf(bin, params.inH);
    let cellsW = cellsOf(bin, params.inW);
    for (var at = lane; at < cellsH * cellsW; at += workgroupSize) {
      let i = at / cellsW;
      let window = windowOf(at % cellsW, bin, params.inW);
      var sum = 0.0;
      var w = window.first;
      while (w < window.end) {
        var block = 0.0;
        for (var j = 0u; j < BLOCK && w < window.end; j++) {
          block += rows[begin + i * params.inW + w];
          w++;
        }
        sum += block;
      }
      let area = lengthOf(windowOf(i, bin, params.inH)) * lengthOf(window);
      put(k, plane * cellsH * cellsW + at, sum / f32(area));
    }
    begin += cellsH * params.inW;
  }
}

@compute @workgroup_size(workgroupSize)
fn perCell(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) grid: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  var at = group.x + group.y * grid.x;
  var k = 0u;
  var bin = binOf(0u);
  var cells = params.planes * cellsOf(bin, params.inH) * cellsOf(bin, params.inW);
  while (at >= cells) {
    at -= cells;
    k++;
    if (k >= params.count) { return; }
    bin = binOf(k);
    cells = params.planes * cellsOf(bin, params.inH) * cellsOf(bin, params.inW);
  }
  let cellsH = cellsOf(bin, params.inH);
  let cellsW = cellsOf(bin, params.inW);
  let high = windowOf(at / cellsW % cellsH, bin, params.inH);
  let wide = windowOf(at % cellsW, bin, params.inW);
  let plane = at / (cellsH * cellsW) * params.inH * params.inW;
  let area = lengthOf(high) * lengthOf(wide);
  var sum = 0.0;
  var place = lane;
  while (place < area) {
    var block = 0.0;
    for (var j = 0u; j < BLOCK && place < area; j++) {
      let h = high.first + place / lengthOf(wide);
      block += x[plane + h * params.inW + wide.first + place % lengthOf(wide)];
      place += workgroupSize;
    }
    sum += block;
  }
  rows[lane] = sum;
  for (var width = workgroupSize / 2u; width > 0u; width /= 2u) {
    workgroupBarrier();
    if (lane < width) { rows[lane] += rows[lane + width]; }
  }
  if (lane == 0u) { put(k, at, rows[0] / f32(area)); }
}
