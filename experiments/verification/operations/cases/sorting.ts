// Cases of the operations of engine/ops/sorting.ts.
import * as w from '../../../../engine/index.ts';
import { distinct, type FamilyCases } from '../case.ts';

export const sorting: FamilyCases = {
  gradients: [
    { operations: ['sort'], inputs: [distinct(3, 4)], f: (x) => w.sort(x!, 0, { descending: true }).values },
    { operations: ['topk'], inputs: [distinct(3, 4)], f: (x) => w.topk(x!, 2, 1, { largest: false }).values },
  ],
};
