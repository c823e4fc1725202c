// Loops of register tiles over a block of C: which rows and which vectors go together. Leaves out cutting C and K into
// blocks, which the kernels do.
import { loadPart, loadStrided, loadStridedPart, storePart } from './simd.wasm';
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
  for (let j = 1; j < n; j++) {
    const vector = vectorAt(vectors, i + j);
    const bytes = (<usize>j) << 4;
    if (vector.c - head.c != bytes || vector.x - head.x != bytes) return false;
  }
  return vectorAt(vectors, i + n - 1).count == 4;
}

/** `init` of rows from `row` on. */
@inline
function initOf(init: usize, row: i32): usize {
  return init <= FROM_C ? init : init + ((<usize>row) << 2);
}

/** Bytes of private scratch for a tile that does not go to C as it is. */
export const SPILL_BYTES: usize = 192;

function gatherVector(c: usize, count: i32, step: usize): v128 {
  if (step == 4) return count == 4 ? v128.load(c) : count > 0 ? loadPart(c, count) : i32x4.splat(0);
  return count == 4 ? loadStrided(c, step) : count > 0 ? loadStridedPart(c, step, count) : i32x4.splat(0);
}

function scatterVector(c: usize, value: v128, count: i32, step: usize): void {
  if (step == 4) {
    if (count == 4) v128.store(c, value);
    else if (count > 0) storePart(c, value, count);
    return;
  }
  if (count > 0) v128.store32_lane(c, value, 0);
  if (count > 1) v128.store32_lane(c + step, value, 1);
  if (count > 2) v128.store32_lane(c + 2 * step, value, 2);
  if (count > 3) v128.store32_lane(c + 3 * step, value, 3);
}

/** A tile with lanes that do not belong to C, or that stand apart there: computed in `spill` and moved. */
function spilledTile(
  rows: i32,
  a: usize,
  lda: usize,
  left: TileVector,
  right: TileVector,
  rightCount: i32,
  offsets: usize,
  k: i32,
  below: usize,
  ldc: usize,
  step: usize,
  init: usize,
  spill: usize,
): void {
  let c0 = left.c + below;
  let c1 = right.c + below;
  if (init == FROM_C) {
    for (let i = 0; i < rows; i++) {
      const to = spill + ((<usize>i) << 5);
      v128.store(to, gatherVector(c0 + <usize>i * ldc, left.count, step));
      v128.store(to, gatherVector(c1 + <usize>i * ldc, rightCount, step), 16);
    }
  }
  outerTile(rows, a, lda, left.x, right.x, offsets, k, spill, spill + 16, 32, init);
  for (let i = 0; i < rows; i++) {
    const from = spill + ((<usize>i) << 5);
    scatterVector(c0, v128.load(from), left.count, step);
    scatterVector(c1, v128.load(from, 16), rightCount, step);
    c0 += ldc;
    c1 += ldc;
  }
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
  spill: usize,
): void {
  // Tiles of nearly equal height: 8 rows are 4 + 4, since 6 + 2 would leave the second tile waiting for its sums.
  const tiles = (m + TILE_ROWS - 1) / TILE_ROWS;
  const tilesPerBlock = max(1, A_BLOCK / (4 * TILE_ROWS * max(1, k)));
  for (let block = 0; block < tiles; block += tilesPerBlock) {
    const blockEnd = min(tiles, block + tilesPerBlock);
    let v = 0;
    while (v < count) {
      const left = vectorAt(vectors, v);
      if (m <= 3) {
        const run = m == 1 ? 8 : 4;
        if (v + run <= count && isRun(vectors, v, run, step)) {
          if (m == 1) outerTile1x32(a, left.x, offsets, k, left.c, init);
          else outerTile16(m, a, lda, left.x, offsets, k, left.c, ldc, init);
          v += run;
          continue;
        }
      }
      const isPair = v + 1 < count;
      const right = isPair ? vectorAt(vectors, v + 1) : left;
      const rightCount = isPair ? right.count : 0;
      const isWhole = step == 4 && left.count == 4 && rightCount == 4;
      for (let tile = block; tile < blockEnd; tile++) {
        const row = (tile * m) / tiles;
        const rows = ((tile + 1) * m) / tiles - row;
        const from = a + <usize>row * lda;
        const below = <usize>row * ldc;
        const start = initOf(init, row);
        if (isWhole)
          outerTile(rows, from, lda, left.x, right.x, offsets, k, left.c + below, right.c + below, ldc, start);
        else spilledTile(rows, from, lda, left, right, rightCount, offsets, k, below, ldc, step, start, spill);
      }
      v += 2;
    }
  }
}
