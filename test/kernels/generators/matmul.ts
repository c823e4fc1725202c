// Random cases of the batched matrix product.
import fc from 'fast-check';
import { matmul, type MatmulParams } from '../../../kernels/index.ts';
import { anySize, caseSource, flag, sumOf } from '../cases.ts';

const product = (m: number, n: number, k: number, rest: Partial<MatmulParams> = {}): MatmulParams => ({
  batch: 1,
  m,
  n,
  k,
  transposeA: 0,
  transposeB: 0,
  batchedA: 1,
  batchedB: 1,
  bias: 0,
  ...rest,
});

export const matmulSource = caseSource({
  kernel: matmul,
  params: fc
    .record({
      batch: fc.nat(3),
      m: anySize,
      n: anySize,
      k: anySize,
      transposeA: flag,
      transposeB: flag,
      batchedA: flag,
      batchedB: flag,
      bias: flag,
    })
    .filter(({ batch, m, n, k }) => batch * m * n * k <= 1e6 && batch * m * n <= 1e5 && (m + n) * k <= 2e5),
  examples: [
    product(1, 1, 1),
    product(3, 5, 0),
    product(3, 5, 0, { bias: 1 }),
    product(0, 5, 3),
    product(4, 0, 3, { bias: 1 }),
    product(0, 5, 3, { batch: 0 }),
    product(1, 300, 129),
    product(300, 1, 129),
    product(1, 1, 5000),
    product(130, 67, 65, { bias: 1 }),
    product(130, 67, 65, { transposeA: 1 }),
    product(130, 67, 65, { transposeB: 1, bias: 1 }),
    product(65, 130, 33, { transposeA: 1, transposeB: 1 }),
    product(17, 33, 2050),
    product(33, 35, 17, { batch: 5, batchedA: 0 }),
    product(33, 35, 17, { batch: 5, batchedB: 0, transposeB: 1 }),
    product(64, 64, 64, { batch: 2 }),
    product(128, 128, 64, { bias: 1 }),
  ],
  tolerance: ({ k }) => sumOf(k),
});
