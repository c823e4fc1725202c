// Figures 4 and 5, the training curves, with the saved history as published points; figures 6, 7 and 9 to 12, the panels.
import { beside, curvePoint, matrix } from '../../runner/definition.ts';
import type { Cell, TableDefinition } from '../../runner/paper.ts';
import { final, metric, plain, runOf } from './cells.ts';

/** Epoch, then loss, depth loss, MAE, SSIM and accuracy of training and of validation (saved history of 2 December). */
const history: readonly (readonly number[])[] = [
  [1, 1.135, 0.4363, 0.6995, 0.5791, 0.7086, 0.6741, 0.3929, 0.569, 0.6392, 0.8864],
  [2, 0.6723, 0.3832, 0.5434, 0.6482, 0.8921, 0.5561, 0.3788, 0.5462, 0.6648, 0.9318],
  [5, 0.496, 0.3587, 0.4699, 0.684, 0.9494, 0.4694, 0.3623, 0.4708, 0.682, 0.9659],
  [10, 0.4206, 0.3381, 0.407, 0.7113, 0.9712, 0.4299, 0.3556, 0.4723, 0.6949, 0.9716],
  [20, 0.3612, 0.3123, 0.3378, 0.7433, 0.9854, 0.3867, 0.3351, 0.3938, 0.7175, 0.983],
  [30, 0.3251, 0.2896, 0.2827, 0.7681, 0.9899, 0.3701, 0.3262, 0.3694, 0.729, 0.9915],
  [50, 0.292, 0.2683, 0.2354, 0.7912, 0.9953, 0.3597, 0.3212, 0.3481, 0.7357, 0.9915],
  [70, 0.2728, 0.255, 0.2085, 0.8056, 0.9956, 0.3537, 0.3179, 0.3444, 0.7397, 0.9915],
  [99, 0.2544, 0.2417, 0.1842, 0.8234, 0.9984, 0.3516, 0.317, 0.3298, 0.7445, 0.9915],
  [100, 0.2546, 0.242, 0.1857, 0.8229, 0.9984, 0.3517, 0.317, 0.3294, 0.7442, 0.9915],
];
const EPOCHS = 100;
const recorded = ['loss', 'depthLoss', 'mae', 'ssim', 'accuracy'] as const;
type Recorded = (typeof recorded)[number];

const pointsOf = (cohort: 'train' | 'validation', score: Recorded, row: readonly number[]): Cell => ({
  ...curvePoint(runOf(final), `${cohort} ${score}`, row[0]! / EPOCHS),
  published: row[1 + recorded.indexOf(score) + (cohort === 'train' ? 0 : recorded.length)]!,
});

function curveTable(
  name: string,
  source: string,
  title: string,
  shown: readonly Recorded[],
  y: string,
): TableDefinition {
  const lines = shown.flatMap((score) => (['train', 'validation'] as const).map((cohort) => ({ score, cohort })));
  return {
    name,
    title,
    source,
    matrix: matrix(
      'epoch of 100',
      lines.map(({ score, cohort }) => plain(`${cohort} ${score}`)),
      history.map(
        (row) => [String(row[0]), ...lines.map(({ score, cohort }) => pointsOf(cohort, score, row))] as const,
      ),
    ),
    notes: [
      'Published points are the saved history that the figure shows. Of a shorter training the points are at the same shares of it.',
    ],
    plot: { x: 'epoch of 100', y },
    curves: lines.map(({ score, cohort }) => ({
      run: runOf(final),
      curve: `${cohort} ${score}`,
      label: `${cohort} ${score}`,
    })),
  };
}

export const figure4 = curveTable('figure4', 'Figure 4', 'losses over the training', ['loss', 'depthLoss'], 'loss');
export const figure5 = curveTable(
  'figure5',
  'Figure 5',
  'MAE, SSIM and accuracy over it',
  ['mae', 'ssim', 'accuracy'],
  'metres, or share',
);

export const figure6: TableDefinition = {
  name: 'figure6',
  title: 'pictures, true and predicted depth after 30 epochs and after the last',
  source: 'Figures 6, 7 and 9 to 12',
  besides: [
    beside(
      'the model whose pictures these are, test pictures',
      'metric',
      [plain('test')],
      [
        ['MAE [m]', metric(final, 'test mae')],
        ['SSIM', metric(final, 'test ssim')],
      ],
    ),
  ],
  notes: [
    'Reversed plasma, scaled to the range of the truth: near is yellow, far is blue, and what was not measured is yellow too. The ' +
      'weights of the earlier epoch, of the last and of the best validation loss are kept beside the run (`wgrad predict densedepth`).',
  ],
  pictures: [runOf(final)],
};
