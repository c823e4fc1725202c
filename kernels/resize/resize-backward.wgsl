// The adjoint of resize, gathered: each input position adds up, row by row, the g of the outputs that read it times the
// weight they read it with. One thread per input position. The outputs to look at are estimated generously and each one's
// source position is then computed anew, by the very function that the forward pass uses.

@group(0) @binding(1) var<storage, read> g: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

/// Outputs first .. end - 1 of an axis: all that may read a position.
struct Readers {
  first: u32,
  end: u32,
}

/// Covers the rounding of positions and of the estimate itself for axes up to 10^5.
const SLACK = 0.1;

fn readersOf(position: u32, inSize: u32, outSize: u32, scale: f32) -> Readers {
  if (scale == 0.0) { return Readers(0u, outSize); }
  // An output i reads `position` if its source is in (position - before, position + 1).
  let isNearest = params.mode == RESIZE_MODE_NEAREST;
  let before = select(1.0, 0.0, isNearest);
  let offset = select(0.5, 0.0, isNearest || params.alignCorners != 0u);
  let lowest = (f32(position) - before + offset) / scale - offset;
  let highest = (f32(position) + 1.0 + offset) / scale - offset;
  let size = f32(outSize);
  var readers = Readers(u32(clamp(ceil(lowest - SLACK), 0.0, size)), u32(clamp(floor(highest + SLACK) + 1.0, 0.0, size)));
  // Sources outside the axis are moved to its ends.
  if (position == 0u) { readers.first = 0u; }
  if (position == inSize - 1u) { readers.end = outSize; }
  return readers;
}

/// Weight with which `source` reads the position; negative if it does not, which no weight is.
fn weightOf(source: Source, position: u32) -> f32 {
  if (source.low != position && source.high != position) { return -1.0; }
  return select(0.0, 1.0 - source.fraction, source.low == position)
    + select(0.0, source.fraction, source.high == position);
}

@compute @workgroup_size(workgroupSize)
fn main(thread: Thread) {
  let at = itemOf(thread);
  let line = at / params.inW;
  let plane = line / params.inH;
  if (plane >= params.planes) { return; }
  let h = line % params.inH;
  let w = at % params.inW;
  let rows = readersOf(h, params.inH, params.outH, params.scaleH);
  let columns = readersOf(w, params.inW, params.outW, params.scaleW);
  var sum = 0.0;
  for (var i = rows.first; i < rows.end; i++) {
    let rowWeight = weightOf(sourceOf(i, params.inH, params.scaleH), h);
    if (rowWeight < 0.0) { continue; }
    let base = (plane * params.outH + i) * params.outW;
    var rowSum = 0.0;
    for (var j = columns.first; j < columns.end; j++) {
      let weight = weightOf(sourceOf(j, params.inW, params.scaleW), w);
      if (weight >= 0.0) { rowSum += weight * g[base + j]; }
    }
    sum += rowWeight * rowSum;
  }
  y[at] = sum;
}
