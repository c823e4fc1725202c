// Figures 8 to 10: curves over epochs at S:N = 1:29, N = 5000, dMTL and single task.
import { above, cell } from '../../runner/definition.ts';
import type { TableDefinition } from '../../runner/paper.ts';
import { accuracyColumn, dmtlRun, singleRun } from './cells.ts';

const [single, multi] = [singleRun({ n: 5000 }), dmtlRun({ n: 5000 })];
const third = { multi: cell(multi, 'validationAccuracyAt3', 0.8), single: cell(single, 'validationAccuracyAt3') };

export const figure9: TableDefinition = {
  name: 'figure9',
  title: 'figures 8 to 10: curves over epochs, S:N = 1:29, N = 5000',
  source: 'Figures 9 and 10 and their text',
  matrix: {
    corner: 'validation accuracy',
    columns: [accuracyColumn('dMTL'), accuracyColumn('single task')],
    rows: [
      ['after epoch 3', third.multi, third.single],
      ['after epoch 6', null, cell(single, 'validationAccuracyAt6', 0.8)],
    ],
  },
  claims: [above('dMTL is ahead of single task after epoch 3', third.multi, third.single)],
  notes: [
    'The text gives two points of these curves: accuracy 0.80 after epoch 3 with dMTL and after epoch 6 without. It does not say ' +
      'on which cohort; validation accuracy is shown.',
  ],
  curves: [
    { run: multi, curve: 'accuracy', label: 'dMTL, accuracy' },
    { run: single, curve: 'accuracy', label: 'single task, accuracy' },
    { run: multi, curve: 'depthRmse', label: 'dMTL, depth error (RMSE)' },
  ],
};
