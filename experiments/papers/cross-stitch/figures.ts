// Figure 3 as a panel of pictures, and what the paper describes without drawing: losses over epochs, task weights, stitch matrices.
import type { CellDefinition, TableDefinition } from '../../runner/paper.ts';
import { columnName } from './table1.ts';
import { type NetworkName, networkNames, networkTasks, rowNames, runKey, stitchMatrices } from './settings.ts';
import { metricName } from './training.ts';

const rounded = (value: number): string => value.toFixed(3);
const control = (network: NetworkName, column: string, metric: string): CellDefinition => ({
  row: rowNames[network],
  column,
  published: null,
  run: runKey({ network }),
  metric,
});
const controls = { claims: [], tolerance: 0, format: rounded } as const;

export const figure3: TableDefinition = {
  ...controls,
  name: 'figure3',
  title: 'pictures, true and predicted masks, true and predicted boxes',
  cells: networkNames.map((network) => control(network, columnName('miou', 'test'), metricName('test', 'miou'))),
  notes: [
    'The caption of the figure says "network structure"; its text describes these predictions. Boxes: true green, predicted red.',
  ],
  pictures: networkNames.map((network) => runKey({ network })),
  picturesTogether: true,
};

export const learningCurves: TableDefinition = {
  ...controls,
  name: 'curves',
  title: 'segmentation over epochs: loss in training, mIoU in validation',
  cells: networkNames.map((network) =>
    control(network, columnName('miou', 'validation'), metricName('validation', 'miou')),
  ),
  notes: ['The paper says that the losses flatten near epoch 80 of 150. Of OEQ the second phase is shown.'],
  curves: networkNames.flatMap((network) => [
    { run: runKey({ network }), curve: 'loss segmentation', label: `${rowNames[network]}, loss` },
    {
      run: runKey({ network }),
      curve: metricName('validation', 'miou'),
      label: `${rowNames[network]}, validation mIoU`,
    },
  ]),
};

const weighted = ['binary', 'box', 'mtl'] as const;

export const taskWeights: TableDefinition = {
  ...controls,
  name: 'task-weights',
  title: 'task weights over epochs, by dynamic weight averaging',
  cells: weighted.flatMap((network) =>
    networkTasks[network].map((task) => control(network, `${task}, last epoch`, `final weight ${task}`)),
  ),
  notes: [
    "Priors times a softmax over the ratio of the last two losses, by iteration, as the authors' scripts make them. The first two " +
      'iterations of each epoch have the priors themselves.',
  ],
  curves: weighted.flatMap((network) =>
    networkTasks[network].map((task) => ({
      run: runKey({ network }),
      curve: `weight ${task}`,
      label: `${rowNames[network]}, ${task}`,
    })),
  ),
};

const stitched = weighted.flatMap((network) =>
  networkTasks[network].flatMap((into, i) =>
    networkTasks[network].map((from, j) => ({ network, from, into, i, j, entry: `stitch[${i}][${j}]` })),
  ),
);

export const stitchMatrixTable: TableDefinition = {
  ...controls,
  name: 'stitch',
  title: 'the stitch matrices, over epochs and after the last one',
  cells: stitched.map(({ network, from, into, i, j, entry }) =>
    control(network, `${from} into ${into}, from ${stitchMatrices[network]![i]![j]!}`, `final ${entry}`),
  ),
  notes: [
    'One matrix for all stages, trained at the rate of the other parameters. The column names its starting value.',
  ],
  curves: stitched
    .filter(({ network }) => network === 'mtl')
    .map(({ network, from, into, entry }) => ({
      run: runKey({ network }),
      curve: entry,
      label: `MTL, ${from} into ${into}`,
    })),
};
