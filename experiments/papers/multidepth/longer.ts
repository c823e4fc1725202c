// Table 1's regression column in longer training: whether the published order needs more updates than a preset has.
import { ascending, type TableDefinition } from '../../runner/paper.ts';
import { SILOG_TOLERANCE, silogCell, silogText } from './cells.ts';
import { LONGER } from './presets.ts';
import { type RunName, runKey } from './settings.ts';
import { rows } from './table1.ts';

const column = 'regression';
const longerOf = (run: RunName): RunName => ({ ...run, variant: 'longer' });
const { regression, equal, manual, learned, large } = rows;
/** From the worst to the best, as published. */
const ordered = [regression, equal, manual, learned, large];
const usual = (row: string): string => `${row}, not longer`;

export const longer: TableDefinition = {
  name: 'longer',
  title: `validation SILog of the regression in training ${LONGER} times as long`,
  cells: [
    ...ordered.map(({ row, run, regression }) => silogCell(row, column, regression, longerOf(run), 'regression')),
    ...ordered.flatMap(({ row, run }) => [
      silogCell(row, 'regression, patches', null, longerOf(run), 'patchRegression'),
      silogCell(usual(row), column, null, run, 'regression'),
    ]),
  ],
  tolerance: SILOG_TOLERANCE,
  format: silogText,
  claims: [
    ...ordered.slice(1).map(({ row }, i) =>
      ascending(`${row} is below ${ordered[i]!.row}`, [
        [row, column],
        [ordered[i]!.row, column],
      ]),
    ),
    ...ordered.map(({ row }) =>
      ascending(`${row}: longer training is better`, [
        [row, column],
        [usual(row), column],
      ]),
    ),
  ],
  notes: [
    'The schedule is stretched: the rates fall to 0 at the end of the longer training. As many validations as otherwise.',
  ],
  curves: ordered.map(({ row, run }) => ({ run: runKey(longerOf(run)), curve: column, label: row })),
  curveAxis: 'validation',
};
