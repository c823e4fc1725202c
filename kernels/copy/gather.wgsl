// y[o][k][i] = x[o][index[o][k][i]][i]; negative indices count from the end, and those outside of [-size, size) give the word
// `outside`. One thread per element of y; 12 bytes moved per element. Words of any type.

struct Params {
  outer: u32,
  size: u32,
  count: u32,
  inner: u32,
  outside: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read> index: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<u32>;

@compute @workgroup_size(workgroupSize)
fn main(thread: Thread) {
  let at = itemOf(thread);
  let rows = at / params.inner;
  let o = rows / params.count;
  if (o >= params.outer) { return; }
  // A negative index is a large unsigned one; its sum with the size wraps to the place from the end.
  let s = index[at] + select(0u, params.size, index[at] >= 0x80000000u);
  var value = params.outside;
  if (s < params.size) { value = x[(o * params.size + s) * params.inner + at % params.inner]; }
  y[at] = value;
}
