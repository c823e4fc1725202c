// Not in the paper: what the order of the strategies at (1:29, N = 3500) depends on. One setting changes at a time.
import { ascending, type TableDefinition } from '../../runner/paper.ts';
import { accuracyCell, accuracyText } from './cells.ts';
import { type Strategy, type Variant, variants } from './settings.ts';

const rows: readonly (readonly [row: string, variant?: Variant])[] = [
  ['as the preset'],
  ...(Object.keys(variants) as Variant[]).map((variant) => [variant, variant] as const),
];
const columns: readonly (readonly [column: string, strategy: Strategy])[] = [
  ['single task', 'singleTask'],
  ['multiple optimizers', 'multipleOptimizers'],
  ['multitask loss', 'multitaskLoss'],
];

export const ordering: TableDefinition = {
  name: 'ordering',
  title: 'what the order of the strategies depends on, S:N = 1:29, N = 3500',
  cells: rows.flatMap(([row, variant]) =>
    columns.map(([column, strategy]) =>
      accuracyCell(row, column, null, { strategy, noise: '1:29', n: 3500, ...(variant ? { variant } : {}) }),
    ),
  ),
  tolerance: 0,
  format: accuracyText,
  claims: rows.flatMap(([row]) =>
    columns.slice(1).map(([column]) =>
      ascending(`${row}: ${column} is above single task`, [
        [row, 'single task'],
        [row, column],
      ]),
    ),
  ),
  notes: [
    'Each row multiplies or divides one setting of the preset: the learning rate, the width of the network, the side of the ' +
      'images (the noise keeps its difficulty), the number of training images.',
  ],
};
