// Figures 7, 8 and 1, the final run: task weights and losses over training; its validation curves and panels (picture, measured
// depth, both outputs).
import { above, claim, effect, matrix } from '../../runner/definition.ts';
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
const ends = Object.entries(curves).map(([curve, name]) => [name, silog(final, `${curve}Last`)] as const);
const [sReg, sCls, regression, classification] = ends.map(([, cell]) => cell) as [Cell, Cell, Cell, Cell];
const highest = silog(final, 'sClsMost');
/** Where both scalars begin. */
const START = 1;

export const figure7: TableDefinition = {
  name: 'figure7',
  title: 'the final run: task weights and losses',
  source: 'Figure 7',
  matrix: matrix('curve', [{ name: 'at the end', format }], [...ends, ['s_cls, highest at a validation', highest]]),
  claims: [
    above('s_reg falls below s_cls', sCls, sReg),
    claim('s_cls first rises a little', [
      effect(`highest s_cls - ${START}`, [highest], 'above', 0, (value) => value(highest) - START),
    ]),
    above('s_cls then decays', highest, sCls),
  ],
  notes: [
    'A scalar s stands for ln sigma^2: the weight of its loss is proportional to exp(-s). Both start at 1.',
    'Curves are over validations; the learning rate falls as (1 - k / T)^0.9. A rise that is over before the first validation is not seen.',
  ],
  conclusion: (value) => {
    const rest = restingScalars(value(regression), value(classification));
    return (
      `For the last losses both weighted losses would be 0.5 at s_reg = ${rest.reg.toFixed(2)} and s_cls = ` +
      `${rest.cls.toFixed(2)}; the run ended at ${value(sReg).toFixed(2)} and ${value(sCls).toFixed(2)}.`
    );
  },
  ...validationCurves([
    ...Object.entries(curves).map(([curve, label]) => [final, label, curve] as const),
    [final, 'learning rate', 'learningRate'],
  ]),
};

const scores = outputs.map((output) => [output, silog(final, output), silog(final, `${output}Last`)] as const);

export const figure8: TableDefinition = {
  name: 'figure8',
  title: 'panels of figures 1 and 8, and the validation curves of figure 7',
  source: 'Figures 1, 7 and 8',
  drawn: 'Figures 1 and 8',
  matrix: matrix('output', ['best', 'at the end'].map(silogColumn), scores),
  claims: [above('regression ends below classification', scores[1]![2], scores[0]![2])],
  notes: [
    'Near is bright, far is dark, white is not measured; colours run logarithmically from 2 to 125 m. Errors are shares of the ' +
      'measured depth, from 0 (dark) to one half and beyond (bright).',
  ],
  ...validationCurves(scores.map(([output]) => [final, output, output])),
  pictures: [runOf(final)],
};
