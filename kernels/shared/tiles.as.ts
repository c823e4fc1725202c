// The register tiles under matmul and conv2d. An outer tile is a few rows of C = A X, where the rows of A are contiguous
// and row k of X starts at x + offsets[k]: the table of offsets lets the same loop read a matrix, a packed panel, or the
// taps of a convolution straight from a padded image. A dot tile is a few inner products of contiguous rows.
// Twelve (nine) sums and their operands fill the sixteen vector registers of x86-64. No tile depends on its neighbours,
// and each sum runs over rising k, so how C is cut into tiles does not change a bit.
import { madd } from './simd.as';

/** What the sums start from, `init` of every outer tile: zero, what C holds, or else the address of one value per row. */
export const FROM_ZERO: usize = 0;
export const FROM_C: usize = 1;

@inline
function first(init: usize, row: usize, c: usize): v128 {
  if (init == FROM_ZERO) return i32x4.splat(0);
  if (init == FROM_C) return v128.load(c);
  return v128.load32_splat(init + 4 * row);
}

/**
 * `rows` (a constant, 1 to 6) by two vectors that may lie anywhere. Calls nothing: with a call anywhere in the function V8
 * keeps the loop's pointers in memory, which costs a quarter of the speed.
 */
@inline
function outerRows(
  rows: i32,
  a: usize,
  lda: usize,
  x0: usize,
  x1: usize,
  offsets: usize,
  k: i32,
  c0: usize,
  c1: usize,
  ldc: usize,
  init: usize,
): void {
  let s00 = first(init, 0, c0);
  let s01 = first(init, 0, c1);
  let s10 = s00;
  let s11 = s01;
  let s20 = s00;
  let s21 = s01;
  let s30 = s00;
  let s31 = s01;
  let s40 = s00;
  let s41 = s01;
  let s50 = s00;
  let s51 = s01;
  if (init != FROM_ZERO) {
    if (rows > 1) {
      s10 = first(init, 1, c0 + ldc);
      s11 = first(init, 1, c1 + ldc);
    }
    if (rows > 2) {
      s20 = first(init, 2, c0 + 2 * ldc);
      s21 = first(init, 2, c1 + 2 * ldc);
    }
    if (rows > 3) {
      s30 = first(init, 3, c0 + 3 * ldc);
      s31 = first(init, 3, c1 + 3 * ldc);
    }
    if (rows > 4) {
      s40 = first(init, 4, c0 + 4 * ldc);
      s41 = first(init, 4, c1 + 4 * ldc);
    }
    if (rows > 5) {
      s50 = first(init, 5, c0 + 5 * ldc);
      s51 = first(init, 5, c1 + 5 * ldc);
    }
  }
  let a1 = a + lda;
  let a2 = a1 + lda;
  let a3 = a2 + lda;
  let a4 = a3 + lda;
  let a5 = a4 + lda;
  const end = offsets + ((<usize>k) << 2);
  while (offsets < end) {
    const at = <usize>load<u32>(offsets);
    const b0 = v128.load(x0 + at);
    const b1 = v128.load(x1 + at);
    const w0 = v128.load32_splat(a);
    s00 = madd(w0, b0, s00);
    s01 = madd(w0, b1, s01);
    if (rows > 1) {
      const w1 = v128.load32_splat(a1);
      s10 = madd(w1, b0, s10);
      s11 = madd(w1, b1, s11);
    }
    if (rows > 2) {
      const w2 = v128.load32_splat(a2);
      s20 = madd(w2, b0, s20);
      s21 = madd(w2, b1, s21);
    }
    if (rows > 3) {
      const w3 = v128.load32_splat(a3);
      s30 = madd(w3, b0, s30);
      s31 = madd(w3, b1, s31);
    }
    if (rows > 4) {
      const w4 = v128.load32_splat(a4);
      s40 = madd(w4, b0, s40);
      s41 = madd(w4, b1, s41);
    }
    if (rows > 5) {
      const w5 = v128.load32_splat(a5);
      s50 = madd(w5, b0, s50);
      s51 = madd(w5, b1, s51);
    }
    a += 4;
    if (rows > 1) a1 += 4;
    if (rows > 2) a2 += 4;
    if (rows > 3) a3 += 4;
    if (rows > 4) a4 += 4;
    if (rows > 5) a5 += 4;
    offsets += 4;
  }
  v128.store(c0, s00);
  v128.store(c1, s01);
  if (rows > 1) {
    v128.store(c0 + ldc, s10);
    v128.store(c1 + ldc, s11);
  }
  if (rows > 2) {
    v128.store(c0 + 2 * ldc, s20);
    v128.store(c1 + 2 * ldc, s21);
  }
  if (rows > 3) {
    v128.store(c0 + 3 * ldc, s30);
    v128.store(c1 + 3 * ldc, s31);
  }
  if (rows > 4) {
    v128.store(c0 + 4 * ldc, s40);
    v128.store(c1 + 4 * ldc, s41);
  }
  if (rows > 5) {
    v128.store(c0 + 5 * ldc, s50);
    v128.store(c1 + 5 * ldc, s51);
  }
}

/**
 * C[i][0..4) at c0 and at c1 for i in 0..rows, from x0 and x1 plus offsets[k]. `lda` and `ldc` are bytes.
 */
