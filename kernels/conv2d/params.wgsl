// The sizes of a convolution, as conv2d.ts describes them; put before geometry.wgsl and weight-geometry.wgsl.

struct Params {
  batch: u32,
  inChannels: u32,
  inH: u32,
  inW: u32,
  outChannels: u32,
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
  groups: u32,
  bias: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
