// Four columns at a time, and B along its rows: for each word of A, a row of B is multiplied and added to a row of C. 8 flops
// for one instruction, but 48 bytes to load and store for them, since C does not stay in registers.
import { buffer, words } from '../../shared/addresses.as';
import { loadLanes, madd, storeLanes } from '../../shared/simd.as';
import { MatmulParams } from '../params.as';

/** B as stored: transposeB is 0. Parameters as in matmul.ts. */
export function matmulVectors(params: MatmulParams, buffers: usize, begin: i32, end: i32): void {
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
  for (let entry = 0; entry < batch; entry++) {
    const b = buffer(buffers, 1) + words(entry * batchedB * k * n);
    for (let i = 0; i < m; i++) {
      const row = buffer(buffers, 2 + hasBias) + words((entry * m + i) * n);
      for (let j = 0; j < n; j++) store<f32>(row + words(j), hasBias ? load<f32>(buffer(buffers, 2) + words(j)) : 0);
      let atA = buffer(buffers, 0) + words(entry * batchedA * m * k) + <usize>i * outerA;
      for (let l = 0; l < k; l++) {
        const value = v128.load32_splat(atA);
        const from = b + words(l * n);
        let j = 0;
        for (; j + 4 <= n; j += 4) {
          const to = row + words(j);
          v128.store(to, madd(value, v128.load(from + words(j)), v128.load(to)));
        }
        if (j < n) {
          const to = row + words(j);
          storeLanes(to, madd(value, loadLanes(from + words(j), n - j), loadLanes(to, n - j)), n - j);
        }
        atA += innerA;
      }
    }
  }
}
