// Figure 5: validation SILog over training for each task alone, and for both with a growing number of classes.
import { ascending, type TableDefinition } from '../../runner/paper.ts';
import { SILOG_TOLERANCE, silogCell, silogText } from './cells.ts';
import { type RunName, runKey } from './settings.ts';

const alone = { weighting: 'regression' } as const;
const classesAlone = { weighting: 'classification' } as const;
const both = (classes: number) => ({ weighting: 'learned', classes }) as const;
/** 2, 4, 32 and 64 stand in the text; 8 and 16 are the powers between. */
const counts = [2, 4, 8, 16, 32, 64] as const;
const row = (classes: number): string => `${classes} classes`;
const column = 'regression';

const curve = (run: RunName, label: string, name = 'regression') => ({ run: runKey(run), curve: name, label });

export const figure5: TableDefinition = {
  name: 'figure5',
  title: 'validation SILog by number of classes',
  cells: [
    silogCell('regression alone', column, null, alone, 'regression'),
    silogCell('classification alone', 'classification', null, classesAlone, 'classification'),
    ...counts.map((classes) => silogCell(row(classes), column, null, both(classes), 'regression')),
    silogCell('regression alone, at the end', column, null, alone, 'regressionLast'),
    // The columns of different numbers of classes cannot be compared: the intervals alone make a SILog of 60 for 2 of them.
    ...counts.map((classes) => silogCell(row(classes), 'classification', null, both(classes), 'classification')),
  ],
  tolerance: SILOG_TOLERANCE,
  format: silogText,
  claims: [
    ...counts.map((classes) =>
      ascending(`${classes} classes are below regression alone`, [
        [row(classes), column],
        ['regression alone', column],
      ]),
    ),
    ascending('regression alone gets worse after its best', [
      ['regression alone', column],
      ['regression alone, at the end', column],
    ]),
  ],
  notes: ['The figure has no numbers. From 4 classes on its curves are nearly the same.'],
  curves: [
    curve(alone, 'regression alone'),
    curve(classesAlone, 'classification alone', 'classification'),
    ...counts.map((classes) => curve(both(classes), row(classes))),
  ],
  curveAxis: 'validation',
};
