// Figures 7 (accuracy against noise, N = 5000), 8 to 10 (curves over epochs, S:N = 1:29, N = 5000) and 11 (accuracy against training
// images, S:N = 1:29), each with dMTL and single task.
import { above, cell, claim, effect, matrix } from '../../runner/definition.ts';
import type { TableDefinition } from '../../runner/paper.ts';
import { accuracyColumn, byImages, byNoise, type Comparison } from './cells.ts';

/** A figure of two lines, and that one lies above the other everywhere. */
const linesOf = (x: string, rows: readonly Comparison[]) => ({
  matrix: matrix(
    x,
    ['single task', 'dMTL'].map(accuracyColumn),
    rows.map(({ name, single, multi }) => [name, single, multi]),
  ),
  plot: { x, y: 'test accuracy' },
  ordered: rows.map(({ name, single, multi }) => above(`dMTL is above single task at ${name}`, multi, single)),
});

const loudest = byNoise.at(-1)!;
const { ordered: orderedByNoise, ...figure7Lines } = linesOf('S:N', byNoise);

export const figure7: TableDefinition = {
  name: 'figure7',
  title: 'test accuracy against noise, single task and dMTL, N = 5000',
  source: 'Figure 7 and its text',
  ...figure7Lines,
  claims: [...orderedByNoise, above('at 1:29 the gain is about 2 %', loudest.multi, loudest.single, 0.02)],
  notes: [
    'The single-task values of the figure are not given in text. The gain is described as about 0.02 at 1:29, which puts single ' +
      'task near 0.83 there.',
  ],
};

const [few, many] = [byImages[0]!, byImages.at(-1)!];
const { singleRun: single, multiRun: multi } = many;
const third = { multi: cell(multi, 'validationAccuracyAt3', 0.8), single: cell(single, 'validationAccuracyAt3') };

export const figure9: TableDefinition = {
  name: 'figure9',
  title: 'figures 8 to 10: curves over epochs, S:N = 1:29, N = 5000',
  source: 'Figures 8 to 10 and their text',
  drawn: 'Figure 8',
  matrix: matrix('validation accuracy', ['dMTL', 'single task'].map(accuracyColumn), [
    ['after epoch 3', third.multi, third.single],
    ['after epoch 6', null, cell(single, 'validationAccuracyAt6', 0.8)],
  ]),
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

const { ordered: orderedByImages, ...figure11Lines } = linesOf('training images', byImages);

export const figure11: TableDefinition = {
  name: 'figure11',
  title: 'test accuracy against training images, single task and dMTL, S:N = 1:29',
  source: 'Figure 11 and its text',
  ...figure11Lines,
  claims: [
    ...orderedByImages,
    above('at N = 3500 the gain is above 0.20', few.multi, few.single, 0.2),
    claim('the gain of dMTL is larger at N = 3500 than at N = 5000', [
      effect('gain at 3500 - gain at 5000', [few.multi, few.single, many.multi, many.single], 'above', 0, (value) => {
        const gain = (row: Comparison): number => value(row.multi) - value(row.single);
        return gain(few) - gain(many);
      }),
    ]),
  ],
  notes: [
    'The values of dMTL are those of Table 2, whose entry for N = 3500 contradicts Table 3 (see there). Of the single-task line ' +
      'only the value at N = 3500 is given.',
  ],
};
