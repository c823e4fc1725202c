// Cases of the operations of engine/ops/expand.ts.
import * as w from '../../../../engine/index.ts';
import { sumTo } from '../../../../engine/ops/expand.ts';
import { numbers } from '../../golden/adapter.ts';
import { type FamilyCases, input, one } from '../case.ts';

export const expand: FamilyCases = {
  gradients: [
    one('expand', (x) => w.expand(x, [2, 3, 4]), input(3, 1)),
    one('sumTo', (x) => sumTo(x, [3, 1]), input(2, 3, 4)),
  ],
  golden: {
    expand: (t, a) => w.expand(t.x!, numbers(a, 'shape')),
  },
};
