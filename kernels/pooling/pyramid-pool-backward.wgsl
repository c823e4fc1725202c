// The gradient of pyramid pooling, gathered: a position adds up g / area of the cells that cover it, by bins, rows and columns;
// `take` reads one of the bins.
//
// `perPlane`: a workgroup per plane. Threads first make a row of shares for each row of cells, as wide as the plane, in
// workgroup memory; then one for each position adds up the rows that cover it. Every position is written once. `perPosition`:
// a thread per position reads the cells itself, for planes too wide for that memory.

/// The share of column w in row i of a bin's cells.
fn shareOf(k: u32, plane: u32, bin: u32, i: u32, w: u32) -> f32 {
  let cellsW = cellsOf(bin, params.inW);
  let height = lengthOf(windowOf(i, bin, params.inH));
  let columns = coveringOf(w, bin, params.inW);
  let first = (plane * cellsOf(bin, params.inH) + i) * cellsW;
  var sum = 0.0;
  for (var j = columns.first; j < columns.end; j++) {
    sum += take(k, first + j) / f32(height * lengthOf(windowOf(j, bin, params.inW)));
  }
  return sum;
}

@compute @workgroup_size(workgroupSize)
fn perPlane(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) grid: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let plane = group.x + group.y * grid.x;
  if (plane >= params.planes) { return; }
  var begin = 0u;
  for (var k = 0u; k < params.count; k++) {
    let bin = binOf(k);
    let words = cellsOf(bin, params.inH) * params.inW;
    for (var at = lane; at < words; at += workgroupSize) {
      rows[begin + at] = shareOf(k, plane, bin, at / params.inW, at % params.inW);
    }
    begin += words;
  }
  workgroupBarrier();
  let positions = params.inH * params.inW;
  for (var at = lane; at < positions; at += workgroupSize) {
    let h = at / params.inW;
    let w = at % params.inW;
    var sum = 0.0;
    begin = 0u;
    for (var k = 0u; k < params.count; k++) {
      let bin = binOf(k);
      let covering = coveringOf(h, bin, params.inH);
      for (var i = covering.first; i < covering.end; i++) { sum += rows[begin + i * params.inW + w]; }
      begin += cellsOf(bin, params.inH) * params.inW;
    }
    gx[plane * positions + at] = sum;
  }
}

@compute @workgroup_size(workgroupSize)
fn perPosition(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) grid: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = (group.x + group.y * grid.x) * workgroupSize + lane;
  let line = at / params.inW;
  let plane = line / params.inH;
  if (plane >= params.planes) { return; }
  var sum = 0.0;
  for (var k = 0u; k < params.count; k++) {
    let bin = binOf(k);
    let covering = coveringOf(line % params.inH, bin, params.inH);
    for (var i = covering.first; i < covering.end; i++) { sum += shareOf(k, plane, bin, i, at % params.inW); }
  }
  gx[at] = sum;
}
