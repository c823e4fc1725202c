// Loops of register tiles over a block of C: which rows and which vectors go together. Leaves out cutting C and K into
// blocks, which the kernels do.
import { loadPart, loadStrided, loadStridedPart, storePart } from './simd.as';
import { FROM_C, FROM_ZERO, outerTile, outerTile16, outerTile1x32 } from './tiles.as';

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

const TILE_BYTES: usize = 192;
/** Bytes of private scratch for tiles that do not go to C as they are: two, and the `Half` of PAIRED. */
export const SPILL_BYTES: usize = 448;

/**
 * In the place of a step: words 2j of a row of C are columns j of A X, and words 2j + 1 those of another product of as many rows
 * and columns. A vector's count is that of the words, up to eight.
 */
export const PAIRED: usize = 2;

/** The other product: its operands as those of `multiply`. Vectors of X start where those of the first do. */
@unmanaged
export class Half {
  a: usize;
  lda: usize;
  offsets: usize;
  k: i32;
}

/** Where `multiply` looks for it. */
@inline
export function halfOf(spill: usize): Half {
  return changetype<Half>(spill + 2 * TILE_BYTES);
}

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

/** `count` (0 to 8) words, even ones from `even`, odd ones from `odd`. */
@inline
function scatterPair(c: usize, even: v128, odd: v128, count: i32): void {
  const low = v128.shuffle<i32>(even, odd, 0, 4, 1, 5);
  const high = v128.shuffle<i32>(even, odd, 2, 6, 3, 7);
  if (count == 8) {
    v128.store(c, low);
    v128.store(c, high, 16);
  } else {
    scatterVector(c, low, min(4, count), 4);
    scatterVector(c + 16, high, count - 4, 4);
  }
}

/** Reads what scatterPair wrote, to a vector in each of the two tiles. */
function gatherPair(to: usize, c: usize, count: i32): void {
  const low = gatherVector(c, min(4, count), 4);
  const high = gatherVector(c + 16, count - 4, 4);
  v128.store(to, v128.shuffle<i32>(low, high, 0, 2, 4, 6));
  v128.store(to + TILE_BYTES, v128.shuffle<i32>(low, high, 1, 3, 5, 7));
}

/** The tiles of both products, and their words side by side. */
function pairedTile(
  rows: i32,
  row: i32,
  a: usize,
  lda: usize,
  left: TileVector,
  right: TileVector,
  rightCount: i32,
  offsets: usize,
  k: i32,
  below: usize,
  ldc: usize,
  init: usize,
  spill: usize,
): void {
  let c0 = left.c + below;
  let c1 = right.c + below;
  const half = halfOf(spill);
  const odd = spill + TILE_BYTES;
  if (init == FROM_C) {
    for (let i = 0; i < rows; i++) {
      const to = spill + ((<usize>i) << 5);
      gatherPair(to, c0 + <usize>i * ldc, left.count);
      gatherPair(to + 16, c1 + <usize>i * ldc, rightCount);
    }
  }
  outerTile(rows, a, lda, left.x, right.x, offsets, k, spill, spill + 16, 32, init);
  if (half.k > 0) {
    const from = half.a + <usize>row * half.lda;
    outerTile(rows, from, half.lda, left.x, right.x, half.offsets, half.k, odd, odd + 16, 32, init);
  } else if (init != FROM_C) {
    for (let i = 0; i < rows; i++) {
      const value = init == FROM_ZERO ? i32x4.splat(0) : v128.load32_splat(init + ((<usize>i) << 2));
      v128.store(odd + ((<usize>i) << 5), value);
      v128.store(odd + ((<usize>i) << 5), value, 16);
    }
  }
  for (let i: usize = 0; i < (<usize>rows) << 5; i += 32) {
    scatterPair(c0, v128.load(spill + i), v128.load(odd + i), left.count);
    scatterPair(c1, v128.load(spill + i, 16), v128.load(odd + i, 16), rightCount);
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
        else if (step == PAIRED)
          pairedTile(rows, row, from, lda, left, right, rightCount, offsets, k, below, ldc, start, spill);
        else spilledTile(rows, from, lda, left, right, rightCount, offsets, k, below, ldc, step, start, spill);
      }
      v += 2;
    }
  }
}
