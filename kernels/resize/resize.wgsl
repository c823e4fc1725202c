// Nearest and bilinear resize of planes. One thread per output, neighbours along a row; at most four reads, mostly from
// cache, and one write. Source positions are in source.wgsl.

@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(workgroupSize)
fn main(thread: Thread) {
  let at = itemOf(thread);
  let line = at / params.outW;
  let plane = line / params.outH;
  if (plane >= params.planes) { return; }
  let row = sourceOf(line % params.outH, params.inH, params.scaleH);
  let column = sourceOf(at % params.outW, params.inW, params.scaleW);
  let top = (plane * params.inH + row.low) * params.inW;
  if (params.mode == RESIZE_MODE_NEAREST) {
    y[at] = x[top + column.low];
    return;
  }
  let bottom = (plane * params.inH + row.high) * params.inW;
  let left = 1.0 - column.fraction;
  let upper = left * x[top + column.low] + column.fraction * x[top + column.high];
  let lower = left * x[bottom + column.low] + column.fraction * x[bottom + column.high];
  y[at] = (1.0 - row.fraction) * upper + row.fraction * lower;
}
