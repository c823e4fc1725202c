// Table 3: four training strategies at S:N = 1:29, N = 3500, and the sequential one with half the epochs as a control.
import { above, rising } from '../../runner/definition.ts';
import type { Cell, TableDefinition } from '../../runner/paper.ts';
import { accuracy, accuracyColumn, runOf } from './cells.ts';

const rows: readonly (readonly [string, Cell])[] = [
  ['single task', accuracy(runOf({ strategy: 'singleTask' }), 0.577)],
  ['sequential', accuracy(runOf({ strategy: 'sequential' }), 0.797)],
  ['multiple optimizers', accuracy(runOf({ strategy: 'multipleOptimizers' }), 0.858)],
  ['multitask loss', accuracy(runOf({ strategy: 'multitaskLoss' }), 0.875)],
];
const columns = [accuracyColumn('test accuracy')];

export const table3: TableDefinition = {
  name: 'table3',
  title: 'training strategies, S:N = 1:29, N = 3500',
  source: 'Table 3',
  matrix: { corner: 'strategy', columns, rows },
  besides: [
    {
      title: 'control: half the epochs per stage, so that all strategies see every image as often',
      corner: 'strategy',
      columns,
      rows: [['sequential', accuracy(runOf({ strategy: 'sequentialHalf' }))]],
    },
  ],
  claims: [
    ...rows.slice(1).map(([name, each]) => above(`${name} is above single task`, each, rows[0]![1])),
    rising(
      'single task, sequential, multiple optimizers, multitask loss: in this order',
      rows.map(([, each]) => each),
    ),
  ],
  notes: [
    'Sequential training sees every image twice as often as the others; the control halves the epochs of both stages.',
    'Multiple optimizers make two updates of the encoder per batch, each with its own momentum and L2 penalty.',
  ],
};
