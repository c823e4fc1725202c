// C = op(A) op(B) + bias without workgroup memory, for processors where a load costs as much as many multiply-adds and has
// no cheaper place than the cache (software adapters).
// One thread makes four neighbouring columns of up to 32 rows. Per inner index it loads four words of B, and one of A per
// block of eight rows: lane l holds that of row l, and the subgroup broadcasts them in turn. So 4 + 4 loads serve 128
// multiply-adds, where the direct plan loads two per one. Wants subgroups of at least eight.

// Blocks of eight rows per thread, 1 to 4, and threads per workgroup, four columns each.
override blocks: u32 = 4;
override threads: u32 = 64;

alias Block = array<vec4<f32>, 8>;

// Written out, because lanes of a broadcast are constants.
fn multiply(sums: ptr<function, Block>, value: f32, values: vec4<f32>) {
  (*sums)[0] += subgroupBroadcast(value, 0) * values;
  (*sums)[1] += subgroupBroadcast(value, 1) * values;
  (*sums)[2] += subgroupBroadcast(value, 2) * values;
  (*sums)[3] += subgroupBroadcast(value, 3) * values;
  (*sums)[4] += subgroupBroadcast(value, 4) * values;
  (*sums)[5] += subgroupBroadcast(value, 5) * values;
  (*sums)[6] += subgroupBroadcast(value, 6) * values;
  (*sums)[7] += subgroupBroadcast(value, 7) * values;
}

/// Terms added up one after the other before their sum joins C.
const CHAIN = 256u;

fn store(sums: ptr<function, Block>, isFirst: bool, entry: u32, firstRow: u32, firstColumn: u32) {
  for (var i = 0u; i < 8 && firstRow + i < params.m; i++) {
    let values = (*sums)[i];
    let at = (entry * params.m + firstRow + i) * params.n + firstColumn;
    for (var j = 0u; j < 4 && firstColumn + j < params.n; j++) {
      if (isFirst) { c[at + j] = values[j] + biasOf(firstColumn + j); } else { c[at + j] += values[j]; }
    }
  }
  *sums = Block();
}

@compute @workgroup_size(threads)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
  @builtin(subgroup_invocation_id) invocation: u32,
) {
  let lane = invocation % 8;
  let tilesAcross = (params.n + threads * 4 - 1) / (threads * 4);
  let tilesDown = (params.m + blocks * 8 - 1) / (blocks * 8);
  let at = workgroup.x + workgroup.y * workgroups.x;
  let entry = at / (tilesAcross * tilesDown);
  if (entry >= params.batch) {
    return;
  }
  // Row tiles vary fastest, so that workgroups at work together read the same columns of B.
  let firstRow = at % tilesDown * blocks * 8;
  let firstColumn = (at / tilesDown % tilesAcross * threads + thread) * 4;
  let strideA = stridesA(entry);
  let strideB = stridesB(entry);

  // Rows and columns past the end repeat the last one and are not stored: the whole subgroup must reach every broadcast.
  let row = min(firstRow + lane + vec4<u32>(0, 8, 16, 24), vec4<u32>(params.m - 1));
  let column = min(firstColumn + vec4<u32>(0, 1, 2, 3), vec4<u32>(params.n - 1));
  var atA = strideA.start + row * strideA.outer;
  var atB = strideB.start + column * strideB.outer;
  var sums0: Block;
  var sums1: Block;
  var sums2: Block;
  var sums3: Block;
  for (var l = 0u; l < params.k; l++) {
    let values = vec4<f32>(b[atB.x], b[atB.y], b[atB.z], b[atB.w]);
    multiply(&sums0, a[atA.x], values);
    if (blocks > 1) {
      multiply(&sums1, a[atA.y], values);
    }
    if (blocks > 2) {
      multiply(&sums2, a[atA.z], values);
    }
    if (blocks > 3) {
      multiply(&sums3, a[atA.w], values);
    }
    atA += strideA.inner;
    atB += strideB.inner;
    if ((l + 1) % CHAIN != 0 && l + 1 < params.k) { continue; }
    let isFirst = l < CHAIN;
    store(&sums0, isFirst, entry, firstRow, firstColumn);
    if (blocks > 1) {
      store(&sums1, isFirst, entry, firstRow + 8, firstColumn);
    }
    if (blocks > 2) {
      store(&sums2, isFirst, entry, firstRow + 16, firstColumn);
    }
    if (blocks > 3) {
      store(&sums3, isFirst, entry, firstRow + 24, firstColumn);
    }
  }
}
