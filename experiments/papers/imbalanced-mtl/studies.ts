// What the paper leaves open or says in words, one thing changed at a time: the threshold of pseudo-labels, the head of a single task,
// updates or epochs, which pictures the teacher sees; and condition 2 on rooms in which classes do not tell depth.
import { above, beside, cell, column, rowsOf } from '../../runner/definition.ts';
import type { TableDefinition } from '../../runner/paper.ts';
import { metricOf, pseudoMatrix, runOf, scored } from './cells.ts';
import type { RunName } from './settings.ts';
import { claimsAbout, conditionClaims, rowNotes, rowsFor } from './table4.ts';

const nyud = { data: 'nyud' } as const;
const student = { ...nyud, row: 'UMMT-PS' } as const;

const USED_TAU = 0.9;
const thresholds = ([0, 0.5, USED_TAU, 0.97] as const).map((tau): readonly [string, RunName] => [
  `tau ${tau}`,
  tau === USED_TAU ? student : { ...student, tau },
]);

export const tau: TableDefinition = {
  name: 'tau',
  title: 'the threshold above which a pseudo-label is believed',
  ...nyud,
  besides: [
    scored(
      Object.fromEntries(thresholds.map(([name, run]) => [name, { run }])),
      [1, 3, 3],
      'control: UMMT-PS by threshold',
    ).matrix,
    pseudoMatrix(thresholds),
  ],
  notes: ['The paper has tau = 0.9. One teacher for all thresholds of a seed.'],
};

const single = { ...nyud, row: 'UMST-S' } as const;
const heads = scored(
  {
    'UMST-S, fa': { run: single },
    'UMST-S, same': { run: { ...single, head: 'same' } },
    UMMT: { run: { ...nyud, row: 'UMMT' } },
    'UMMT-PS': { run: student },
  },
  [1, 3, 3],
  'control: both heads of the single task',
);

export const headsTable: TableDefinition = {
  name: 'heads',
  title: 'the single task with the head of the official baseline, and with as many layers as UMMT',
  ...nyud,
  besides: [heads.matrix],
  claims: (['UMST-S, fa', 'UMST-S, same'] as const).flatMap((row) =>
    (['UMMT', 'UMMT-PS'] as const).map((other) =>
      above(`${other} is above ${row} in mIoU`, heads.at(other, 'mIoU'), heads.at(row, 'mIoU')),
    ),
  ),
  notes: [
    'The text has "the same architecture ... for all the cases" and "no FA module in ST", which one network cannot both be. fa: backbone and ' +
      'feature aggregation, the official baseline (3.9 M parameters at paper size). same: first predictions at all scales, coarse to fine, ' +
      'aggregated without distillation.',
  ],
};

const byEpochs = scored(rowsFor('nyud', { equal: 'epochs' }), [1, 3, 3], 'control: as many epochs for every row');

export const epochs: TableDefinition = {
  name: 'epochs',
  title: 'the rows of Table 4 with equal epochs instead of equal updates',
  ...nyud,
  besides: [byEpochs.matrix],
  claims: claimsAbout(byEpochs.at),
  notes: [
    ...rowNotes,
    'Rows with twice as many pictures make twice as many updates, as with the toy problem (table2), whose order needs them. Rows on the ' +
      'labelled pictures alone make as many as in Table 4.',
  ],
};

const harder = scored(
  rowsFor('harder', {}, ['UMST-S', 'UMMT', 'UMMT-D', 'MMST', 'MMMT-D', 'MMMT-S', 'UMMT-PS', 'UMMT-PD']),
  [1, 3, 3],
  'control: rooms in which classes do not tell depth',
);

export const condition2: TableDefinition = {
  name: 'condition2',
  title: 'conditions 1 and 2 on generated rooms of the harder kind',
  data: 'harder',
  besides: [harder.matrix, pseudoMatrix([['UMMT-PS', { data: 'harder', row: 'UMMT-PS' }]])],
  claims: conditionClaims(harder.at),
  notes: [
    ...rowNotes,
    'The paper finds that depth as an input helps segmentation and segmentation does not help depth. In the easy rooms of table4 (where no real ' +
      'data are given) the sizes of things are fixed, so that classes tell depth and help goes both ways. Here sizes vary over a factor of two ' +
      'and the focal length is drawn too. These rooms are generated whatever the preset.',
    'That they are what they are made for, a probe of the tests holds: a small network that sees the classes alone predicts depth with more ' +
      'than 0.8 of the rmse of the best constant here (in easy rooms less than 0.6), one that sees depth alone gets more than 75 % of the ' +
      'pixels right (always wall: less than 55 %).',
  ],
};

const choice = ([name, run]: readonly [string, RunName]) => [name, run] as const;
const choices = [
  choice(['MMMT-D', { ...nyud, row: 'MMMT-D' }]),
  choice(['MMMT-D on all depths', { ...nyud, row: 'MMMT-D, all depths' }]),
  choice(['UMMT', { ...nyud, row: 'UMMT' }]),
  choice(['UMMT, losses of a scale at its own resolution', { ...nyud, row: 'UMMT', supervision: 'own' }]),
  choice(['UMMT, FPM pairs the same channel of both tasks', { ...nyud, row: 'UMMT', pairing: 'aligned' }]),
];
const choiceMetrics = [metricOf.mIoU, metricOf.rmse, metricOf.logrmse, 'pictures'] as const;

export const choicesTable: TableDefinition = {
  name: 'choices',
  title: 'what choices of the protocol change, one at a time',
  ...nyud,
  besides: [
    beside(
      'control: one choice made otherwise',
      'network',
      [column('mIoU', 1, 'higher'), column('rmse', 3, 'lower'), column('logrmse', 3, 'lower'), column('A', 0)],
      rowsOf(choices, choiceMetrics, (run, metric) => cell(runOf(run), metric)),
    ),
  ],
  notes: [
    'Table 4 gives the teacher 500 pictures, the text the 250 with both labels: on all depths it sees those too, without a loss of S. The ' +
      'losses of the first predictions are taken at full size, as in the official code; the mask of FPM pairs neighbouring channels of the ' +
      'joined tasks there, which is kept too.',
  ],
};
