// Cases of the operations of engine/ops/dropout.ts.
import * as w from '../../../../engine/index.ts';
import { number } from '../../golden/adapter.ts';
import { type FamilyCases, input, one } from '../case.ts';

export const dropout: FamilyCases = {
  gradients: [
    one('dropout', (x) => w.dropout(x, { p: 0.4, training: true, stream: w.random(1, 'dropout') }), input(3, 4)),
    one('dropout2d', (x) => w.dropout2d(x, { p: 0.4, training: true, stream: w.random(2, 'dropout') }), input(2, 3, 2)),
  ],
  golden: {
    dropout: (t, a) => w.dropout(t.x!, { p: number(a, 'p'), training: a.training as boolean }),
  },
};
