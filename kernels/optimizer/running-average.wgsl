// y = keep y + gain x, in place. One thread per element; 12 bytes moved per element.

struct Params {
  n: u32,
  keep: f32,
  gain: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(workgroupSize)
fn main(thread: Thread) {
  let i = itemOf(thread);
  if (i >= params.n) { return; }
  y[i] = params.keep * y[i] + params.gain * x[i];
}
