// Figure 4: the learning rate range test. The loss over 250 updates while the rate grows from 1e-8 to 10.
import type { TableDefinition } from '../../runner/paper.ts';
import { silogCell } from './cells.ts';
import { decades, lossName } from './range-test.ts';

const run = { weighting: 'learned', variant: 'range test' } as const;
const column = 'smoothed loss';
const row = (decade: number): string => `1e${decade}`;
const cell = (decade: number) => [row(decade), column] as const;

export const figure4: TableDefinition = {
  name: 'figure4',
  title: 'learning rate range test: loss against rate',
  cells: decades.map((decade) => silogCell(row(decade), column, null, run, lossName(decade))),
  tolerance: 0,
  format: (value) => value.toFixed(3),
  claims: [
    {
      text: 'the loss hardly moves below 1e-6',
      cells: [cell(-7), cell(-6), cell(-3)],
      holds: (value) =>
        Math.abs(value(...cell(-6)) - value(...cell(-7))) < 0.2 * (value(...cell(-6)) - value(...cell(-3))),
    },
    {
      text: 'it falls between 1e-6 and 1e-3',
      cells: [cell(-6), cell(-3)],
      holds: (value) => value(...cell(-3)) < value(...cell(-6)),
    },
    {
      text: 'it diverges above 1e-1',
      cells: [cell(-1), cell(1)],
      holds: (value) => value(...cell(1)) > 2 * Math.abs(value(...cell(-1))),
    },
  ],
  notes: [
    'The figure has no numbers; its shape is tested. A loss above 100, or that is no number, is shown as 100. Both groups of parameters have the ' +
      'same rate here. The paper chose 1e-4.',
  ],
  plot: { x: 'learning rate', y: column },
};
