// Windows of strided pooling, axis by axis; put before the pooling modules. Window i of an axis covers start, start +
// dilation, ... with start = i stride - pad, as far as that lies inside the plane.

struct Params {
  planes: u32,
  inH: u32,
  inW: u32,
  outH: u32,
  outW: u32,
  kernelH: u32,
  kernelW: u32,
  strideH: u32,
  strideW: u32,
  padH: u32,
  padW: u32,
  dilationH: u32,
  dilationW: u32,
  countPadding: u32,
}

@group(0) @binding(0) var<uniform> params: Params;

/// Positions first, first + step, ... below end; `count` of them, and `counted` of them for an average's divisor.
struct AxisWindow {
  first: u32,
  end: u32,
  step: u32,
  count: u32,
  counted: u32,
}

fn axisWindow(i: u32, size: u32, kernel: u32, stride: u32, pad: u32, dilation: u32) -> AxisWindow {
  let start = i32(i * stride) - i32(pad);
  let stop = start + i32(kernel * dilation);
  var first = start;
  if (start < 0) { first += (-start + i32(dilation) - 1) / i32(dilation) * i32(dilation); }
  let end = max(first, min(stop, i32(size)));
  let count = u32(end - first + i32(dilation) - 1) / dilation;
  // The last window may reach past the padding too; that part is never counted.
  let padded = u32(max(0, min(stop, i32(size + pad)) - start));
  return AxisWindow(u32(first), u32(end), dilation, count, select(count, padded, params.countPadding != 0u));
}

fn rowWindow(i: u32) -> AxisWindow {
  return axisWindow(i, params.inH, params.kernelH, params.strideH, params.padH, params.dilationH);
}

fn columnWindow(j: u32) -> AxisWindow {
  return axisWindow(j, params.inW, params.kernelW, params.strideW, params.padW, params.dilationW);
}

/// Windows first .. end - 1 of an axis: all that cover a position, and with dilation some that skip it.
struct Covering {
  first: u32,
  end: u32,
}

fn axisCovering(position: u32, outputs: u32, kernel: u32, stride: u32, pad: u32, dilation: u32) -> Covering {
  let padded = position + pad;
  let reach = kernel * dilation;
  var first = 0u;
  if (padded >= reach) { first = (padded - reach) / stride + 1u; }
  return Covering(first, min(outputs, padded / stride + 1u));
}

fn rowCovering(h: u32) -> Covering {
  return axisCovering(h, params.outH, params.kernelH, params.strideH, params.padH, params.dilationH);
}

fn columnCovering(w: u32) -> Covering {
  return axisCovering(w, params.outW, params.kernelW, params.strideW, params.padW, params.dilationW);
}
