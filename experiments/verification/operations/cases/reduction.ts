// Cases of the operations of engine/ops/reduction.ts.
import * as w from '../../../../engine/index.ts';
import { axesOf, keepdim, number, ofXOverAxes } from '../../golden/adapter.ts';
import { distinct, type FamilyCases, input, one } from '../case.ts';

export const reduction: FamilyCases = {
  gradients: [
    one('sum', (x) => w.sum(x, [0, 2]), input(2, 3, 2)),
    one('mean', (x) => w.mean(x, [-1], { keepdim: true }), input(2, 3)),
    one('amax', (x) => w.amax(x, [0, 2]), distinct(2, 3, 2)),
    one('amin', (x) => w.amin(x, 1), distinct(2, 3)),
    { operations: ['max'], inputs: [distinct(3, 4)], f: (x) => w.max(x!, 1).values },
    { operations: ['min'], inputs: [distinct(3, 4)], f: (x) => w.min(x!, 0, { keepdim: true }).values },
    one('variance', (x) => w.variance(x, [0], { correction: 1 }), input(4, 2)),
    one('argmax', (x) => w.argmax(x, 1)),
    one('argmin', (x) => w.argmin(x)),
  ],
  golden: {
    sum: ofXOverAxes(w.sum),
    mean: ofXOverAxes(w.mean),
    var: (t, a) => w.variance(t.x!, axesOf(a), { ...keepdim(a), correction: number(a, 'correction') }),
    amax: ofXOverAxes(w.amax),
    amin: ofXOverAxes(w.amin),
    max: (t, a) => w.max(t.x!, number(a, 'axis'), keepdim(a)),
    min: (t, a) => w.min(t.x!, number(a, 'axis'), keepdim(a)),
    argmax: (t, a) => w.argmax(t.x!, a.axis as number | null, keepdim(a)),
    argmin: (t, a) => w.argmin(t.x!, a.axis as number | null, keepdim(a)),
  },
};
