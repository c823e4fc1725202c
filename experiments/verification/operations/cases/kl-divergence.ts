// Cases of the operations of engine/ops/kl-divergence.ts.
import * as w from '../../../../engine/index.ts';
import { type FamilyCases, input, positive, two } from '../case.ts';

export const klDivergence: FamilyCases = {
  gradients: [
    two('klDivLoss', (x, y) => w.klDivLoss(x, y, { reduction: 'batchmean' }), input(2, 3), positive(2, 3)),
    two('klDivLoss', (x, y) => w.klDivLoss(x, y, { logTarget: true }), input(2, 3), input(2, 3)),
  ],
};
