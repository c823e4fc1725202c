// Figure 5: validation SILog over training for each task alone, and for both with a growing number of classes.
import { above, beside, claim, curvePoint, difference, matrix } from '../../runner/definition.ts';
import type { Cell, Effect, TableDefinition } from '../../runner/paper.ts';
import { runOf, silog, silogColumn, validationCurves } from './cells.ts';

const alone = { weighting: 'regression' } as const;
const classesAlone = { weighting: 'classification' } as const;
/** 2, 4, 32 and 64 stand in the text; 8 and 16 are the powers between. */
const rows = [2, 4, 8, 16, 32, 64].map((classes) => {
  const run = { weighting: 'learned', classes } as const;
  return { name: `${classes} classes`, run, cell: silog(run), classification: silog(run, 'classification') };
});
const baselines = [silog(alone), silog(classesAlone, 'classification')] as const;
/** The published curve turns at about 1e5 of 5e5 iterations. */
const turn = curvePoint(runOf(alone), 'regression', 1 / 5);
const end = silog(alone, 'regressionLast');
const belowBoth = (cell: Cell): Effect[] => baselines.map((baseline) => difference(baseline, cell));
const classified = rows.map(({ name, classification }) => [name, classification] as const);
const columns = [silogColumn('SILog')];

export const figure5: TableDefinition = {
  name: 'figure5',
  title: 'validation SILog by number of classes',
  source: 'Figure 5, caption and text',
  matrix: matrix('network', columns, [
    ['regression alone', baselines[0]],
    ['classification alone', baselines[1]],
    ...rows.map(({ name, cell }) => [name, cell] as const),
  ]),
  besides: [
    beside('regression alone, over its training', 'when', columns, [
      ['after a fifth of the training', turn],
      ['at the end', end],
    ]),
    beside('classification output, not to be compared between numbers of classes', 'network', columns, classified),
  ],
  claims: [
    ...rows.map(({ name, cell }) => claim(`${name} are below both baselines`, belowBoth(cell))),
    above('regression alone gets worse after a fifth of its training', end, turn),
  ],
  notes: [
    'The figure has no numbers. From 4 classes on its curves are nearly the same.',
    'The intervals of 2 classes alone make a SILog of 60 for the classification output.',
  ],
  ...validationCurves([
    [alone, 'regression alone'],
    [classesAlone, 'classification alone', 'classification'],
    ...rows.map(({ name, run }) => [run, name] as const),
  ]),
};
