// Figure 11: accuracy against the number of training images at S:N = 1:29, single task and dMTL.
import { above, claim, effect } from '../../runner/definition.ts';
import type { TableDefinition } from '../../runner/paper.ts';
import { accuracy, accuracyColumn, byImages, dmtlRun, singleRun, sizes } from './cells.ts';

const rows = sizes.map((n) => ({
  name: `N = ${n}`,
  // Of the single-task line one value is known.
  single: accuracy(singleRun({ n }), n === 3500 ? 0.577 : null, 'Figure 11, value of Table 3'),
  multi: accuracy(dmtlRun({ n }), byImages[n], 'Figure 11, values of Table 2'),
}));
const [few, many] = [rows[0]!, rows.at(-1)!];

export const figure11: TableDefinition = {
  name: 'figure11',
  title: 'test accuracy against training images, single task and dMTL, S:N = 1:29',
  source: 'Figure 11 and its text',
  matrix: {
    corner: 'training images',
    columns: [accuracyColumn('single task'), accuracyColumn('dMTL')],
    rows: rows.map(({ name, single, multi }) => [name, single, multi]),
  },
  claims: [
    ...rows.map(({ name, single, multi }) => above(`dMTL is above single task at ${name}`, multi, single)),
    above('at N = 3500 the gain is above 0.20', few.multi, few.single, 0.2),
    claim('the gain of dMTL is larger at N = 3500 than at N = 5000', [
      effect('gain at 3500 - gain at 5000', [few.multi, few.single, many.multi, many.single], 'above', 0, (value) => {
        const gain = ({ single, multi }: typeof few): number => value(multi) - value(single);
        return gain(few) - gain(many);
      }),
    ]),
  ],
  notes: [
    'The values of dMTL are those of Table 2, whose entry for N = 3500 contradicts Table 3 (see there). Of the single-task line ' +
      'only the value at N = 3500 is given.',
  ],
  plot: { x: 'training images', y: 'test accuracy' },
};
