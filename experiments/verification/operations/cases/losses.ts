// Cases of the operations of engine/ops/losses.ts.
import * as w from '../../../../engine/index.ts';
import { lossReduction, number } from '../../golden/adapter.ts';
import { constant, type FamilyCases, indices, input, positive, two } from '../case.ts';

export const losses: FamilyCases = {
  gradients: [
    two('mseLoss', (x, y) => w.mseLoss(x, y), input(2, 3), input(2, 3)),
    two('l1Loss', (x, y) => w.l1Loss(x, y, { reduction: 'none' }), input(2, 3), input(2, 3)),
    two('huberLoss', (x, y) => w.huberLoss(x, y, { delta: 0.6 }), input(2, 3), input(2, 3)),
    two('smoothL1Loss', (x, y) => w.smoothL1Loss(x, y, { beta: 0.7 }), input(2, 3), input(2, 3)),
    {
      operations: ['bceWithLogits', 'binaryCrossEntropy', 'binaryCrossEntropySlope'],
      inputs: [input(2, 3), input(2, 3), positive(3), positive(3)],
      f: (x, y, weight, posWeight) => w.bceWithLogits(x!, y!, { weight, posWeight }),
    },
    {
      operations: ['nllLoss'],
      inputs: [input(4, 3), indices([4], [0, 2, 1, 2]), constant([0.7, 1.1, 0.4])],
      f: (x, target, weight) => w.nllLoss(x!, target!, { weight, ignoreIndex: 1 }),
    },
  ],
  golden: {
    nll_loss: (t, a) =>
      w.nllLoss(t.x!, t.target!, { ...lossReduction(a), weight: t.weight, ignoreIndex: number(a, 'ignore_index') }),
    mse_loss: (t, a) => w.mseLoss(t.x!, t.target!, lossReduction(a)),
    l1_loss: (t, a) => w.l1Loss(t.x!, t.target!, lossReduction(a)),
    smooth_l1_loss: (t, a) => w.smoothL1Loss(t.x!, t.target!, { ...lossReduction(a), beta: number(a, 'beta') }),
    huber_loss: (t, a) => w.huberLoss(t.x!, t.target!, { ...lossReduction(a), delta: number(a, 'delta') }),
    bce_with_logits: (t, a) =>
      w.bceWithLogits(t.x!, t.target!, { ...lossReduction(a), weight: t.weight, posWeight: t.pos_weight }),
  },
};
