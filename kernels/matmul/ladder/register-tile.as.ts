// Four rows by eight columns of C stay in registers over the whole inner dimension. 64 flops for the 48 bytes that are loaded
// per inner index, and one store per element; but rows of B lie n words apart, so a large B is fetched from afar for every
// four rows of C.
import { buffer, words } from '../../shared/addresses.as';
import { loadLanes, madd, storeLanes } from '../../shared/simd.as';
import { MatmulParams } from '../params.as';

/** Rows [row, row + 4) by columns [0, 8) of one product; calls nothing, so that V8 keeps the sums in registers. */
function tile(
  a: usize,
  outerA: usize,
  innerA: usize,
  b: usize,
  ldb: usize,
  k: i32,
  bias: usize,
  c: usize,
  ldc: usize,
): void {
  const left = bias ? v128.load(bias) : f32x4.splat(0);
  const right = bias ? v128.load(bias, 16) : f32x4.splat(0);
  let c00 = left;
  let c01 = right;
  let c10 = left;
  let c11 = right;
  let c20 = left;
  let c21 = right;
  let c30 = left;
  let c31 = right;
  const a1 = outerA;
  const a2 = 2 * outerA;
  const a3 = 3 * outerA;
  for (let l = 0; l < k; l++) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    let value = v128.load32_splat(a);
    c00 = madd(value, b0, c00);
    c01 = madd(value, b1, c01);
    value = v128.load32_splat(a + a1);
    c10 = madd(value, b0, c10);
    c11 = madd(value, b1, c11);
    value = v128.load32_splat(a + a2);
    c20 = madd(value, b0, c20);
    c21 = madd(value, b1, c21);
    value = v128.load32_splat(a + a3);
    c30 = madd(value, b0, c30);
    c31 = madd(value, b1, c31);
    a += innerA;
    b += ldb;
  }
  v128.store(c, c00);
  v128.store(c, c01, 16);
  v128.store(c + ldc, c10);
  v128.store(c + ldc, c11, 16);
  v128.store(c + 2 * ldc, c20);
  v128.store(c + 2 * ldc, c21, 16);
  v128.store(c + 3 * ldc, c30);
  v128.store(c + 3 * ldc, c31, 16);
}

/** Up to four columns of one row, for what is left at the right and at the bottom. */
function strip(a: usize, innerA: usize, b: usize, ldb: usize, k: i32, bias: usize, c: usize, count: i32): void {
  let sum = bias ? loadLanes(bias, count) : f32x4.splat(0);
  for (let l = 0; l < k; l++) {
    sum = madd(v128.load32_splat(a), loadLanes(b, count), sum);
    a += innerA;
    b += ldb;
  }
  storeLanes(c, sum, count);
}

/** B as stored: transposeB is 0. Parameters as in matmul.ts. */
export function matmulRegisterTile(params: MatmulParams, buffers: usize, begin: i32, end: i32): void {
  const batch = params.batch;
  const m = params.m;
  const n = params.n;
  const k = params.k;
  const transposeA = params.transposeA;
  const batchedA = params.batchedA;
  const batchedB = params.batchedB;
  const hasBias = params.bias;
  const outerA = words(transposeA ? 1 : k);
  const innerA = words(transposeA ? m : 1);
  const ld = words(n);
  const biasAt = hasBias ? buffer(buffers, 2) : 0;
  for (let entry = 0; entry < batch; entry++) {
    const a = buffer(buffers, 0) + words(entry * batchedA * m * k);
    const b = buffer(buffers, 1) + words(entry * batchedB * k * n);
    const c = buffer(buffers, 2 + hasBias) + words(entry * m * n);
    for (let i = 0; i < m; i += 4) {
      const rows = min(4, m - i);
      let j = 0;
      if (rows == 4) {
        for (; j + 8 <= n; j += 8) {
          const bias = biasAt ? biasAt + words(j) : 0;
          tile(a + <usize>i * outerA, outerA, innerA, b + words(j), ld, k, bias, c + words(i * n + j), ld);
        }
      }
      for (; j < n; j += 4) {
        const bias = biasAt ? biasAt + words(j) : 0;
        for (let r = i; r < i + rows; r++) {
          strip(a + <usize>r * outerA, innerA, b + words(j), ld, k, bias, c + words(r * n + j), min(4, n - j));
        }
      }
    }
  }
}
