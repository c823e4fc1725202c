// Cases of the operations of engine/ops/reshape.ts.
import * as w from '../../../../engine/index.ts';
import { numbers } from '../../golden/adapter.ts';
import { type FamilyCases, input, one } from '../case.ts';

export const reshape: FamilyCases = {
  gradients: [
    one('reshape', (x) => w.reshape(x, [3, -1])),
    one('flatten', (x) => w.flatten(x, 1), input(2, 3, 2)),
    one('squeeze', (x) => w.squeeze(x, 1), input(2, 1, 3)),
    one('unsqueeze', (x) => w.unsqueeze(x, -1)),
  ],
  golden: {
    reshape: (t, a) => w.reshape(t.x!, numbers(a, 'shape')),
    permute_reshape: (t, a) => w.reshape(w.permute(t.x!, numbers(a, 'axes')), numbers(a, 'shape')),
  },
};
