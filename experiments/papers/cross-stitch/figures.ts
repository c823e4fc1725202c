// Figure 3 as a panel of pictures, and what the paper describes without drawing: losses over epochs, task weights, stitch matrices.
import { beside, rowsOf } from '../../runner/definition.ts';
import type { Matrix, TableDefinition } from '../../runner/paper.ts';
import { columnOf, control, named, plain, rowName, runOf } from './cells.ts';
import { networkNames, networkTasks, stitchMatrices } from './settings.ts';
import { metricName } from './training.ts';

/** The mIoU of a cohort by network: what the pictures or curves end at. */
const segmentation = (title: string, cohort: 'validation' | 'test'): Matrix => {
  const rows = rowsOf(named(networkNames), [cohort], (network) => control(network, metricName(cohort, 'miou')));
  return beside(title, 'model', [columnOf('miou', cohort)], rows);
};

export const figure3: TableDefinition = {
  name: 'figure3',
  title: 'pictures, true and predicted masks, true and predicted boxes',
  source: 'Figure 3',
  besides: [segmentation('segmentation of the networks whose pictures these are', 'test')],
  notes: [
    'The caption of the figure says "network structure"; its text describes these predictions. Boxes: true green, predicted red.',
  ],
  pictures: networkNames.map((network) => runOf(network)),
  picturesTogether: true,
};

export const learningCurves: TableDefinition = {
  name: 'curves',
  title: 'segmentation over epochs: loss in training, mIoU in validation',
  besides: [segmentation('segmentation after the last epoch', 'validation')],
  notes: ['The paper says that the losses flatten near epoch 80 of 150. Of OEQ the second phase is shown.'],
  curves: networkNames.flatMap((network) => [
    { run: runOf(network), curve: 'loss segmentation', label: `${rowName(network)}, loss` },
    { run: runOf(network), curve: metricName('validation', 'miou'), label: `${rowName(network)}, validation mIoU` },
  ]),
};

const weighted = ['binary', 'box', 'mtl'] as const;
const tasks = ['binary', 'box', 'segmentation'] as const;

const weightRows = rowsOf(named(weighted), tasks, (network, task) =>
  networkTasks[network].includes(task) ? control(network, `final weight ${task}`) : null,
);

export const taskWeights: TableDefinition = {
  name: 'task-weights',
  title: 'task weights over epochs, by dynamic weight averaging',
  besides: [beside('task weights of the last epoch', 'model', tasks.map(plain), weightRows)],
  notes: [
    "Priors times a softmax over the ratio of the last two losses, by iteration, as the authors' scripts make them. The first two " +
      'iterations of each epoch have the priors themselves.',
  ],
  curves: weighted.flatMap((network) =>
    networkTasks[network].map((task) => ({
      run: runOf(network),
      curve: `weight ${task}`,
      label: `${rowName(network)}, ${task}`,
    })),
  ),
};

const entry = (i: number, j: number): string => `stitch[${i}][${j}]`;

export const stitchMatrixTable: TableDefinition = {
  name: 'stitch',
  title: 'the stitch matrices, over epochs and after the last one',
  besides: weighted.map((network) => {
    const own = networkTasks[network];
    const rows = own.map((into, i) => {
      const start = stitchMatrices[network]![i]!.join(', ');
      return [`${into} (from ${start})`, ...own.map((_, j) => control(network, `final ${entry(i, j)}`))] as const;
    });
    const columns = own.map((from) => plain(`from ${from}`));
    return beside(`stitch matrix of ${rowName(network)}: from the column into the row`, 'into', columns, rows);
  }),
  notes: [
    'One matrix for all stages, trained at the rate of the other parameters. Each row names its starting values.',
  ],
  curves: networkTasks.mtl.flatMap((into, i) =>
    networkTasks.mtl.map((from, j) => ({ run: runOf('mtl'), curve: entry(i, j), label: `MTL, ${from} into ${into}` })),
  ),
};
