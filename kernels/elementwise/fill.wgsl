// y[i] = value, whose bits are copied as they are. 4 bytes moved per element; a thread per element, or per four where n is a
// multiple of 4.

struct Params {
  n: u32,
  bits: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;
@group(0) @binding(1) var<storage, read_write> y4: array<vec4<u32>>;

@compute @workgroup_size(workgroupSize)
fn perElement(thread: Thread) {
  let i = itemOf(thread);
  if (i >= params.n) { return; }
  y[i] = params.bits;
}

@compute @workgroup_size(workgroupSize)
fn perFour(thread: Thread) {
  let i = itemOf(thread);
  if (i >= params.n / 4u) { return; }
  y4[i] = vec4(params.bits);
}
