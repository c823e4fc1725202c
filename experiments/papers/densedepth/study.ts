// Figures 2 and 3, the study of the backbones: what EfficientNetV2B0 and ResNet50 come to in 30 epochs on 300 pictures, as published
// and with the scaling that their weights expect; DenseNet169 and the toy network beside them.
import { beside, claim, difference, effect, matrix, rowsOf } from '../../runner/definition.ts';
import type { Cell, Effect, TableDefinition } from '../../runner/paper.ts';
import { metric, plain, plains, published, readOff, runOf, type Score, scores } from './cells.ts';
import { type NetworkName, rowNames, type RunName } from './settings.ts';

type Backbone = Exclude<NetworkName, 'toy'>;
type Pair = readonly [first: number | null, last: number | null];

/** Read off the plots; precision jumps between 0 and 1. */
const plots: Readonly<Record<'efficientnet' | 'resnet', Readonly<Record<Score, Pair>>>> = {
  efficientnet: {
    loss: [1.65, 1.51],
    classesLoss: [1.17, 1.11],
    depthLoss: [0.48, 0.405],
    mae: [0.69, 0.635],
    ssim: [0.55, 0.62],
    accuracy: [0.34, 0.33],
    precision: [null, null],
    recall: [0.04, 0],
  },
  resnet: {
    loss: [2.14, 1.48],
    classesLoss: [1.55, 1.09],
    depthLoss: [0.59, 0.385],
    mae: [1.03, 0.555],
    ssim: [0.41, 0.645],
    accuracy: [0.3, 0.38],
    precision: [null, null],
    recall: [0.25, 0.01],
  },
};
/** DenseNet169 after the last epoch, from the notebook's output. */
const denseNet: Readonly<Record<Score, number>> = {
  loss: 0.4428,
  classesLoss: 0.1205,
  depthLoss: 0.3224,
  mae: 0.3809,
  ssim: 0.7376,
  accuracy: 0.9523,
  precision: 0.9588,
  recall: 0.9445,
};

const study = (network: NetworkName, native = false): RunName => ({
  network,
  protocol: 'study',
  ...(native ? { native } : {}),
});

const ends = ['first', 'last'] as const;
const endNames = ['first epoch', 'last epoch'];

const curvesOf = (networks: readonly (readonly [RunName, string])[]) =>
  networks.flatMap(([run, label]) =>
    (['classesLoss', 'accuracy', 'mae'] as const).map((score) => ({
      run: runOf(run),
      curve: `train ${score}`,
      label: `${label}, ${score}`,
    })),
  );

const note =
  'Scores of the training pictures, running means over an epoch, as in the report. ln 3 = 1.0986 is the loss of a guess among three classes. ' +
  'Where no probability exceeds 1/2 nothing is predicted: recall is 0, and precision jumps between 0 and 1.';

function studyTable(name: string, source: string, network: 'efficientnet' | 'resnet'): TableDefinition {
  const rows = rowsOf(scores, ends, (score, end) =>
    published(study(network), `${end} train ${score}`, plots[network][score][ends.indexOf(end)] ?? null),
  );
  const native = rowsOf(scores, ends, (score, end) => metric(study(network, true), `${end} train ${score}`));
  return {
    name,
    title: `${rowNames[network]} on the development set, x / 255 and its own scaling`,
    source,
    matrix: matrix('metric', endNames.map(readOff), rows),
    besides: [beside('control: the scaling that its weights expect', 'metric', plains(endNames), native)],
    notes: [note],
    curves: curvesOf([
      [study(network), 'as published'],
      [study(network, true), 'own scaling'],
    ]),
  };
}

export const figure2 = studyTable('figure2', 'Figure 2', 'efficientnet');
export const figure3 = studyTable('figure3', 'Figure 3', 'resnet');

const CHANCE = Math.log(3);
/** Our reading of a plateau: no further below the loss of a guess. */
const PLATEAU = 0.1;
const classesLoss = (network: NetworkName, native = false): Cell =>
  metric(study(network, native), 'last train classesLoss');
const belowChance = (cell: Cell, direction: Effect['direction']): Effect =>
  effect('ln 3 - classes loss', [cell], direction, PLATEAU, (value) => CHANCE - value(cell));
