// Figure 6: validation SILog by weighting, by bounds of depth and by patch; one setting changed at a time.
import { ascending, type TableDefinition } from '../../runner/paper.ts';
import { SILOG_TOLERANCE, silogCell, silogText } from './cells.ts';
import { type RunName, runKey } from './settings.ts';

const learned = { weighting: 'learned' } as const;
const column = 'regression';
const rows: readonly (readonly [row: string, run: RunName])[] = [
  ['weights equal', { weighting: 'equal' }],
  ['weights manual', { weighting: 'manual' }],
  ['weights learned', learned],
  ['bounds 0 to 256 m', { ...learned, bounds: '0-256' }],
  ['bounds 2 to 125 m', learned],
  ['patch 128', learned],
  ['patch 256', { ...learned, patch: 256 }],
  ['control: rate of the weights as that of the network', { ...learned, variant: 'rate of the network' }],
  ['control: weights exp(-s^2) as printed', { ...learned, variant: 'weights as printed' }],
  ['control: depth cut to whole metres', { ...learned, variant: 'whole metres' }],
  ['control: classes between 5 and 50 m', { ...learned, variant: 'narrow classes' }],
];

const below = (text: string, ...list: string[]) =>
  ascending(
    text,
    list.map((row) => [row, column] as const),
  );

export const figure6: TableDefinition = {
  name: 'figure6',
  title: 'validation SILog by weighting, bounds and patch',
  cells: rows.flatMap(([row, run]) => [
    silogCell(row, column, null, run, 'regression'),
    silogCell(row, 'classification', null, run, 'classification'),
  ]),
  tolerance: SILOG_TOLERANCE,
  format: silogText,
  claims: [
    below('learned is below manual, manual below equal', 'weights learned', 'weights manual', 'weights equal'),
    below('bounds of 2 to 125 m are below those of the file format', 'bounds 2 to 125 m', 'bounds 0 to 256 m'),
    below('the larger patch is below the smaller one', 'patch 256', 'patch 128'),
    {
      text: 'the weighting matters most',
      cells: rows.slice(0, 7).map(([row]) => [row, column] as const),
      holds: (value) => {
        const gain = (worse: string, better: string): number => value(worse, column) - value(better, column);
        const others = [gain('bounds 0 to 256 m', 'bounds 2 to 125 m'), gain('patch 128', 'patch 256')];
        return others.every((other) => gain('weights equal', 'weights learned') > other);
      },
    },
  ],
  notes: [
    'The figure has no numbers. The controls are ours: the printed form of the weights has no lower bound, whole metres are what ' +
      'the released augmentation makes of depth, and 5 and 50 m are constants of the released code that it does not use.',
  ],
  curves: rows.slice(0, 7).map(([row, run]) => ({ run: runKey(run), curve: 'regression', label: row })),
  curveAxis: 'validation',
};
