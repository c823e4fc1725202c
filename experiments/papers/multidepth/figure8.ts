// Figures 1 and 8: panels of the final run (picture, measured depth, both outputs), with its validation curves, the last part
// of figure 7.
import { ascending, type TableDefinition } from '../../runner/paper.ts';
import { SILOG_TOLERANCE, silogCell, silogText } from './cells.ts';
import { runKey } from './settings.ts';

const final = { weighting: 'learned', patch: 256 } as const;
const outputs = ['regression', 'classification'] as const;

export const figure8: TableDefinition = {
  name: 'figure8',
  title: 'panels of figures 1 and 8, and the validation curves of figure 7',
  cells: outputs.flatMap((output) => [
    silogCell(output, 'best', null, final, output),
    silogCell(output, 'at the end', null, final, `${output}Last`),
  ]),
  tolerance: SILOG_TOLERANCE,
  format: silogText,
  claims: [
    ascending('regression ends below classification', [
      ['regression', 'at the end'],
      ['classification', 'at the end'],
    ]),
  ],
  notes: ['Near is bright, far is dark, white is not measured; colours run logarithmically from 2 to 125 m.'],
  curves: outputs.map((output) => ({ run: runKey(final), curve: output, label: output })),
  curveAxis: 'validation',
  pictures: [runKey(final)],
};
