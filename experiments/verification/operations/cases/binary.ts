// Cases of the operations of engine/ops/binary.ts.
import * as w from '../../../../engine/index.ts';
import { addScaled, leakyReluGrad, logRatio, reluGrad, sigmoidGrad, tanhGrad } from '../../../../engine/ops/binary.ts';
import { ofAB } from '../../golden/adapter.ts';
import { distinct, type FamilyCases, flags, input, positive, two } from '../case.ts';

export const binary: FamilyCases = {
  gradients: [
    two('add', w.add),
    two('sub', w.sub, input(2, 1), input(2, 3)),
    two('mul', w.mul),
    two('div', w.div, input(2, 3), positive(2, 1)),
    two('maximum', w.maximum, distinct(2, 3), input(2, 1)),
    two('minimum', w.minimum, distinct(2, 3), input(2, 1)),
    two('pow', w.pow, positive(2, 3), input(3)),
    two('reluGrad', reluGrad, input(2, 3), input(2, 3)),
    two('leakyReluGrad', (a, b) => leakyReluGrad(a, b, 0.1), input(2, 3), input(2, 3)),
    two('sigmoidGrad', sigmoidGrad, input(2, 3), input(2, 3)),
    two('tanhGrad', tanhGrad, input(2, 3), input(2, 3)),
    two('logRatio', logRatio, positive(2, 3), positive(2, 3)),
    two('addScaled', (a, b) => addScaled(a, b, 0.7)),
    {
      operations: ['where'],
      inputs: [flags([2, 3], [1, 0, 1, 0, 0, 1]), input(2, 3), input(3)],
      f: (c, a, b) => w.where(c!, a!, b!),
    },
    two('eq', w.eq),
    two('ne', w.ne),
    two('lt', w.lt),
    two('le', w.le),
    two('gt', w.gt),
    two('ge', w.ge),
  ],
  golden: {
    add: ofAB(w.add),
    sub: ofAB(w.sub),
    mul: ofAB(w.mul),
    div: ofAB(w.div),
    maximum: ofAB(w.maximum),
    minimum: ofAB(w.minimum),
    pow: ofAB(w.pow),
    eq: ofAB(w.eq),
    ne: ofAB(w.ne),
    lt: ofAB(w.lt),
    le: ofAB(w.le),
    gt: ofAB(w.gt),
    ge: ofAB(w.ge),
    where: (t) => w.where(t.cond!, t.a!, t.b!),
  },
};
