// C = op(A) op(B) + bias by tiles (product-tiles.wgsl), for GPUs. A workgroup of THREADS = ROWS COLUMNS / 64 threads makes ROWS x
// COLUMNS elements of one entry, or their part over one of num_workgroups.z ranges of the inner dimension, which sum-splits.wgsl
// joins.
// Per step a thread brings LEFT_EACH + RIGHT_EACH quads: four rows of A (columns of B) at one inner index. A matrix that is dense
// along these is read four words at a time, if they are aligned, by neighbouring threads side by side; one that is dense along the
// inner dimension word by word, by eight neighbouring threads side by side. No load is under a condition: rows past the end
// repeat the last one and are not stored, inner indices past the end count as zeros on both sides. Nothing is divided in the loop.

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let tilesAcross = (params.n + COLUMNS - 1) / COLUMNS;
  let tilesDown = (params.m + ROWS - 1) / ROWS;
  let at = workgroup.x + workgroup.y * workgroups.x;
  let entry = at / (tilesAcross * tilesDown);
  if (entry >= params.batch) {
    return;
  }
  let firstRow = at / tilesAcross % tilesDown * ROWS;
  let firstColumn = at % tilesAcross * COLUMNS;
  let perSplit = (params.k + STEP * workgroups.z - 1) / (STEP * workgroups.z) * STEP;
  let begin = min(params.k, workgroup.z * perSplit);
  let end = min(params.k, begin + perSplit);

  // What the thread brings: quads from `quad` on, `quadStep` apart, at inner indices from `inner` on, `innerStep` apart.
  let isRowDense = params.transposeA == 1;
  let leftQuad = select(thread / STEP, thread % LEFT_QUADS, isRowDense);
  let leftInner = select(thread % STEP, thread / LEFT_QUADS, isRowDense);
  let leftQuadStep = select(THREADS / STEP, 0, isRowDense);
  let leftInnerStep = select(0, THREADS / LEFT_QUADS, isRowDense);
  let isColumnDense = params.transposeB == 0;
  let rightQuad = select(thread / STEP, thread % RIGHT_QUADS, isColumnDense);
  let rightInner = select(thread % STEP, thread / RIGHT_QUADS, isColumnDense);
  let rightQuadStep = select(THREADS / STEP, 0, isColumnDense);
  let rightInnerStep = select(0, THREADS / RIGHT_QUADS, isColumnDense);

  let strideA = stridesA(entry);
  let strideB = stridesB(entry);
  var fromA: array<vec4<u32>, LEFT_EACH>;
  var fromB: array<vec4<u32>, RIGHT_EACH>;
  var nextA: array<vec4<f32>, LEFT_EACH>;
  var nextB: array<vec4<f32>, RIGHT_EACH>;
  for (var i = 0u; i < LEFT_EACH; i++) {
    let row = firstRow + 4 * (leftQuad + i * leftQuadStep) + vec4(0u, 1, 2, 3);
    fromA[i] = strideA.start + min(row, vec4(params.m - 1)) * strideA.outer + (begin + leftInner + i * leftInnerStep) * strideA.inner;
    nextA[i] = quadOfA(fromA[i]);
  }
  for (var i = 0u; i < RIGHT_EACH; i++) {
    let column = firstColumn + 4 * (rightQuad + i * rightQuadStep) + vec4(0u, 1, 2, 3);
    fromB[i] = strideB.start + min(column, vec4(params.n - 1)) * strideB.outer + (begin + rightInner + i * rightInnerStep) * strideB.inner;
    nextB[i] = quadOfB(fromB[i]);
  }

  var totals: Block;
  for (var chain = begin; chain < end; chain += CHAIN) {
    // With a value, since a bare declaration in a loop keeps the last one's in some compilers.
    var sums = Block();
    let chainEnd = min(end, chain + CHAIN);
    for (var first = chain; first < chainEnd; first += STEP) {
      for (var i = 0u; i < LEFT_EACH; i++) {
        let l = leftInner + i * leftInnerStep;
        leftTile[l * LEFT_PITCH + leftQuad + i * leftQuadStep] = select(vec4<f32>(), nextA[i], first + l < end);
      }
      for (var i = 0u; i < RIGHT_EACH; i++) {
        let l = rightInner + i * rightInnerStep;
        rightTile[l * RIGHT_PITCH + rightQuad + i * rightQuadStep] = select(vec4<f32>(), nextB[i], first + l < end);
      }
      workgroupBarrier();
      let next = first + STEP - begin;
      for (var i = 0u; i < LEFT_EACH; i++) {
        nextA[i] = quadOfA(fromA[i] + next * strideA.inner);
      }
      for (var i = 0u; i < RIGHT_EACH; i++) {
        nextB[i] = quadOfB(fromB[i] + next * strideB.inner);
      }
      multiply(&sums, thread);
      workgroupBarrier();
    }
    join(&totals, &sums);
  }

  let base = (workgroup.z * params.batch + entry) * params.m;
  for (var i = 0u; i < 8; i++) {
    let row = firstRow + rowOfBlock(thread, i);
    for (var h = 0u; h < 2; h++) {
      let column = firstColumn + columnOfBlock(thread, h);
      if (row < params.m && column < params.n) {
        storeQuad((base + row) * params.n + column, totals[i][h] + biasOfQuad(column, workgroup.z), column);
      }
    }
  }
}
