// Sort along lines, by ranks: where an element goes is how many go before it. A thread per element in every pass. `rankRuns`
// counts within runs of `run` elements; `mergeRuns` finds an element of one run by bisection in the run beside it, which
// doubles their length; `finish` writes values and places. No pass needs a barrier, and none writes a word twice.
// The passes hold places only, 4 bytes per element: the values are looked up in x.

override run: u32;

struct Params {
  outer: u32,
  n: u32,
  inner: u32,
  descending: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> ranked: array<u32>;
@group(0) @binding(2) var<storage, read> order: array<u32>;
@group(0) @binding(3) var<storage, read_write> merged: array<u32>;
@group(0) @binding(3) var<storage, read_write> values: array<u32>;
@group(0) @binding(4) var<storage, read_write> indices: array<u32>;

/// Rises with the value: negative floats have their bits turned over, NaN is above all, -0 is 0.
fn keyOf(bits: u32) -> u32 {
  var key = select(bits | 0x80000000u, ~bits, bits >> 31u == 1u);
  key = select(key, 0x80000000u, bits == 0x80000000u);
  key = select(key, 0xffffffffu, (bits & 0x7fffffffu) > 0x7f800000u);
  return select(key, ~key, params.descending != 0u);
}

/// The line of an item and its place there. Scratch holds the lines one after the other.
struct Item {
  line: u32,
  k: u32,
}

fn placeOf(at: u32) -> Item {
  return Item(at / params.n, at % params.n);
}

fn isPast(item: Item) -> bool {
  return item.line >= params.outer * params.inner;
}

fn element(line: u32, k: u32) -> u32 {
  return (line / params.inner * params.n + k) * params.inner + line % params.inner;
}

@compute @workgroup_size(workgroupSize)
fn rankRuns(thread: Thread) {
  let item = placeOf(itemOf(thread));
  if (isPast(item)) { return; }
  let key = keyOf(x[element(item.line, item.k)]);
  let first = item.k / run * run;
  var before = first;
  for (var k = first; k < min(params.n, first + run); k++) {
    let other = keyOf(x[element(item.line, k)]);
    before += select(0u, 1u, other < key || (other == key && k < item.k));
  }
  ranked[item.line * params.n + before] = item.k;
}

@compute @workgroup_size(workgroupSize)
fn mergeRuns(thread: Thread) {
  let item = placeOf(itemOf(thread));
  if (isPast(item)) { return; }
  let line = item.line * params.n;
  let place = order[line + item.k];
  let key = keyOf(x[element(item.line, place)]);
  let own = item.k / run;
  let isLeft = own % 2u == 0u;
  let first = min(params.n, select(own - 1u, own + 1u, isLeft) * run);
  // Elements of the run beside that go before this one; those of the left run go first where keys are equal.
  var low = first;
  var high = min(params.n, first + run);
  while (low < high) {
    let middle = (low + high) / 2u;
    let other = keyOf(x[element(item.line, order[line + middle])]);
    let goesBefore = other < key || (other == key && !isLeft);
    low = select(low, middle + 1u, goesBefore);
    high = select(middle, high, goesBefore);
  }
  let start = select(own - 1u, own, isLeft) * run;
  merged[line + start + item.k % run + low - first] = place;
}

@compute @workgroup_size(workgroupSize)
fn finish(thread: Thread) {
  let item = placeOf(itemOf(thread));
  if (isPast(item)) { return; }
  let place = order[item.line * params.n + item.k];
  let to = element(item.line, item.k);
  values[to] = x[element(item.line, place)];
  indices[to] = place;
}
