// y = running sums of x along lines. `lines`: a thread a line, 8 bytes moved per element. Where lines are few and long they are
// cut into blocks, 12 bytes per element: `blockSums` (a thread a block), `blockStarts` (a thread a line, over its blocks), and
// `blocks`, each of which starts from what stands before it. The order of the sums depends on the shape alone.

override block: u32;

@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(1) var<storage, read_write> sums: array<vec2<f32>>;
@group(0) @binding(2) var<storage, read_write> blockSum: array<vec2<f32>>;
@group(0) @binding(3) var<storage, read> starts: array<vec2<f32>>;

fn scanRange(line: u32, first: u32, last: u32, start: vec2<f32>) {
  var sum = start;
  for (var k = first; k < last; k++) {
    let at = place(line, k);
    sum = plus(sum, x[at]);
    y[at] = rounded(sum);
  }
}

@compute @workgroup_size(workgroupSize)
fn lines(thread: Thread) {
  let line = itemOf(thread);
  if (line >= params.outer * params.inner) { return; }
  scanRange(line, 0u, params.n, vec2(0.0));
}

/// Neighbouring threads take neighbouring lines, and of one line neighbouring blocks.
fn blocksOfLine() -> u32 {
  return (params.n + block - 1u) / block;
}

@compute @workgroup_size(workgroupSize)
fn blockSums(thread: Thread) {
  let item = itemOf(thread);
  let count = blocksOfLine();
  let line = item / count;
  if (line >= params.outer * params.inner) { return; }
  let first = (item % count) * block;
  var sum = vec2(0.0);
  for (var k = first; k < min(params.n, first + block); k++) { sum = plus(sum, x[place(line, k)]); }
  blockSum[item] = sum;
}

/// Sums of blocks become what stands before each of them.
@compute @workgroup_size(workgroupSize)
fn blockStarts(thread: Thread) {
  let line = itemOf(thread);
  if (line >= params.outer * params.inner) { return; }
  let count = blocksOfLine();
  var start = vec2(0.0);
  for (var i = line * count; i < (line + 1u) * count; i++) {
    let own = sums[i];
    sums[i] = start;
    start = plus(plus(start, own.x), own.y);
  }
}

@compute @workgroup_size(workgroupSize)
fn blocks(thread: Thread) {
  let item = itemOf(thread);
  let count = blocksOfLine();
  let line = item / count;
  if (line >= params.outer * params.inner) { return; }
  let first = (item % count) * block;
  scanRange(line, first, min(params.n, first + block), starts[item]);
}
