// The gradient of max pooling, gathered: each input position adds up the g of those windows whose index names it, row by
// row. One thread per input position; g and indices are read once for every position that their window may cover.

@group(0) @binding(1) var<storage, read> g: array<f32>;
@group(0) @binding(2) var<storage, read> indices: array<i32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(workgroupSize)
fn main(thread: Thread) {
  let at = itemOf(thread);
  let line = at / params.inW;
  let plane = line / params.inH;
  if (plane >= params.planes) { return; }
  let position = i32(at - plane * params.inH * params.inW);
  let rows = rowCovering(line % params.inH);
  let columns = columnCovering(at % params.inW);

  var sum = 0.0;
  for (var i = rows.first; i < rows.end; i++) {
    let base = (plane * params.outH + i) * params.outW;
    for (var j = columns.first; j < columns.end; j++) {
      if (indices[base + j] == position) { sum += g[base + j]; }
    }
  }
  y[at] = sum;
}
