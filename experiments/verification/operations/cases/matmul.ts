// Cases of the operations of engine/ops/matmul.ts.
import * as w from '../../../../engine/index.ts';
import type { Attributes } from '../../golden/adapter.ts';
import { type FamilyCases, input, two } from '../case.ts';

const transposed = (a: Attributes) => ({
  transposeA: a.transpose_a as boolean,
  transposeB: a.transpose_b as boolean,
});

export const matmul: FamilyCases = {
  gradients: [
    two('matmul', (a, b) => w.matmul(a, b), input(2, 3, 4), input(4, 2)),
    two('matmul', (a, b) => w.matmul(a, b, { transposeA: true, transposeB: true }), input(4, 3), input(2, 2, 4)),
    two('bmm', (a, b) => w.bmm(a, b, { transposeB: true }), input(2, 3, 2), input(2, 1, 2)),
    {
      operations: ['linear'],
      inputs: [input(2, 2, 3), input(4, 3), input(4)],
      f: (x, weight, bias) => w.linear(x!, weight!, bias),
    },
  ],
  golden: {
    matmul: (t, a) => w.matmul(t.a!, t.b!, transposed(a)),
    bmm: (t, a) => w.bmm(t.a!, t.b!, transposed(a)),
    linear: (t) => w.linear(t.x!, t.weight!, t.bias),
  },
};