export function outerTile(
  rows: i32,
  a: usize,
  lda: usize,
  x0: usize,
  x1: usize,
  offsets: usize,
  k: i32,
  c0: usize,
  c1: usize,
  ldc: usize,
  init: usize,
): void {
  if (rows == 6) outerRows(6, a, lda, x0, x1, offsets, k, c0, c1, ldc, init);
  else if (rows == 5) outerRows(5, a, lda, x0, x1, offsets, k, c0, c1, ldc, init);
  else if (rows == 4) outerRows(4, a, lda, x0, x1, offsets, k, c0, c1, ldc, init);
  else if (rows == 3) outerRows(3, a, lda, x0, x1, offsets, k, c0, c1, ldc, init);
  else if (rows == 2) outerRows(2, a, lda, x0, x1, offsets, k, c0, c1, ldc, init);
  else outerRows(1, a, lda, x0, x1, offsets, k, c0, c1, ldc, init);
}

/** One row of eight consecutive vectors: with few rows the sums must come from more columns to hide the latency. */
export function outerTile1x32(a: usize, x: usize, offsets: usize, k: i32, c: usize, init: usize): void {
  let s0 = first(init, 0, c);
  let s1 = first(init, 0, c + 16);
  let s2 = first(init, 0, c + 32);
  let s3 = first(init, 0, c + 48);
  let s4 = first(init, 0, c + 64);
  let s5 = first(init, 0, c + 80);
  let s6 = first(init, 0, c + 96);
  let s7 = first(init, 0, c + 112);
  const end = offsets + ((<usize>k) << 2);
  while (offsets < end) {
    const from = x + <usize>load<u32>(offsets);
    const w = v128.load32_splat(a);
    s0 = madd(w, v128.load(from), s0);
    s1 = madd(w, v128.load(from, 16), s1);
    s2 = madd(w, v128.load(from, 32), s2);
    s3 = madd(w, v128.load(from, 48), s3);
    s4 = madd(w, v128.load(from, 64), s4);
    s5 = madd(w, v128.load(from, 80), s5);
    s6 = madd(w, v128.load(from, 96), s6);
    s7 = madd(w, v128.load(from, 112), s7);
    a += 4;
    offsets += 4;
  }
  v128.store(c, s0);
  v128.store(c, s1, 16);
  v128.store(c, s2, 32);
  v128.store(c, s3, 48);
  v128.store(c, s4, 64);
  v128.store(c, s5, 80);
  v128.store(c, s6, 96);
  v128.store(c, s7, 112);
}

/** `rows` (a constant, 2 or 3) of four consecutive vectors. */
@inline
function outerRows16(
  rows: i32,
  a: usize,
  lda: usize,
  x: usize,
  offsets: usize,
  k: i32,
  c: usize,
  ldc: usize,
  init: usize,
): void {
  const cc = c + ldc;
  const ccc = cc + ldc;
  let s00 = first(init, 0, c);
  let s01 = first(init, 0, c + 16);
  let s02 = first(init, 0, c + 32);
  let s03 = first(init, 0, c + 48);
  let s10 = first(init, 1, cc);
  let s11 = first(init, 1, cc + 16);
  let s12 = first(init, 1, cc + 32);
  let s13 = first(init, 1, cc + 48);
  let s20 = s00;
  let s21 = s01;
  let s22 = s02;
  let s23 = s03;
  if (rows > 2) {
    s20 = first(init, 2, ccc);
    s21 = first(init, 2, ccc + 16);
    s22 = first(init, 2, ccc + 32);
    s23 = first(init, 2, ccc + 48);
  }
  let a1 = a + lda;
  let a2 = a1 + lda;
  const end = offsets + ((<usize>k) << 2);
  while (offsets < end) {
    const from = x + <usize>load<u32>(offsets);
    const w0 = v128.load32_splat(a);
    const w1 = v128.load32_splat(a1);
    const w2 = rows > 2 ? v128.load32_splat(a2) : w1;
    const b0 = v128.load(from);
    s00 = madd(w0, b0, s00);
    s10 = madd(w1, b0, s10);
    if (rows > 2) s20 = madd(w2, b0, s20);
    const b1 = v128.load(from, 16);
    s01 = madd(w0, b1, s01);
    s11 = madd(w1, b1, s11);
    if (rows > 2) s21 = madd(w2, b1, s21);
    const b2 = v128.load(from, 32);
    s02 = madd(w0, b2, s02);
    s12 = madd(w1, b2, s12);
    if (rows > 2) s22 = madd(w2, b2, s22);
    const b3 = v128.load(from, 48);
    s03 = madd(w0, b3, s03);
    s13 = madd(w1, b3, s13);
    if (rows > 2) s23 = madd(w2, b3, s23);
    a += 4;
    a1 += 4;
    if (rows > 2) a2 += 4;
    offsets += 4;
  }
  v128.store(c, s00);
  v128.store(c, s01, 16);
  v128.store(c, s02, 32);
  v128.store(c, s03, 48);
  v128.store(cc, s10);
  v128.store(cc, s11, 16);
  v128.store(cc, s12, 32);
  v128.store(cc, s13, 48);
  if (rows > 2) {
    v128.store(ccc, s20);
    v128.store(ccc, s21, 16);
    v128.store(ccc, s22, 32);
    v128.store(ccc, s23, 48);
  }
}

/** Two or three rows of sixteen consecutive columns. */
export function outerTile16(
  rows: i32,
  a: usize,
  lda: usize,
  x: usize,
  offsets: usize,
  k: i32,
  c: usize,
  ldc: usize,
  init: usize,
): void {
  if (rows == 3) outerRows16(3, a, lda, x, offsets, k, c, ldc, init);
  else outerRows16(2, a, lda, x, offsets, k, c, ldc, init);
}
