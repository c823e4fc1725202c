// Figure 4: the learning rate range test. The loss over 250 updates while the rate grows from 1e-8 to 10.
import { above, claim, column, effect, matrix, rising } from '../../runner/definition.ts';
import type { Cell, TableDefinition } from '../../runner/paper.ts';
import { silog } from './cells.ts';
import { decades, lossName } from './range-test.ts';

const run = { weighting: 'learned', variant: 'range test' } as const;
const cells = decades.map((decade) => silog(run, lossName(decade)));
const rows = decades.map((decade, i) => [`1e${decade}`, cells[i]!] as const);
const at = (decade: (typeof decades)[number]): Cell => cells[decades.indexOf(decade)]!;
const [lowest, low, middle, high, highest] = [at(-7), at(-6), at(-3), at(-1), at(1)];

export const figure4: TableDefinition = {
  name: 'figure4',
  title: 'learning rate range test: loss against rate',
  source: 'Figure 4',
  matrix: matrix('learning rate', [column('smoothed loss', 3, 'lower')], rows),
  claims: [
    // Our reading of "hardly": less than a fifth of what the loss falls by afterwards.
    claim('the loss hardly moves below 1e-6', [
      effect('|1e-6 - 1e-7| - 0.2 (1e-6 - 1e-3)', [lowest, low, middle], 'below', 0, (value) => {
        const moved = Math.abs(value(low) - value(lowest));
        return moved - 0.2 * (value(low) - value(middle));
      }),
    ]),
    above('it falls between 1e-6 and 1e-3', low, middle),
    rising('it no longer decreases above 1e-3', [middle, at(-2), high]),
    claim('it diverges above 1e-1: at 10 it is more than twice that at 0.1', [
      effect('1e1 - 2 (1e-1)', [highest, high], 'above', 0, (value) => value(highest) - 2 * value(high)),
    ]),
  ],
  notes: [
    'The figure has no numbers; its shape is tested. A loss above 100, or that is no number, is shown as 100. Both groups of parameters have the ' +
      'same rate here. The paper chose 1e-4.',
  ],
  plot: { x: 'learning rate', y: 'smoothed loss' },
};
