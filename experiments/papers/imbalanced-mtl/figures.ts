// Figure 3, the toy problem's curves; Figures 5 and 6, panels of pictures, truth and what four networks make of them; and the table of
// features, for which nothing is run.
import { beside, cell, column, rowsOf } from '../../runner/definition.ts';
import type { TableDefinition } from '../../runner/paper.ts';
import { metricOf, runOf } from './cells.ts';
import type { DataSetName, RowName } from './settings.ts';
import { toyRun } from './table2.ts';

export const table1: TableDefinition = {
  name: 'table1',
  title: 'features of methods, compared in words',
  source: 'Table 1',
  notes: ['A comparison of methods by their features, without numbers: there is nothing to run.'],
};

const toyNetworks = [
  ['single task (ST)', 'ST mse'],
  ['two outputs (MTL)', 'MTL mse'],
  ['student (T-S)', 'T-S mse'],
] as const;

export const figure3: TableDefinition = {
  name: 'figure3',
  title: 'toy problem: the two functions, their points, and f2 as three networks predict it',
  source: 'Figure 3',
  besides: [
    beside(
      'error of the networks whose curves these are',
      'network',
      [column('MSE of f2', 5, 'lower')],
      rowsOf(toyNetworks, ['mse'], (metric) => cell(toyRun, metric)),
    ),
  ],
  pictures: [toyRun],
  notes: [
    'Over z from 0 to 1, seed 0: f1 (grey) with its points, f2 (black) with the points that have it, and the prediction (red).',
  ],
};

/** Panels of some rows, and the scores that the pictures come with. */
function panelTable(
  figure: number,
  data: DataSetName,
  rows: readonly (readonly [name: string, row: RowName])[],
): TableDefinition {
  return {
    name: `figure${figure}`,
    title: `${data === 'nyud' ? 'NYUDv2' : 'Cityscapes'}: pictures, truth and predictions`,
    source: `Figure ${figure}`,
    data,
    besides: [
      beside(
        'scores of the networks whose pictures these are',
        'network',
        [column('mIoU', 1, 'higher'), column('rmse', 3, 'lower')],
        rowsOf(rows, [metricOf.mIoU, metricOf.rmse], (row, metric) =>
          metric === metricOf.rmse && row.startsWith('UMST') ? null : cell(runOf({ data, row }), metric),
        ),
      ),
    ],
    pictures: rows.map(([, row]) => runOf({ data, row })),
    picturesTogether: true,
    notes: [
      "Classes in the data set's own colours, void black; depth logarithmic, near things bright, white where nothing was measured.",
    ],
  };
}

export const figure5 = panelTable(5, 'nyud', [
  ['UMST-S', 'UMST-S'],
  ['UMMT-D', 'UMMT-D'],
  ['UMMT-PS', 'UMMT-PS'],
  ['teacher MMMT-D', 'MMMT-D'],
]);

export const figure6 = panelTable(6, 'cityscapes', [
  ['UMST-S', 'UMST-S, all labels'],
  ['UMMT', 'UMMT'],
  ['UMMT-PS', 'UMMT-PS'],
  ['teacher MMMT-D', 'MMMT-D'],
]);
