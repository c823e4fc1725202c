// Cases of the operations of engine/ops/scan.ts.
import * as w from '../../../../engine/index.ts';
import { type FamilyCases, input, one } from '../case.ts';

export const scan: FamilyCases = {
  gradients: [
    one('cumsum', (x) => w.cumsum(x, 1), input(2, 4, 2)),
    { operations: ['cumprod', 'recurrence'], inputs: [input(2, 4, 2)], f: (x) => w.cumprod(x!, 1) },
    one('cumprod', (x) => w.cumprod(x, 0), { shape: [4], values: [1.5, 0, -0.5, 2] }),
    one('prod', (x) => w.prod(x, [0, 2]), input(2, 3, 2)),
  ],
};
