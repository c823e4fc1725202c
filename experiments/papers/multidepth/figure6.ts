// Figure 6: validation SILog by weighting, by bounds of depth and by patch; one setting changed at a time.
import { above, beside, claim, effect, matrix, rising } from '../../runner/definition.ts';
import type { Cell, Effect, Matrix, TableDefinition } from '../../runner/paper.ts';
import { columnOutputs, silog, silogColumn, validationCurves } from './cells.ts';
import type { RunName } from './settings.ts';

const learned = { weighting: 'learned' } as const;
const rowOf = (name: string, run: RunName) => ({ name, run, cell: silog(run) });
const equal = rowOf('weights equal', { weighting: 'equal' });
const manual = rowOf('weights manual', { weighting: 'manual' });
const weights = rowOf('weights learned', learned);
const wide = rowOf('bounds 0 to 256 m', { ...learned, bounds: '0-256' });
const narrow = rowOf('bounds 2 to 125 m', learned);
const small = rowOf('patch 128', learned);
const large = rowOf('patch 256', { ...learned, patch: 256 });
const rows = [equal, manual, weights, wide, narrow, small, large];
const controls = [
  rowOf('rate of the weights as that of the network', { ...learned, variant: 'rate of the network' }),
  rowOf('weights exp(-s^2) as printed', { ...learned, variant: 'weights as printed' }),
  rowOf('depth cut to whole metres', { ...learned, variant: 'whole metres' }),
  rowOf('classes between 5 and 50 m', { ...learned, variant: 'narrow classes' }),
];
const columns = columnOutputs.map(silogColumn);
const shown = (list: typeof rows): Matrix['rows'] =>
  list.map(({ name, run, cell }) => [name, silog(run, 'classification'), cell]);

/** By how much more learning the weights gains than going from `worse` to `better`. */
function gainsMore(what: string, worse: Cell, better: Cell): Effect {
  const [text, cells] = [`gain of the weighting - gain of the ${what}`, [equal.cell, weights.cell, worse, better]];
  const difference: Effect['of'] = (value) => value(equal.cell) - value(weights.cell) - (value(worse) - value(better));
  return effect(text, cells, 'above', 0, difference);
}

export const figure6: TableDefinition = {
  name: 'figure6',
  title: 'validation SILog by weighting, bounds and patch',
  source: 'Figure 6',
  matrix: matrix('setting', columns, shown(rows)),
  besides: [beside('control: one setting of the learned weights changed', 'setting', columns, shown(controls))],
  claims: [
    rising('learned is below manual, manual below equal', [weights.cell, manual.cell, equal.cell]),
    above('bounds of 2 to 125 m are below those of the file format', wide.cell, narrow.cell),
    above('the larger patch is below the smaller one', small.cell, large.cell),
    claim('the weighting matters most', [
      gainsMore('bounds', wide.cell, narrow.cell),
      gainsMore('patch', small.cell, large.cell),
    ]),
  ],
  notes: [
    'The figure has no numbers. The controls are ours: the printed form of the weights has no lower bound, whole metres are what ' +
      'the released augmentation makes of depth, and 5 and 50 m are constants of the released code that it does not use.',
  ],
  ...validationCurves(rows.map(({ name, run }) => [run, name])),
};
