// The gradient of average pooling, gathered: each input position adds up g / divisor of the windows that cover it, row by
// row. One thread per input position; the windows come from pool-window.wgsl or adaptive-window.wgsl, without dilation.

@group(0) @binding(1) var<storage, read> g: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(workgroupSize)
fn main(thread: Thread) {
  let at = itemOf(thread);
  let line = at / params.inW;
  let plane = line / params.inH;
  if (plane >= params.planes) { return; }
  let rows = rowCovering(line % params.inH);
  let columns = columnCovering(at % params.inW);
  var sum = 0.0;
  for (var i = rows.first; i < rows.end; i++) {
    let height = rowWindow(i).counted;
    let base = (plane * params.outH + i) * params.outW;
    for (var j = columns.first; j < columns.end; j++) {
      sum += g[base + j] / f32(height * columnWindow(j).counted);
    }
  }
  y[at] = sum;
}
