// Cases of the operations of engine/ops/norm.ts.
import * as w from '../../../../engine/index.ts';
import { distinct, type FamilyCases, input, one, positive } from '../case.ts';

export const norm: FamilyCases = {
  gradients: [
    one('norm', (x) => w.norm(x, 1), input(2, 3)),
    one('norm', (x) => w.norm(x, [0, 2], { p: 3, keepdim: true }), input(2, 2, 3)),
    one('norm', (x) => w.norm(x, 1, { p: -1.5 }), positive(2, 3)),
    one('norm', (x) => w.norm(x, 0, { p: Infinity }), distinct(3, 2)),
  ],
};
