// Cases of the operations of engine/ops/box-losses.ts.
import * as w from '../../../../engine/index.ts';
import { lossReduction, number } from '../../golden/adapter.ts';
import { type FamilyCases, input, type InputSpec, positive, two } from '../case.ts';

/** An overlapping and a disjoint pair with a box moved by `shift`. */
const boxes = (shift: number): InputSpec => ({
  shape: [2, 4],
  values: [
    0.1 + shift,
    0.2 + shift / 2,
    1.1 + shift,
    1.4 + shift,
    2 + 3 * shift,
    0.5 + shift,
    2.7 + 3 * shift,
    1.1 - shift,
  ],
});

export const boxLosses: FamilyCases = {
  gradients: [
    two('diouLoss', (x, y) => w.diouLoss(x, y), boxes(0), boxes(0.3)),
    two('giouLoss', (x, y) => w.giouLoss(x, y, { reduction: 'none' }), boxes(0), boxes(0.3)),
    {
      operations: ['uncertaintyWeighting'],
      inputs: [positive(2), input(2)],
      f: (l, s) => Object.values(w.uncertaintyWeighting(l!, s!, ['regression', 'classification'])),
    },
  ],
  golden: {
    diou_loss: (t, a) =>
      w.diouLoss(t.x!, t.target!, {
        ...lossReduction(a),
        eps: number(a, 'eps'),
        centerDistance: a.center_distance as 'squared' | 'norm',
      }),
    giou_loss: (t, a) => w.giouLoss(t.x!, t.target!, { ...lossReduction(a), eps: number(a, 'eps') }),
    uncertainty_weighting: (t, a) =>
      w.uncertaintyWeighting(t.losses!, t.s!, a.kinds as w.TaskKind[], a.variant as 'exp(-s)'),
  },
};
