// Table 1: five networks after the last epoch, as published; without the sigmoid before the cross-entropy; with a bias besides.
import { above, cell, claim, effect, matrix, rowsOf } from '../../runner/definition.ts';
import type { PetCohort } from '../../data/pets.ts';
import type { Cell, Claim, Matrix, TableDefinition } from '../../runner/paper.ts';
import { cohorts, columnOf, type Metric, metrics, named, runOf } from './cells.ts';
import { type NetworkName, networkNames, networkTasks, type Variant } from './settings.ts';
import { metricName } from './training.ts';

/** Train, validation, test. */
type Three = readonly [number, number, number];
const published: Readonly<Record<NetworkName, Readonly<Partial<Record<Metric, Three>>>>> = {
  baseline: { miou: [0.97, 0.804, 0.813] },
  binary: { miou: [0.971, 0.811, 0.816], accuracy: [0.989, 0.864, 0.891] },
  box: { miou: [0.961, 0.804, 0.809], boxIou: [0.804, 0.651, 0.662] },
  mtl: { miou: [0.966, 0.799, 0.812], boxIou: [0.808, 0.682, 0.759], accuracy: [0.972, 0.915, 0.916] },
  oeq: { miou: [0.971, 0.788, 0.791], boxIou: [0.75, 0.688, 0.693], accuracy: [0.957, 0.883, 0.874] },
};
const misprint = 'the published 0.759 is the mean of the last ten test images, see table last-batch';

const places = metrics.flatMap((metric) => cohorts.map((cohort, i) => ({ metric, cohort, i })));
const columns = places.map(({ metric, cohort }) => columnOf(metric, cohort));

/** The rows of all networks: with the published numbers as published, without them for a variant. */
function matrixFor(variant?: Variant): Matrix {
  const rows = rowsOf(named(networkNames), places, (network, { metric, cohort, i }) => {
    const numbers = published[network][metric];
    if (!numbers) return null;
    const note = network === 'mtl' && metric === 'boxIou' && cohort === 'test' && !variant ? { note: misprint } : {};
    return cell(runOf(network, variant), metricName(cohort, metric), variant ? null : numbers[i], note);
  });
  return matrix('model', columns, rows);
}

const WITHIN = 0.03;

/** What the paper says of its table, about the rows given. */
function claimsAbout({ rows }: Matrix): Claim[] {
  const at = (network: NetworkName, metric: Metric, cohort: PetCohort): Cell => {
    const [, ...cells] = rows[networkNames.indexOf(network)]!;
    return cells[places.findIndex((place) => place.metric === metric && place.cohort === cohort)]!;
  };
  const test = (network: NetworkName, metric: Metric): Cell => at(network, metric, 'test');
  const order = (text: string, metric: Metric, lower: NetworkName, higher: NetworkName): Claim =>
    above(text, test(higher, metric), test(lower, metric));
  const overfitted = (network: NetworkName) => [at(network, 'miou', 'train'), test(network, 'miou')] as const;
  const segmentation = networkNames.map((network) => test(network, 'miou'));
  return [
    claim(`no auxiliary task changes segmentation: all rows lie within ${WITHIN} on the test set`, [
      effect('highest - lowest', segmentation, 'below', WITHIN, (value) => {
        const all = segmentation.map(value);
        return Math.max(...all) - Math.min(...all);
      }),
    ]),
    order('the binary auxiliary helps segmentation slightly', 'miou', 'baseline', 'binary'),
    order('the box auxiliary hurts it slightly', 'miou', 'box', 'baseline'),
    order('OEQ does not help segmentation', 'miou', 'oeq', 'baseline'),
    claim('OEQ overfits: from training to test its segmentation loses more than that of the baseline', [
      effect(
        'loss of OEQ - loss of the baseline',
        [...overfitted('oeq'), ...overfitted('baseline')],
        'above',
        0,
        (value) => {
          const loss = (network: NetworkName): number => {
            const [train, tested] = overfitted(network);
            return value(train) - value(tested);
          };
          return loss('oeq') - loss('baseline');
        },
      ),
    ]),
    order("MTL's box IoU is above that of the ablation", 'boxIou', 'box', 'mtl'),
    order("MTL's accuracy is above that of the ablation", 'accuracy', 'binary', 'mtl'),
  ];
}

const notes = [
  'Validation and test with the statistics of each batch in batch norm, as the authors evaluated; table protocols has the running ' +
    'statistics. Train columns are running means over the last epoch, while the weights change. Averages run over images.',
  'The published 0.759 (MTL, box IoU, test) is the mean of the last ten test images, not of the test set: see table last-batch. ' +
    'The value of the whole set is to be expected near the validation value, 0.68.',
  'The segmentation column of the paper spans 0.025 from one seed each: less than seeds may differ by.',
];
const collapse =
  'Runs can end with background everywhere. The last convolution sees three channels that have passed a relu, and has no bias: ' +
  'where no channel has weights that speak for the pet, the best that training finds is all channels at zero, two equal scores. ' +
  'Table protocols counts such runs and the channels that spoke for the pet at the start; with-bias has the cure.';

const asPublished = matrixFor();

export const table1: TableDefinition = {
  name: 'table1',
  title: 'five networks: segmentation, head box, cat or dog; as published',
  source: 'Table 1 and its text',
  matrix: asPublished,
  claims: claimsAbout(asPublished),
  notes: [
    ...notes,
    'The scores of the mask pass a sigmoid and then the softmax of the loss, so that the loss cannot fall below 0.313 and loses ' +
      'its gradient once the sigmoid saturates.',
    collapse,
  ],
};

/** The networks of table 1 with one setting changed: no published numbers, the same claims. */
function variantTable(name: string, title: string, variant: Variant, more: string): TableDefinition {
  const control = matrixFor(variant);
  const besides = [{ title: `control: ${variant}`, ...control }];
  return { name, title, besides, claims: claimsAbout(control), notes: [...notes, more] };
}

export const table1WithoutSigmoid = variantTable(
  'no-sigmoid',
  'the networks of table 1 without the sigmoid before the cross-entropy',
  'no sigmoid',
  collapse,
);

export const table1WithBias = variantTable(
  'with-bias',
  'the same without that sigmoid, with a bias in the last convolution',
  'no sigmoid and a bias',
  'OEQ has that bias in the paper too: for it only the sigmoid is left out.',
);

export const table1BiasAlone = variantTable(
  'sigmoid-and-bias',
  'the networks of table 1 as published, with a bias in the last convolution',
  'a bias',
  'The sigmoid is kept: whether the bias alone keeps runs from collapsing. OEQ has that bias in the paper too.',
);

/** Whether a network has the task of a metric. */
export const hasMetric = (network: NetworkName, metric: string): boolean =>
  (metric !== 'boxIou' || networkTasks[network].includes('box')) &&
  (metric !== 'accuracy' || networkTasks[network].includes('binary'));
