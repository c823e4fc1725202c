// Cases of the operations of engine/ops/cross-entropy.ts.
import * as w from '../../../../engine/index.ts';
import { lossReduction, number } from '../../golden/adapter.ts';
import { constant, type FamilyCases, indices, input } from '../case.ts';

export const crossEntropy: FamilyCases = {
  gradients: [
    {
      operations: ['crossEntropy', 'crossEntropyBackward'],
      inputs: [input(2, 3, 2), indices([2, 2], [0, 2, 1, -100]), constant([0.7, 1.1, 0.4])],
      f: (x, target, weight) => w.crossEntropy(x!, target!, { weight, labelSmoothing: 0.1 }),
    },
    {
      operations: ['crossEntropy'],
      inputs: [input(3, 4), indices([3], [1, 2, 0])],
      f: (x, target) => w.crossEntropy(x!, target!, { reduction: 'none', ignoreIndex: 2, labelSmoothing: 0.2 }),
    },
    {
      operations: ['crossEntropy'],
      inputs: [input(1, 3, 2, 3), indices([1, 2, 3], [0, 2, 1, 1, 0, 2]), constant([0.7, 1.1, 0.4])],
      f: (x, target, weight) => w.crossEntropy(x!, target!, { weight, reduction: 'sum' }),
    },
  ],
  golden: {
    cross_entropy: (t, a) =>
      w.crossEntropy(t.x!, t.target!, {
        ...lossReduction(a),
        weight: t.weight,
        ignoreIndex: number(a, 'ignore_index'),
        labelSmoothing: number(a, 'label_smoothing'),
      }),
  },
};
