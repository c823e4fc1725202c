// Start: one element of C = op(A) op(B) + bias after the other, one product at a time. 2 flops for the 8 bytes that are loaded;
// B is read down a column, so every word of it is another cache line, and nothing is four lanes wide.
import { buffer, words } from '../../shared/addresses.as';
import { MatmulParams } from '../params.as';

/** Parameters as in matmul.ts. */
export function matmulScalar(params: MatmulParams, buffers: usize, begin: i32, end: i32): void {
  const batch = params.batch;
  const m = params.m;
  const n = params.n;
  const k = params.k;
  const transposeA = params.transposeA;
  const transposeB = params.transposeB;
  const batchedA = params.batchedA;
  const batchedB = params.batchedB;
  const hasBias = params.bias;
  const c = buffer(buffers, 2 + hasBias);
  const outerA = words(transposeA ? 1 : k);
  const innerA = words(transposeA ? m : 1);
  const outerB = words(transposeB ? k : 1);
  const innerB = words(transposeB ? 1 : n);
  for (let entry = 0; entry < batch; entry++) {
    const a = buffer(buffers, 0) + words(entry * batchedA * m * k);
    const b = buffer(buffers, 1) + words(entry * batchedB * k * n);
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let sum: f32 = hasBias ? load<f32>(buffer(buffers, 2) + words(j)) : 0;
        let atA = a + <usize>i * outerA;
        let atB = b + <usize>j * outerB;
        for (let l = 0; l < k; l++) {
          sum += load<f32>(atA) * load<f32>(atB);
          atA += innerA;
          atB += innerB;
        }
        store<f32>(c + words((entry * m + i) * n + j), sum);
      }
    }
  }
}
