// Reference loops of the batched matrix product: c[b][i][j] = bias[j] + sum over l of a[b][i][l] b[b][l][j].
import type { PlanTable, ReferencePlan } from '../plan.ts';
import { matmul, type MatmulParams } from './matmul.ts';

const matmulLoop: ReferencePlan<MatmulParams> = ([storedA, storedB, bias], [c], p) => {
  // A transposed view has the same data and swapped strides, so the loops below read op(A) and op(B).
  const a = p.transposeA ? storedA.transpose(0, 2, 1) : storedA;
  const b = p.transposeB ? storedB.transpose(0, 2, 1) : storedB;
  for (let entry = 0; entry < p.batch; entry++) {
    const entryA = p.batchedA ? entry : 0;
    const entryB = p.batchedB ? entry : 0;
    for (let i = 0; i < p.m; i++) {
      for (let j = 0; j < p.n; j++) {
        let sum = p.bias ? bias.get(j) : 0;
        for (let l = 0; l < p.k; l++) sum += a.get(entryA, i, l) * b.get(entryB, l, j);
        c.set(entry, i, j, sum);
      }
    }
  }
};

export function addMatmul(table: PlanTable<ReferencePlan<never>>): void {
  table.add(matmul, matmulLoop);
}
