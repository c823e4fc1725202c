// Not in the paper: how the multitask loss depends on the weight of its depth term, which the paper does not state, and what the
// order of the strategies at (1:29, N = 3500) depends on, one setting changing at a time.
import { above, beside, cell, rowsOf } from '../../runner/definition.ts';
import type { Matrix, TableDefinition } from '../../runner/paper.ts';
import { accuracy, accuracyColumn, runOf } from './cells.ts';
import { type Variant, variants } from './settings.ts';

const weights: Matrix['rows'] = [1, 10, 20].map((weight) => {
  const run = runOf({ strategy: 'multitaskLoss', lambda: weight });
  return [`lambda = ${weight}`, cell(run, 'validationAccuracy'), accuracy(run)];
});

const columns = ['validation accuracy', 'test accuracy'].map(accuracyColumn);

export const lambda: TableDefinition = {
  name: 'lambda',
  title: 'sensitivity of the multitask loss to the depth weight, S:N = 1:29, N = 3500',
  besides: [
    beside('search: the weight of the depth loss, to be chosen by validation accuracy', 'weight', columns, weights),
  ],
  notes: ['The paper gives no weight for the depth loss; 1 is used everywhere else.'],
};

const strategies = {
  singleTask: 'single task',
  multipleOptimizers: 'multiple optimizers',
  multitaskLoss: 'multitask loss',
} as const;
const names = Object.values(strategies);
const changes = [undefined, ...(Object.keys(variants) as Variant[])].map(
  (variant) => [variant ?? 'as the preset', variant] as const,
);
const rows = rowsOf(changes, Object.keys(strategies) as (keyof typeof strategies)[], (variant, strategy) =>
  accuracy(runOf({ strategy, variant })),
);

export const ordering: TableDefinition = {
  name: 'ordering',
  title: 'what the order of the strategies depends on, S:N = 1:29, N = 3500',
  besides: [beside('control: one setting multiplied or divided', 'setting', names.map(accuracyColumn), rows)],
  claims: rows.flatMap(([name, single, ...multi]) =>
    multi.map((each, i) => above(`${name}: ${names[i + 1]} is above single task`, each!, single!)),
  ),
  notes: [
    'Each row multiplies or divides one setting of the preset: the learning rate, the width of the network, the side of the ' +
      'images (the noise keeps its difficulty), the number of training images.',
  ],
};
