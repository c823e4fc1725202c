// Figure 7: accuracy against noise, N = 5000, single task and dMTL.
import { ascending, type TableDefinition } from '../../runner/paper.ts';
import { ACCURACY_TOLERANCE, accuracyCell, accuracyText } from './cells.ts';
import { noiseLevels, type NoiseLevel } from './settings.ts';

const levels = Object.keys(noiseLevels) as NoiseLevel[];
/** Those of table 1. */
const published: Readonly<Record<NoiseLevel, number>> = { Inf: 0.967, '1:5': 0.953, '1:19': 0.912, '1:29': 0.851 };

export const figure7: TableDefinition = {
  name: 'figure7',
  title: 'test accuracy against noise, single task and dMTL, N = 5000',
  cells: levels.flatMap((noise) => [
    accuracyCell(noise, 'single task', null, { strategy: 'singleTask', noise, n: 5000 }),
    accuracyCell(noise, 'dMTL', published[noise], { strategy: 'multipleOptimizers', noise, n: 5000 }),
  ]),
  tolerance: ACCURACY_TOLERANCE,
  format: accuracyText,
  claims: levels.map((noise) =>
    ascending(`dMTL is above single task at ${noise}`, [
      [noise, 'single task'],
      [noise, 'dMTL'],
    ]),
  ),
  notes: [
    'The single-task values of the figure are not given in text. The gain is described as about 0.02 at 1:29, which puts single ' +
      'task near 0.83 there; only the sign of the difference is tested.',
  ],
  plot: { x: 'S:N', y: 'test accuracy' },
};
