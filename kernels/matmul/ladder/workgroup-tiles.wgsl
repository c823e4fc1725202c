// Tiles of A and B come to workgroup memory, so each word read from a buffer serves 16 threads. A workgroup of 16 x 16
// threads makes 16 x 16 elements, one each, in steps of 16 along the inner dimension: 1/8 word from buffers per multiply-add
// (4 flops a byte), but still two loads from workgroup memory for one.

const TILE = 16u;

var<workgroup> tileA: array<f32, TILE * TILE>;
var<workgroup> tileB: array<f32, TILE * TILE>;

@compute @workgroup_size(TILE * TILE)
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
  let i = thread / TILE;
  let j = thread % TILE;
  let row = at / tilesAcross % tilesDown * TILE + i;
  let column = at % tilesAcross * TILE + j;
  let strideA = stridesA(entry);
  let strideB = stridesB(entry);
  var sum = 0.0;
  for (var first = 0u; first < params.k; first += TILE) {
    var valueA = 0.0;
    if (row < params.m && first + j < params.k) {
      valueA = a[strideA.start + row * strideA.outer + (first + j) * strideA.inner];
    }
    var valueB = 0.0;
    if (column < params.n && first + i < params.k) {
      valueB = b[strideB.start + column * strideB.outer + (first + i) * strideB.inner];
    }
    tileA[thread] = valueA;
    tileB[thread] = valueB;
    workgroupBarrier();
    for (var l = 0u; l < TILE; l++) {
      sum += tileA[i * TILE + l] * tileB[l * TILE + j];
    }
    workgroupBarrier();
  }
  if (row < params.m && column < params.n) {
    c[(entry * params.m + row) * params.n + column] = sum + biasOf(column);
  }
}
