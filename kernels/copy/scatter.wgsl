// y[o][s][i] = sum over index[o][k][i] = s of g[o][k][i] in order of k (scatterAdd), or the last such g (scatter), or 0.
// Negative indices count from the end; one outside of [-size, size) fills y[o][:][i] with the word `outside`, unless that is 0.
//
// A thread owns s = first .. first + range - 1 of one (o, i) and walks all k, taking those that fall into its range: no two
// threads write the same word and no order is left to chance. g is read once, the indices once per range; a range of 1
// keeps the sum in a register. Leaves out sorting, which would pay for one long column with many indices.

override accumulate: bool;
override ranges: u32;

struct Params {
  outer: u32,
  size: u32,
  count: u32,
  inner: u32,
  outside: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> g: array<u32>;
@group(0) @binding(2) var<storage, read> index: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<u32>;

fn merged(old: u32, value: u32) -> u32 {
  if (accumulate) { return bitcast<u32>(bitcast<f32>(old) + bitcast<f32>(value)); }
  return value;
}

/// Where an index leads: a negative one is a large unsigned one, whose sum with the size wraps to the place from the end.
fn placeOf(raw: u32) -> u32 {
  return raw + select(0u, params.size, raw >= 0x80000000u);
}

struct Column {
  g: u32,
  y: u32,
  first: u32,
  end: u32,
}

/// What the thread owns; an empty range if it has nothing to do.
fn columnOf(thread: u32) -> Column {
  let i = thread % params.inner;
  let rest = thread / params.inner;
  let o = rest / ranges;
  if (o >= params.outer) { return Column(0u, 0u, 0u, 0u); }
  let range = (params.size + ranges - 1u) / ranges;
  let first = min(params.size, (rest % ranges) * range);
  let g = o * params.count * params.inner + i;
  return Column(g, o * params.size * params.inner + i, first, min(params.size, first + range));
}

@compute @workgroup_size(workgroupSize)
fn byRange(thread: Thread) {
  let column = columnOf(itemOf(thread));
  if (column.first >= column.end) { return; }
  for (var s = column.first; s < column.end; s++) { y[column.y + s * params.inner] = 0u; }
  var isComplete = true;
  for (var k = 0u; k < params.count; k++) {
    let source = column.g + k * params.inner;
    let s = placeOf(index[source]);
    isComplete = isComplete && s < params.size;
    if (s >= column.first && s < column.end) {
      let at = column.y + s * params.inner;
      y[at] = merged(y[at], g[source]);
    }
  }
  if (isComplete || params.outside == 0u) { return; }
  for (var s = column.first; s < column.end; s++) { y[column.y + s * params.inner] = params.outside; }
}

@compute @workgroup_size(workgroupSize)
fn byElement(thread: Thread) {
  let column = columnOf(itemOf(thread));
  if (column.first >= column.end) { return; }
  var value = 0u;
  var isComplete = true;
  for (var k = 0u; k < params.count; k++) {
    let source = column.g + k * params.inner;
    let s = placeOf(index[source]);
    isComplete = isComplete && s < params.size;
    if (s == column.first) { value = merged(value, g[source]); }
  }
  if (!isComplete && params.outside != 0u) { value = params.outside; }
  y[column.y + column.first * params.inner] = value;
}
