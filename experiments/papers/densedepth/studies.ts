// What the report tried and gives in words, and controls: fine-tuning, filters, learning rates, weights of the loss, splits and
// augmentation.
import { above, beside, claim, column, difference, effect, rowsOf } from '../../runner/definition.ts';
import type { Cell, TableDefinition } from '../../runner/paper.ts';
import { metric, plain, plains, runOf } from './cells.ts';
import type { Change, RunName } from './settings.ts';

const tuned = { network: 'densenet', protocol: 'fine-tuning' } as const;
const moments = [
  ['before', 'before'],
  ['after the first epoch of it', 'fine-tuned'],
  ['after the last', 'last'],
] as const;
const tunedScores = ['loss', 'mae', 'ssim', 'accuracy'] as const;
const atMoment = (moment: string, score: string): Cell => metric(tuned, `${moment} validation ${score}`);

export const fineTuning: TableDefinition = {
  name: 'fine-tuning',
  title: 'the upper layers of DenseNet169 unfrozen (from layer 170 on)',
  besides: [
    beside(
      'validation pictures, one split throughout',
      'when',
      plains(tunedScores),
      rowsOf(moments, tunedScores, atMoment),
    ),
  ],
  claims: [
    claim('unfreezing does not help', [difference(atMoment('last', 'mae'), atMoment('before', 'mae'))], 'text'),
    claim('it does', [difference(atMoment('before', 'mae'), atMoment('last', 'mae'))], 'saved history'),
  ],
  notes: [
    'Two published numbers contradict each other, and neither is a target: the text says that 50 more epochs were "only able to reach 0.37 m"; ' +
      'in the saved history the validation MAE falls from 0.2975 m after the first of them to 0.2432 m at best (0.330 m before), with SSIM ' +
      '0.7869, validation loss 0.2788 and accuracy 0.9972. The history began in a new process with another random split, so that it ' +
      'validated on pictures it had trained on.',
  ],
  curves: ['train mae', 'validation mae'].map((curve) => ({ run: runOf(tuned), curve, label: curve })),
};

const changed = (protocol: 'short' | 'control', change: Change): RunName => ({
  network: 'densenet',
  protocol,
  ...change,
});

const filterCounts = [16, 32, 52, 64, 128] as const;
const filterRun = (filters: number): RunName => changed('short', { filters });
const filterLoss = (filters: number): Cell => metric(filterRun(filters), 'validation loss');

export const filters: TableDefinition = {
  name: 'filters',
  title: 'number of filters n of the decoder',
  besides: [
    beside(
      'by n, after the same number of updates',
      'n',
      [plain('validation loss', 'lower'), plain('validation MAE', 'lower'), plain('test loss', 'lower')],
      filterCounts.map((n) => {
        const run = filterRun(n);
        return [String(n), filterLoss(n), metric(run, 'validation mae'), metric(run, 'test loss')] as const;
      }),
    ),
  ],
  claims: [
    claim(
      '52 is best',
      filterCounts.filter((n) => n !== 52).map((n) => difference(filterLoss(n), filterLoss(52))),
      'text',
    ),
  ],
  notes: [
    'Criterion: the validation loss after the same number of updates. Below paper size n is scaled with the filters of the preset. n = 52 ' +
      'follows from the rule of the notebooks, channels / 2 / 16, for DenseNet169.',
  ],
};

const rates = [1e-1, 1e-2, 1e-3, 1e-4, 1e-5] as const;
const rateRows = [
  ...rates.map((rate) => [`1e${Math.round(Math.log10(rate))}`, { rate }] as const),
  ...([1e-3, 1e-4] as const).map(
    (rate) => [`1e${Math.round(Math.log10(rate))}, decaying`, { rate, decaying: true }] as const,
  ),
].map(([name, change]) => ({ name, run: changed('short', change) }));
const fellAt = (rate: number): Cell => metric(changed('short', { rate }), 'fell');

