// Not in the paper: how the multitask loss depends on the weight of its depth term, which the paper does not state.
import type { TableDefinition } from '../../runner/paper.ts';
import { accuracyCell, accuracyText } from './cells.ts';

export const lambda: TableDefinition = {
  name: 'lambda',
  title: 'sensitivity of the multitask loss to the depth weight, S:N = 1:29, N = 3500',
  cells: [1, 10, 20].map((weight) =>
    accuracyCell(`lambda = ${weight}`, 'test accuracy', null, {
      strategy: 'multitaskLoss',
      noise: '1:29',
      n: 3500,
      lambda: weight,
    }),
  ),
  tolerance: 0,
  format: accuracyText,
  claims: [],
  notes: ['The paper gives no weight for the depth loss; 1 is used everywhere else.'],
};
