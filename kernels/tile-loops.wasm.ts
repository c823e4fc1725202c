// Loops of register tiles over a block of C: which rows and which vectors go together. Leaves out cutting C and K into
// blocks, which the kernels do.
import { FROM_C, outerTile, outerTile16, outerTile1x32 } from './tiles.wasm';

/** One vector of C: where its columns of X start, where it stands in row 0 of C, and how many of its columns there are. */
@unmanaged
export class TileVector {
  x: usize;
  c: usize;
  count: i32;
}

export const VECTOR_BYTES: usize = 12;

/** Bytes of A that should stay in the second-level cache while the vectors pass by. */
const A_BLOCK: i32 = 192 * 1024;
const TILE_ROWS: i32 = 6;

@inline
function vectorAt(vectors: usize, i: i32): TileVector {
  return changetype<TileVector>(vectors + <usize>i * VECTOR_BYTES);
}

/** Whether the vectors [i, i + n) are whole and follow one another both in X and in C. */
function isRun(vectors: usize, i: i32, n: i32, step: usize): bool {
  if (step != 4) return false;
  const head = vectorAt(vectors, i);
  const tail = vectorAt(vectors, i + n - 1);
  const bytes = 16 * (n - 1);
  return tail.c - head.c == bytes && tail.x - head.x == bytes && tail.count == 4;
}

/** `init` of rows from `row` on. */
@inline
function initOf(init: usize, row: i32): usize {
  return init <= FROM_C ? init : init + (<usize>row << 2);
}

/** C = A X over `m` rows and `count` vectors. `lda`, `ldc`, `step` are bytes; see outerTile. */
export function multiply(
  a: usize,
  lda: usize,
  m: i32,
  offsets: usize,
  k: i32,
  vectors: usize,
  count: i32,
  ldc: usize,
  step: usize,
  init: usize,
): void {
  if (m <= 3) {
    multiplyFewRows(a, lda, m, offsets, k, vectors, count, ldc, step, init);
    return;
  }
  // Tiles of nearly equal height: 8 rows are 4 + 4, since 6 + 2 would leave the second tile waiting for its sums.
  const tiles = (m + TILE_ROWS - 1) / TILE_ROWS;
  const tilesPerBlock = max(1, A_BLOCK / (4 * TILE_ROWS * max(1, k)));
  for (let block = 0; block < tiles; block += tilesPerBlock) {
    const blockEnd = min(tiles, block + tilesPerBlock);
    for (let v = 0; v < count; v += 2) {
      const left = vectorAt(vectors, v);
      const isPair = v + 1 < count;
      const right = isPair ? vectorAt(vectors, v + 1) : left;
      const rightCount = isPair ? right.count : 0;
      for (let tile = block; tile < blockEnd; tile++) {
        const row = (tile * m) / tiles;
        const rows = ((tile + 1) * m) / tiles - row;
        const below = <usize>row * ldc;
        outerTile(
          rows,
          a + <usize>row * lda,
          lda,
          left.x,
          right.x,
          offsets,
          k,
          left.c + below,
          right.c + below,
          ldc,
          left.count,
          rightCount,
          step,
          initOf(init, row),
        );
      }
    }
  }
}

function multiplyFewRows(
  a: usize,
  lda: usize,
  m: i32,
  offsets: usize,
  k: i32,
  vectors: usize,
  count: i32,
  ldc: usize,
  step: usize,
  init: usize,
): void {
  const run = m == 1 ? 8 : 4;
  let v = 0;
  while (v < count) {
    const left = vectorAt(vectors, v);
    if (v + run <= count && isRun(vectors, v, run, step)) {
      if (m == 1) outerTile1x32(a, left.x, offsets, k, left.c, init);
      else outerTile16(m, a, lda, left.x, offsets, k, left.c, ldc, init);
      v += run;
      continue;
    }
    const isPair = v + 1 < count;
    const right = isPair ? vectorAt(vectors, v + 1) : left;
    const rightCount = isPair ? right.count : 0;
    outerTile(m, a, lda, left.x, right.x, offsets, k, left.c, right.c, ldc, left.count, rightCount, step, init);
    v += 2;
  }
}
