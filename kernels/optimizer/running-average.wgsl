// y = keep y + gain x, in place, of one average or of two at a time. One thread per element; 12 bytes moved per element.

struct Params {
  n: u32,
  count: u32,
  keep: f32,
  gain0: f32,
  gain1: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x0: array<f32>;
@group(0) @binding(2) var<storage, read_write> y0: array<f32>;
@group(0) @binding(3) var<storage, read> x1: array<f32>;
@group(0) @binding(4) var<storage, read_write> y1: array<f32>;

@compute @workgroup_size(workgroupSize)
fn one(thread: Thread) {
  let i = itemOf(thread);
  if (i >= params.n) { return; }
  y0[i] = params.keep * y0[i] + params.gain0 * x0[i];
}

@compute @workgroup_size(workgroupSize)
fn two(thread: Thread) {
  let i = itemOf(thread);
  if (i >= params.n) { return; }
  y0[i] = params.keep * y0[i] + params.gain0 * x0[i];
  y1[i] = params.keep * y1[i] + params.gain1 * x1[i];
}
