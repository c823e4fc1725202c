// The register tile of sums that leave out some terms: a few rows of C = A X, where a table says which places of a row of A belong
// to the rows of a packed panel of X. Convolutions of small maps skip with it the taps that meet nothing but padding.
// Sums run over the rows of the panel in one lane each, so how C is cut into tiles does not change a bit.
import { words } from './addresses.as';
import { madd } from './simd.as';

/** Columns of a tile: two vectors. */
export const TABLE_COLUMNS: i32 = 8;
/** Rows of a tile, at most. */
const MOST_ROWS: i32 = 6;
/** Bytes of A that should stay in the second-level cache while the columns pass by. */
const A_BLOCK: i32 = 192 * 1024;

/**
 * `rows` (a constant, 1 to 6) by eight columns; added to what stands there.
 * Calls nothing, as outerRows of tiles.as.ts.
 */
@inline
function tableRows(
  rows: i32,
  a: usize,
  lda: usize,
  table: usize,
  k: i32,
  x: usize,
  ldx: usize,
  c: usize,
  ldc: usize,
): void {
  const a1 = a + lda;
  const a2 = a1 + lda;
  const a3 = a2 + lda;
  const a4 = a3 + lda;
  const a5 = a4 + lda;
  let to = c;
  let s00 = v128.load(to);
  let s01 = v128.load(to, 16);
  if (rows > 1) to += ldc;
  let s10 = v128.load(to);
  let s11 = v128.load(to, 16);
  if (rows > 2) to += ldc;
  let s20 = v128.load(to);
  let s21 = v128.load(to, 16);
  if (rows > 3) to += ldc;
  let s30 = v128.load(to);
  let s31 = v128.load(to, 16);
  if (rows > 4) to += ldc;
  let s40 = v128.load(to);
  let s41 = v128.load(to, 16);
  if (rows > 5) to += ldc;
  let s50 = v128.load(to);
  let s51 = v128.load(to, 16);
  const end = table + words(k);
  while (table < end) {
    const at = <usize>load<u32>(table);
    const b0 = v128.load(x);
    const b1 = v128.load(x, 16);
    const w0 = v128.load32_splat(a + at);
    s00 = madd(w0, b0, s00);
    s01 = madd(w0, b1, s01);
    if (rows > 1) {
      const w1 = v128.load32_splat(a1 + at);
      s10 = madd(w1, b0, s10);
      s11 = madd(w1, b1, s11);
    }
    if (rows > 2) {
      const w2 = v128.load32_splat(a2 + at);
      s20 = madd(w2, b0, s20);
      s21 = madd(w2, b1, s21);
    }
    if (rows > 3) {
      const w3 = v128.load32_splat(a3 + at);
      s30 = madd(w3, b0, s30);
      s31 = madd(w3, b1, s31);
    }
    if (rows > 4) {
      const w4 = v128.load32_splat(a4 + at);
      s40 = madd(w4, b0, s40);
      s41 = madd(w4, b1, s41);
    }
    if (rows > 5) {
      const w5 = v128.load32_splat(a5 + at);
      s50 = madd(w5, b0, s50);
      s51 = madd(w5, b1, s51);
    }
    x += ldx;
    table += 4;
  }
  v128.store(c, s00);
  v128.store(c, s01, 16);
  if (rows > 1) {
    v128.store(c + ldc, s10);
    v128.store(c + ldc, s11, 16);
  }
  if (rows > 2) {
    v128.store(c + 2 * ldc, s20);
    v128.store(c + 2 * ldc, s21, 16);
  }
  if (rows > 3) {
    v128.store(c + 3 * ldc, s30);
    v128.store(c + 3 * ldc, s31, 16);
  }
  if (rows > 4) {
    v128.store(c + 4 * ldc, s40);
    v128.store(c + 4 * ldc, s41, 16);
  }
  if (rows > 5) {
    v128.store(c + 5 * ldc, s50);
    v128.store(c + 5 * ldc, s51, 16);
  }
}

/** c[i][0..8) += sum over k of a[i][table[k]] x[k][0..8), for 1 to 6 rows. The table and the strides are in bytes. */
export function tableTile(
  rows: i32,
  a: usize,
  lda: usize,
  table: usize,
  k: i32,
  x: usize,
  ldx: usize,
  c: usize,
  ldc: usize,
): void {
  if (rows == 6) tableRows(6, a, lda, table, k, x, ldx, c, ldc);
  else if (rows == 5) tableRows(5, a, lda, table, k, x, ldx, c, ldc);
  else if (rows == 4) tableRows(4, a, lda, table, k, x, ldx, c, ldc);
  else if (rows == 3) tableRows(3, a, lda, table, k, x, ldx, c, ldc);
  else if (rows == 2) tableRows(2, a, lda, table, k, x, ldx, c, ldc);
  else tableRows(1, a, lda, table, k, x, ldx, c, ldc);
}

/** Tiles of nearly equal height that `rows` rows are cut into. */
@inline
export function tilesOf(rows: i32): i32 {
  return (rows + MOST_ROWS - 1) / MOST_ROWS;
}

/** Of those, how many have their rows of A, of `k` words, in the cache together. */
@inline
export function cachedTiles(k: i32): i32 {
  return max(1, A_BLOCK / (4 * MOST_ROWS * max(1, k)));
}
