// A thread makes 8 x 8 elements in registers: 16 loads from workgroup memory for 64 multiply-adds, 1/32 word from buffers for one. A
// workgroup of 64 threads makes 64 x 64 elements in steps of 16 along the inner dimension; threads bring neighbouring words
// whichever way a matrix is stored. But every load is behind a condition, so a GPU waits for each before it asks for the next, and
// all of them wait before the arithmetic starts. Of a long inner dimension the sums of every 256 terms join C.

const TILE = 64u;
// Words from one inner index of a tile to the next: not a multiple of the banks of workgroup memory.
const PITCH = 65u;
const STEP = 16u;
const SIDE = 8u;
const CHAIN = 256u;

var<workgroup> tileA: array<f32, STEP * PITCH>;
var<workgroup> tileB: array<f32, STEP * PITCH>;

// Which word of a tile (its outer and inner index) a thread brings in as its i-th: along whichever index is stored densely.
fn part(thread: u32, i: u32, outerDense: bool) -> vec2<u32> {
  let dense = vec2<u32>(thread, i);
  let strided = vec2<u32>(thread / STEP + i * (TILE / STEP), thread % STEP);
  return select(strided, dense, outerDense);
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let tilesAcross = (params.n + TILE - 1) / TILE;
  let tilesDown = (params.m + TILE - 1) / TILE;
  let at = workgroup.x + workgroup.y * workgroups.x;
  let entry = at / (tilesAcross * tilesDown);
  if (entry >= params.batch) {
    return;
  }
  let firstRow = at / tilesAcross % tilesDown * TILE;
  let firstColumn = at % tilesAcross * TILE;
  let strideA = stridesA(entry);
  let strideB = stridesB(entry);

  let threadRow = thread / SIDE;
  let threadColumn = thread % SIDE;
  var sums: array<array<f32, SIDE>, SIDE>;
  for (var first = 0u; first < params.k; first += STEP) {
    for (var i = 0u; i < STEP; i++) {
      let partA = part(thread, i, params.transposeA == 1);
      let row = firstRow + partA.x;
      var valueA = 0.0;
      if (row < params.m && first + partA.y < params.k) {
        valueA = a[strideA.start + row * strideA.outer + (first + partA.y) * strideA.inner];
      }
      tileA[partA.y * PITCH + partA.x] = valueA;
      let partB = part(thread, i, params.transposeB == 0);
      let column = firstColumn + partB.x;
      var valueB = 0.0;
      if (column < params.n && first + partB.y < params.k) {
        valueB = b[strideB.start + column * strideB.outer + (first + partB.y) * strideB.inner];
      }
      tileB[partB.y * PITCH + partB.x] = valueB;
    }
    workgroupBarrier();
    for (var l = 0u; l < STEP; l++) {
      var values: array<f32, SIDE>;
      for (var j = 0u; j < SIDE; j++) {
        values[j] = tileB[l * PITCH + threadColumn + j * SIDE];
      }
      for (var i = 0u; i < SIDE; i++) {
        let value = tileA[l * PITCH + threadRow * SIDE + i];
        for (var j = 0u; j < SIDE; j++) {
          sums[i][j] = fma(value, values[j], sums[i][j]);
        }
      }
    }
    workgroupBarrier();
    let next = first + STEP;
    if (next < params.k && next % CHAIN != 0) { continue; }
    for (var i = 0u; i < SIDE; i++) {
      let row = firstRow + threadRow * SIDE + i;
      for (var j = 0u; j < SIDE; j++) {
        let column = firstColumn + threadColumn + j * SIDE;
        if (row < params.m && column < params.n) {
          let to = (entry * params.m + row) * params.n + column;
          if (next > CHAIN) { c[to] += sums[i][j]; } else { c[to] = sums[i][j] + biasOf(column); }
        }
        sums[i][j] = 0.0;
      }
    }
  }
}
