// Not in the paper: how the multitask loss depends on the weight of its depth term, which the paper does not state, and what the
// order of the strategies at (1:29, N = 3500) depends on, one setting changing at a time.
import { above, cell } from '../../runner/definition.ts';
import type { TableDefinition } from '../../runner/paper.ts';
import { accuracy, accuracyColumn, runOf } from './cells.ts';
import { type Variant, variants } from './settings.ts';

export const lambda: TableDefinition = {
  name: 'lambda',
  title: 'sensitivity of the multitask loss to the depth weight, S:N = 1:29, N = 3500',
  besides: [
    {
      title: 'search: the weight of the depth loss, to be chosen by validation accuracy',
      corner: 'weight',
      columns: [accuracyColumn('validation accuracy'), accuracyColumn('test accuracy')],
      rows: [1, 10, 20].map((weight) => {
        const run = runOf({ strategy: 'multitaskLoss', lambda: weight });
        return [`lambda = ${weight}`, cell(run, 'validationAccuracy'), accuracy(run)];
      }),
    },
  ],
  notes: ['The paper gives no weight for the depth loss; 1 is used everywhere else.'],
};

const strategies = ['singleTask', 'multipleOptimizers', 'multitaskLoss'] as const;
const names = ['single task', 'multiple optimizers', 'multitask loss'] as const;
const rows = [undefined, ...(Object.keys(variants) as Variant[])].map((variant) => ({
  name: variant ?? 'as the preset',
  cells: strategies.map((strategy) => accuracy(runOf({ strategy, ...(variant ? { variant } : {}) }))),
}));

export const ordering: TableDefinition = {
  name: 'ordering',
  title: 'what the order of the strategies depends on, S:N = 1:29, N = 3500',
  besides: [
    {
      title: 'control: one setting multiplied or divided',
      corner: 'setting',
      columns: names.map(accuracyColumn),
      rows: rows.map(({ name, cells }) => [name, ...cells]),
    },
  ],
  claims: rows.flatMap(({ name, cells }) =>
    [1, 2].map((i) => above(`${name}: ${names[i]} is above single task`, cells[i]!, cells[0]!)),
  ),
  notes: [
    'Each row multiplies or divides one setting of the preset: the learning rate, the width of the network, the side of the ' +
      'images (the noise keeps its difficulty), the number of training images.',
  ],
};
