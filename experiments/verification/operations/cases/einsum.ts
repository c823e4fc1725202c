// Cases of the operations of engine/ops/einsum.ts.
import * as w from '../../../../engine/index.ts';
import { type FamilyCases, input, one } from '../case.ts';

export const einsum: FamilyCases = {
  gradients: [
    {
      operations: ['einsum'],
      inputs: [input(2, 3, 4), input(4, 2, 2), input(3)],
      f: (a, b, c) => w.einsum('bik,kbj,i->jb', [a!, b!, c!]),
    },
    one('einsum', (x) => w.einsum('ii...->...i', [x]), input(3, 3, 2)),
  ],
};
