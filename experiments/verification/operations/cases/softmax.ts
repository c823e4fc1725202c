// Cases of the operations of engine/ops/softmax.ts.
import * as w from '../../../../engine/index.ts';
import { number, ofXOverAxes } from '../../golden/adapter.ts';
import { constant, type FamilyCases, input, one, positive } from '../case.ts';

export const softmax: FamilyCases = {
  gradients: [
    one('logSumExp', (x) => w.logSumExp(x, [0, 2]), input(2, 3, 2)),
    { operations: ['softmax', 'softmaxBackward'], inputs: [input(2, 4)], f: (x) => w.softmax(x!, 1) },
    one('logSoftmax', (x) => w.logSoftmax(x, 1), input(2, 3, 2)),
    {
      operations: ['logSoftmax'],
      inputs: [input(2, 3, 2), positive(2, 3, 2), constant([0.7, 1.1, 0.4])],
      f: (x, target, weight) => w.crossEntropy(x!, target!, { weight, labelSmoothing: 0.1 }),
    },
  ],
  golden: {
    logsumexp: ofXOverAxes(w.logSumExp),
    softmax: (t, a) => w.softmax(t.x!, number(a, 'axis')),
    log_softmax: (t, a) => w.logSoftmax(t.x!, number(a, 'axis')),
  },
};
