// Windows of adaptive pooling, axis by axis; put before the pooling modules in place of pool-window.wgsl. Window i of an
// axis is floor(i in / out) .. ceil((i + 1) in / out) - 1. Products must fit 32 bits: in out < 2^32.

struct Params {
  planes: u32,
  inH: u32,
  inW: u32,
  outH: u32,
  outW: u32,
}

@group(0) @binding(0) var<uniform> params: Params;

/// Positions first, first + step, ... below end; `count` of them, all of which an average counts.
struct AxisWindow {
  first: u32,
  end: u32,
  step: u32,
  count: u32,
  counted: u32,
}

fn axisWindow(i: u32, size: u32, outputs: u32) -> AxisWindow {
  let first = i * size / outputs;
  let end = ((i + 1u) * size + outputs - 1u) / outputs;
  return AxisWindow(first, end, 1u, end - first, end - first);
}

fn rowWindow(i: u32) -> AxisWindow {
  return axisWindow(i, params.inH, params.outH);
}

fn columnWindow(j: u32) -> AxisWindow {
  return axisWindow(j, params.inW, params.outW);
}

/// Windows first .. end - 1 of an axis: exactly those that cover a position.
struct Covering {
  first: u32,
  end: u32,
}

fn axisCovering(position: u32, size: u32, outputs: u32) -> Covering {
  return Covering(position * outputs / size, ((position + 1u) * outputs + size - 1u) / size);
}

fn rowCovering(h: u32) -> Covering {
  return axisCovering(h, params.inH, params.outH);
}

fn columnCovering(w: u32) -> Covering {
  return axisCovering(w, params.inW, params.outW);
}
