// Figure 7, the final run: task weights and losses over training. Its validation curves are with the panels of figure 8.
import { ascending, type TableDefinition } from '../../runner/paper.ts';
import { SILOG_TOLERANCE, silogCell, silogText } from './cells.ts';
import { restingScalars } from './losses.ts';
import { runKey } from './settings.ts';

const final = { weighting: 'learned', patch: 256 } as const;
const curves = {
  sReg: 's_reg',
  sCls: 's_cls',
  regressionLoss: 'regression loss',
  classificationLoss: 'classification loss',
  combinedLoss: 'combined loss',
} as const;
const end = 'at the end';

export const figure7: TableDefinition = {
  name: 'figure7',
  title: 'the final run: task weights and losses',
  cells: [...Object.entries(curves).map(([curve, name]) => silogCell(name, end, null, final, `${curve}Last`))],
  tolerance: SILOG_TOLERANCE,
  format: (value) => (Math.abs(value) < 0.1 ? value.toExponential(2) : silogText(value)),
  claims: [
    ascending('s_reg falls below s_cls', [
      ['s_reg', end],
      ['s_cls', end],
    ]),
  ],
  notes: [
    'A scalar s stands for ln sigma^2: the weight of its loss is proportional to exp(-s). Both start at 1.',
    'Curves are over validations; the learning rate falls as (1 - k / T)^0.9.',
  ],
  conclusion: (value) => {
    const rest = restingScalars(value('regression loss', end), value('classification loss', end));
    return (
      `For the last losses both weighted losses would be 0.5 at s_reg = ${rest.reg.toFixed(2)} and s_cls = ` +
      `${rest.cls.toFixed(2)}; the run ended at ${value('s_reg', end).toFixed(2)} and ${value('s_cls', end).toFixed(2)}.`
    );
  },
  curves: [...Object.entries(curves).map(([curve, label]) => ({ run: runKey(final), curve, label }))],
  curveAxis: 'validation',
};
