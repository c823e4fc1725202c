// The register tiles of Winograd's products and of plain weight gradients: a few rows of A against eight columns of X, with
// rows of A that are contiguous along k and a packed panel of X (multiplyPanel), or with k the rows of both (sumPanel). Sums
// run over rising k in one lane each, so how rows are cut into tiles does not change a bit.
// A tile is an exported function with one `while` loop and no call: exported, so that it is not set among calls (see
// tiles.as.ts); one loop, since V8 unrolls a loop within a loop; `while`, since it draws the loads of a `do` loop to its
// beginning. Either would keep some of the sums in memory, which costs up to a fifth of the speed.
import { madd } from '../shared/simd.as';

/** Columns of a panel. */
export const PANEL: i32 = 8;
/** Rows of the smallest register tile. */
export const LEAST_ROWS: i32 = 4;

/** c[i][0..8) = sum over k of a[i][k] x[k][0..8), for `rows` (a constant, 4 or 6) rows. */
@inline
function panelRows(rows: i32, a: usize, x: usize, k: i32, c: usize): void {
  const lda = (<usize>k) << 2;
  const end = x + ((<usize>k) << 5);
  const zero = i32x4.splat(0);
  let a0 = a;
  let a1 = a0 + lda;
  let a2 = a1 + lda;
  let a3 = a2 + lda;
  let a4 = a3 + lda;
  let a5 = a4 + lda;
  let s00 = zero;
  let s01 = zero;
  let s10 = zero;
  let s11 = zero;
  let s20 = zero;
  let s21 = zero;
  let s30 = zero;
  let s31 = zero;
  let s40 = zero;
  let s41 = zero;
  let s50 = zero;
  let s51 = zero;
  let b = x;
  while (b < end) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    const w0 = v128.load32_splat(a0);
    s00 = madd(w0, b0, s00);
    s01 = madd(w0, b1, s01);
    const w1 = v128.load32_splat(a1);
    s10 = madd(w1, b0, s10);
    s11 = madd(w1, b1, s11);
    const w2 = v128.load32_splat(a2);
    s20 = madd(w2, b0, s20);
    s21 = madd(w2, b1, s21);
    const w3 = v128.load32_splat(a3);
    s30 = madd(w3, b0, s30);
    s31 = madd(w3, b1, s31);
    if (rows > 4) {
      const w4 = v128.load32_splat(a4);
      s40 = madd(w4, b0, s40);
      s41 = madd(w4, b1, s41);
      const w5 = v128.load32_splat(a5);
      s50 = madd(w5, b0, s50);
      s51 = madd(w5, b1, s51);
    }
    b += 32;
    a0 += 4;
    a1 += 4;
    a2 += 4;
    a3 += 4;
    if (rows > 4) {
      a4 += 4;
      a5 += 4;
    }
  }
  v128.store(c, s00);
  v128.store(c, s01, 16);
  v128.store(c, s10, 32);
  v128.store(c, s11, 48);
  v128.store(c, s20, 64);
  v128.store(c, s21, 80);
  v128.store(c, s30, 96);
  v128.store(c, s31, 112);
  if (rows > 4) {
    v128.store(c, s40, 128);
    v128.store(c, s41, 144);
    v128.store(c, s50, 160);
    v128.store(c, s51, 176);
  }
}

export function panelRows6(a: usize, x: usize, k: i32, c: usize): void {
  panelRows(6, a, x, k, c);
}

export function panelRows4(a: usize, x: usize, k: i32, c: usize): void {
  panelRows(4, a, x, k, c);
}

/** An even number of rows from four on is made of sixes and at most two fours. */
@inline
function foursOf(rows: i32): i32 {
  return ((6 - (rows % 6)) % 6) >> 1;
}

/** Rows that `multiplyPanel` reads and stores. */
@inline
export function paddedRows(rows: i32): i32 {
  return max(LEAST_ROWS, (rows + 1) & ~1);
}

