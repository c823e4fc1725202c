// Figures 8 to 10: curves over epochs at S:N = 1:29, N = 5000, dMTL and single task.
import { ascending, type TableDefinition } from '../../runner/paper.ts';
import { ACCURACY_TOLERANCE, accuracyCell, accuracyText } from './cells.ts';
import { runKey } from './settings.ts';

const single = { strategy: 'singleTask', noise: '1:29', n: 5000 } as const;
const multi = { strategy: 'multipleOptimizers', noise: '1:29', n: 5000 } as const;

export const figure9: TableDefinition = {
  name: 'figure9',
  title: 'figures 8 to 10: curves over epochs, S:N = 1:29, N = 5000',
  cells: [
    accuracyCell('after epoch 3', 'dMTL', 0.8, multi, 'validationAccuracyAt3'),
    accuracyCell('after epoch 3', 'single task', null, single, 'validationAccuracyAt3'),
    accuracyCell('after epoch 6', 'single task', 0.8, single, 'validationAccuracyAt6'),
  ],
  tolerance: ACCURACY_TOLERANCE,
  format: accuracyText,
  claims: [
    ascending('dMTL is ahead of single task after epoch 3', [
      ['after epoch 3', 'single task'],
      ['after epoch 3', 'dMTL'],
    ]),
  ],
  notes: [
    'The text gives two points of these curves: accuracy 0.80 after epoch 3 with dMTL and after epoch 6 without. It does not say ' +
      'on which cohort; validation accuracy is shown.',
  ],
  curves: [
    { run: runKey(multi), curve: 'accuracy', label: 'dMTL, accuracy' },
    { run: runKey(single), curve: 'accuracy', label: 'single task, accuracy' },
    { run: runKey(multi), curve: 'depthRmse', label: 'dMTL, depth error (RMSE)' },
  ],
};
