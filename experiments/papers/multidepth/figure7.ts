// Figures 7, 8 and 1, the final run: task weights and losses over training; its validation curves and panels (picture, measured
// depth, both outputs).
import { above, matrix } from '../../runner/definition.ts';
import type { Cell, TableDefinition } from '../../runner/paper.ts';
import { runOf, silog, silogColumn, validationCurves } from './cells.ts';
import { outputs } from './evaluation.ts';
import { restingScalars } from './losses.ts';

const final = { weighting: 'learned', patch: 256 } as const;
const curves = {
  sReg: 's_reg',
  sCls: 's_cls',
  regressionLoss: 'regression loss',
  classificationLoss: 'classification loss',
  combinedLoss: 'combined loss',
} as const;
const format = (value: number): string => (Math.abs(value) < 0.1 ? value.toExponential(2) : value.toFixed(2));
const rows = Object.entries(curves).map(([curve, name]) => [name, silog(final, `${curve}Last`)] as const);
const [sReg, sCls, regression, classification] = rows.map(([, cell]) => cell) as [Cell, Cell, Cell, Cell];

export const figure7: TableDefinition = {
  name: 'figure7',
  title: 'the final run: task weights and losses',
  source: 'Figure 7',
  matrix: matrix('curve', [{ name: 'at the end', format }], rows),
  claims: [above('s_reg falls below s_cls', sCls, sReg)],
  notes: [
    'A scalar s stands for ln sigma^2: the weight of its loss is proportional to exp(-s). Both start at 1.',
    'Curves are over validations; the learning rate falls as (1 - k / T)^0.9.',
  ],
  conclusion: (value) => {
    const rest = restingScalars(value(regression), value(classification));
    return (
      `For the last losses both weighted losses would be 0.5 at s_reg = ${rest.reg.toFixed(2)} and s_cls = ` +
      `${rest.cls.toFixed(2)}; the run ended at ${value(sReg).toFixed(2)} and ${value(sCls).toFixed(2)}.`
    );
  },
  ...validationCurves(Object.entries(curves).map(([curve, label]) => [final, label, curve])),
};

const ends = outputs.map((output) => [output, silog(final, output), silog(final, `${output}Last`)] as const);

export const figure8: TableDefinition = {
  name: 'figure8',
  title: 'panels of figures 1 and 8, and the validation curves of figure 7',
  source: 'Figures 1, 7 and 8',
  drawn: 'Figures 1 and 8',
  matrix: matrix('output', ['best', 'at the end'].map(silogColumn), ends),
  claims: [above('regression ends below classification', ends[1]![2], ends[0]![2])],
  notes: ['Near is bright, far is dark, white is not measured; colours run logarithmically from 2 to 125 m.'],
  ...validationCurves(ends.map(([output]) => [final, output, output])),
  pictures: [runOf(final)],
};