const stuck = ['efficientnet', 'resnet'] as const;

const backboneRows = (['densenet', 'efficientnet', 'resnet'] as const satisfies readonly Backbone[]).flatMap(
  (network) =>
    [false, true].map(
      (native) => [`${rowNames[network]}, ${native ? 'own scaling' : 'as published'}`, study(network, native)] as const,
    ),
);
const columns = [
  ...['loss', 'classesLoss', 'mae', 'ssim', 'accuracy', 'recall'].map((score) => ({
    score: `last train ${score}`,
    name: score,
  })),
  { score: 'test classesLoss', name: 'test classesLoss' },
  { score: 'test accuracy', name: 'test accuracy' },
  { score: 'test mae', name: 'test mae' },
];

export const plateau: TableDefinition = {
  name: 'plateau',
  title: 'why two backbones stood on a plateau: two scalings of the pictures',
  source: 'Figures 2 and 3, and the saved output of the notebook',
  matrix: matrix(
    'metric',
    [plain('DenseNet169, last epoch')],
    scores.map(
      ([name, score]) => [name, published(study('densenet'), `last train ${score}`, denseNet[score])] as const,
    ),
  ),
  besides: [
    beside(
      'last epoch and test pictures',
      'backbone',
      plains(columns.map(({ name }) => name)),
      rowsOf(backboneRows, columns, (run, { score }) => metric(run, score)),
    ),
    beside(
      'control: spread of the pooled features over pictures, by their mean',
      'backbone',
      [plain('spread')],
      backboneRows.map(([name, run]) => [name, metric(run, 'featureSpread')] as const),
    ),
  ],
  claims: [
    claim('DenseNet169 passes the plateau', [belowChance(classesLoss('densenet'), 'above')], 'text'),
    ...stuck.map((network) =>
      claim(
        `${rowNames[network]} stays on it: its classes loss is that of a guess`,
        [belowChance(classesLoss(network), 'below')],
        network === 'resnet' ? 'Figure 3' : 'Figure 2',
      ),
    ),
    claim(
      'DenseNet169 is below both',
      stuck.map((network) => difference(classesLoss(network), classesLoss('densenet'))),
      'text',
    ),
    ...stuck.map((network) =>
      claim(
        `control: with its own scaling ${rowNames[network]} leaves the plateau`,
        [
          belowChance(classesLoss(network, true), 'above'),
          difference(classesLoss(network), classesLoss(network, true)),
        ],
        'a control of ours',
      ),
    ),
  ],
  notes: [
    note,
    'x / 255 reaches the weights of DenseNet169 as a picture of contrast 0.23 around mid-grey. ResNet50 was trained on 0 to 255 less the ' +
      'mean of blue, green and red, and EfficientNetV2B0 divides by 255 itself: to both x / 255 is a picture of contrast 1 / 255, nearly ' +
      'constant. The control gives every backbone the scaling of its weights and changes nothing else.',
  ],
};

const toyRows = [
  ['toy network', study('toy')],
  ['EfficientNetV2B0, as published', study('efficientnet')],
  ['EfficientNetV2B0, own scaling', study('efficientnet', true)],
] as const;
const [toyLoss, publishedLoss] = [study('toy'), study('efficientnet')].map((run) => metric(run, 'last train loss')) as [
  Cell,
  Cell,
];

export const toy: TableDefinition = {
  name: 'toy',
  title: 'a small network of plain convolutions beside EfficientNetV2B0',
  besides: [
    beside(
      'last epoch and test pictures',
      'network',
      plains(columns.map(({ name }) => name)),
      rowsOf(toyRows, columns, (run, { score }) => metric(run, score)),
    ),
  ],
  claims: [claim('the toy network is better than EfficientNetV2B0', [difference(publishedLoss, toyLoss)], 'text')],
  notes: [
    'The report says that a toy fully convolutional network beat EfficientNet, and not how it was made. Ours: four strided convolutions ' +
      'down to a sixteenth, four bilinear steps back, batch norm, no skips, nothing pretrained, trained end to end.',
  ],
  curves: curvesOf(toyRows.map(([name, run]) => [run, name])),
};
