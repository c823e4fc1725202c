// Table 1's regression column in longer training: whether the published order needs more updates than a preset has.
import { above, beside } from '../../runner/definition.ts';
import type { TableDefinition } from '../../runner/paper.ts';
import { silog, silogColumn, validationCurves } from './cells.ts';
import { LONGER } from './presets.ts';
import { rowOf } from './table1.ts';

/** From the worst to the best, as published. */
const ordered = (['regression', 'equal', 'manual', 'learned', 'large'] as const).map((key) => {
  const { row, run } = rowOf(key);
  const longerRun = { ...run, variant: 'longer' } as const;
  return { row, longerRun, cell: silog(longerRun), usual: silog(run), patches: silog(longerRun, 'patchRegression') };
});

const columns = ['regression', 'regression, not longer', 'regression, patches'].map(silogColumn);
const shown = ordered.map(({ row, cell, usual, patches }) => [row, cell, usual, patches] as const);

export const longer: TableDefinition = {
  name: 'longer',
  title: `validation SILog of the regression in training ${LONGER} times as long`,
  besides: [beside(`control: ${LONGER} times the updates`, 'method', columns, shown)],
  claims: [
    ...ordered.slice(1).map(({ row, cell }, i) => above(`${row} is below ${ordered[i]!.row}`, ordered[i]!.cell, cell)),
    ...ordered.map(({ row, cell, usual }) => above(`${row}: longer training is better`, usual, cell)),
  ],
  notes: [
    'The schedule is stretched: the rates fall to 0 at the end of the longer training. As many validations as otherwise.',
  ],
  ...validationCurves(ordered.map(({ row, longerRun }) => [longerRun, row])),
};