/** As panelRows for any number of rows. */
export function multiplyPanel(a: usize, x: usize, k: i32, c: usize, rows: i32): void {
  const all = paddedRows(rows);
  const fours = foursOf(all);
  const sixes = (all - 4 * fours) / 6;
  const lda = (<usize>k) << 2;
  for (let tile = 0; tile < sixes; tile++) {
    panelRows6(a, x, k, c);
    a += 6 * lda;
    c += 192;
  }
  for (let tile = 0; tile < fours; tile++) {
    panelRows4(a, x, k, c);
    a += 4 * lda;
    c += 128;
  }
}

/**
 * c[i][0..8) = sum over k of a[k][i] x[k][0..8), for `rows` (a constant, 4 or 6) rows; rows of c follow one another,
 * those of a and x are `lda` and `ldx` bytes apart.
 */
@inline
function sumRows(rows: i32, a: usize, lda: usize, x: usize, ldx: usize, k: i32, c: usize): void {
  const zero = i32x4.splat(0);
  let s00 = zero;
  let s01 = zero;
  let s10 = zero;
  let s11 = zero;
  let s20 = zero;
  let s21 = zero;
  let s30 = zero;
  let s31 = zero;
  let s40 = zero;
  let s41 = zero;
  let s50 = zero;
  let s51 = zero;
  let b = x;
  let from = a;
  while (k > 0) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    const w0 = v128.load32_splat(from);
    s00 = madd(w0, b0, s00);
    s01 = madd(w0, b1, s01);
    const w1 = v128.load32_splat(from, 4);
    s10 = madd(w1, b0, s10);
    s11 = madd(w1, b1, s11);
    const w2 = v128.load32_splat(from, 8);
    s20 = madd(w2, b0, s20);
    s21 = madd(w2, b1, s21);
    const w3 = v128.load32_splat(from, 12);
    s30 = madd(w3, b0, s30);
    s31 = madd(w3, b1, s31);
    if (rows > 4) {
      const w4 = v128.load32_splat(from, 16);
      s40 = madd(w4, b0, s40);
      s41 = madd(w4, b1, s41);
      const w5 = v128.load32_splat(from, 20);
      s50 = madd(w5, b0, s50);
      s51 = madd(w5, b1, s51);
    }
    b += ldx;
    from += lda;
    k--;
  }
  v128.store(c, s00);
  v128.store(c, s01, 16);
  v128.store(c, s10, 32);
  v128.store(c, s11, 48);
  v128.store(c, s20, 64);
  v128.store(c, s21, 80);
  v128.store(c, s30, 96);
  v128.store(c, s31, 112);
  if (rows > 4) {
    v128.store(c, s40, 128);
    v128.store(c, s41, 144);
    v128.store(c, s50, 160);
    v128.store(c, s51, 176);
  }
}

export function sumRows6(a: usize, lda: usize, x: usize, ldx: usize, k: i32, c: usize): void {
  sumRows(6, a, lda, x, ldx, k, c);
}

export function sumRows4(a: usize, lda: usize, x: usize, ldx: usize, k: i32, c: usize): void {
  sumRows(4, a, lda, x, ldx, k, c);
}

/**
 * c[i][0..8) += sumRows for an even number of rows from four on; `spare` takes that sum, since sums of sums round less than
 * one long sum. (Added to c in the register tile itself, V8 would keep some of its sums in memory.)
 */
export function sumPanel(a: usize, lda: usize, x: usize, ldx: usize, k: i32, c: usize, rows: i32, spare: usize): void {
  const fours = foursOf(rows);
  const sixes = (rows - 4 * fours) / 6;
  let to = spare;
  for (let tile = 0; tile < sixes; tile++) {
    sumRows6(a, lda, x, ldx, k, to);
    a += 24;
    to += 192;
  }
  for (let tile = 0; tile < fours; tile++) {
    sumRows4(a, lda, x, ldx, k, to);
    a += 16;
    to += 128;
  }
  const end = c + ((<usize>rows) << 5);
  do {
    v128.store(c, f32x4.add(v128.load(c), v128.load(spare)));
    v128.store(c, f32x4.add(v128.load(c, 16), v128.load(spare, 16)), 16);
    c += 32;
    spare += 32;
  } while (c < end);
}