export const learningRates: TableDefinition = {
  name: 'rates',
  title: 'learning rates from 0.1 to 1e-5, and decaying ones',
  besides: [
    beside(
      'training loss by rate of the paper',
      'rate',
      [
        plain('first epoch'),
        plain('last epoch', 'lower'),
        plain('best validation loss', 'lower'),
        column('seeds in which it falls', 2),
      ],
      rateRows.map(({ name, run }) => {
        const names = ['first train loss', 'last train loss', 'validation loss', 'fell'];
        return [name, ...names.map((each) => metric(run, each))] as const;
      }),
    ),
  ],
  claims: [
    claim(
      '1e-4 is the largest rate that does not overshoot',
      [
        effect('share of seeds at 1e-4', [fellAt(1e-4)], 'above', 0.99, (value) => value(fellAt(1e-4))),
        ...rates
          .filter((rate) => rate > 1e-4)
          .map((rate) =>
            effect(`share of seeds at ${rate}`, [fellAt(rate)], 'below', 0.99, (value) => value(fellAt(rate))),
          ),
      ],
      'text',
    ),
  ],
  notes: [
    'Criterion: the largest rate with which the loss of the last epoch is below that of the first in all seeds. Below paper size all rates ' +
      'are multiplied alike: 1e-4 stands for the rate of the preset. A loss above 100, or that is no number, is shown as 100.',
  ],
  conclusion(value) {
    const falling = rates.filter((rate) => value(fellAt(rate)) === 1);
    return falling.length > 0
      ? `The largest rate whose loss falls in all seeds is ${Math.max(...falling)} of the paper's scale.`
      : 'No rate makes the loss fall in all seeds.';
  },
};

const weightings = [
  ['0.85, 0.9, 0.1 (the notebooks)', changed('control', {})],
  ['1, 1, 1 (the report, Equation 1)', changed('control', { weights: [1, 1, 1] })],
  ['1, 1, 0.1 (DenseDepth and an early notebook)', changed('control', { weights: [1, 1, 0.1] })],
  ['0.85, 0.9, 0.1, measured pixels alone', changed('control', { maskInvalid: true })],
] as const;
const judged = ['test mae', 'test maeValid', 'test ssim', 'test accuracy'] as const;

export const lossWeights: TableDefinition = {
  name: 'loss-weights',
  title: 'weights of the terms of the depth loss; pixels without a measurement',
  besides: [
    beside('control: one thing changed at a time', 'weights', plains(judged), rowsOf(weightings, judged, metric)),
  ],
  notes: [
    'The report prints 1, 1, 1; the notebooks, whose numbers it shows, have 0.85, 0.9, 0.1. Losses of different weights cannot be compared, ' +
      'so their scores are. As published a pixel without a measurement is a target of 0 m; the last row leaves such pixels out of the loss.',
  ],
};

const splits = [
  ['by scan, random flips and swaps', changed('control', {})],
  ['by scan, appended copies', changed('control', { copies: true })],
  ['by picture, appended copies (leaky)', changed('control', { copies: true, leakySplit: true })],
] as const;
const splitScores = [
  'validation loss',
  'validation mae',
  'validation accuracy',
  'test loss',
  'test mae',
  'test accuracy',
] as const;
const [, [, byScan], [, leaky]] = splits;

export const split: TableDefinition = {
  name: 'split',
  title: 'validation cut by scan or by picture; augmentation by chance or copies',
  besides: [
    beside(
      'control: one thing changed at a time',
      'split and augmentation',
      plains(splitScores),
      rowsOf(splits, splitScores, metric),
    ),
  ],
  claims: [
    above(
      'cut by picture the validation loss is lower, the test pictures being the same',
      metric(byScan, 'validation loss'),
      metric(leaky, 'validation loss'),
    ),
  ],
  notes: [
    'The authors appended flipped and swapped copies, shuffled everything without a fixed seed and cut off a tenth: copies and neighbouring ' +
      'frames of a video lie on both sides. The report names random flips (0.5) and swaps of red and green (0.25) instead. Generated scans ' +
      'have one frame each, so that of this preset only copies leak.',
  ],
};
