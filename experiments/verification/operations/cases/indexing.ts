// Cases of the operations of engine/ops/indexing.ts.
import * as w from '../../../../engine/index.ts';
import { number } from '../../golden/adapter.ts';
import { type FamilyCases, indices, input } from '../case.ts';

export const indexing: FamilyCases = {
  gradients: [
    {
      operations: ['gather', 'scatterAdd'],
      inputs: [input(3, 2), indices([2, 2], [0, 2, 0, 1])],
      f: (x, index) => w.gather(x!, 0, index!),
    },
    {
      operations: ['indexSelect'],
      inputs: [input(3, 2), indices([4], [2, 0, 2, 1])],
      f: (x, index) => w.indexSelect(x!, 0, index!),
    },
    {
      operations: ['scatter'],
      inputs: [input(2, 3), indices([2, 3], [4, 0, 2, 1, 3, 0])],
      f: (g, index) => w.scatter(g!, 1, index!, 5),
    },
    {
      operations: ['scatterAdd'],
      inputs: [input(2, 3), indices([2, 3], [4, 0, 4, 1, 1, 1])],
      f: (g, index) => w.scatterAdd(g!, 1, index!, 5),
    },
  ],
  golden: {
    gather: (t, a) => w.gather(t.x!, number(a, 'axis'), t.index!),
    index_select: (t, a) => w.indexSelect(t.x!, number(a, 'axis'), t.index!),
  },
};
