// The parameter column of table 1: always at the paper's size, whatever the preset. Its run trains nothing. The authors' summary tool
// walks layers: it does not see bare parameters, and counts a module once for each time it is registered and called (section 3.6).
import { beside, cell, matrix } from '../../runner/definition.ts';
import type { Run, RunResult, TableDefinition } from '../../runner/paper.ts';
import { buildPaperNetworks, type PetNetworks } from './networks.ts';
import { modulesOf } from './phases.ts';
import { networkNames, rowNames, type TrainingSettings } from './settings.ts';

/** Settings of the run that counts. */
export interface Counting {
  readonly counts: 'the networks of the paper';
}

const counting: Run<Counting> = {
  key: 'parameters',
  settings: () => ({ counts: 'the networks of the paper' }),
  exact: true,
};

export const isCounting = (settings: TrainingSettings | Counting): settings is Counting =>
  typeof settings.counts === 'string';

const published = {
  baseline: 18_882_133,
  binary: 24_029_967,
  box: 24_030_129,
  mtl: 29_178_891,
  oeq: 46_271_473,
} as const;

/** Learnable values, each counted once. OEQ: of the segmentation network alone, as in the paper. */
export const distinctParameters = (networks: PetNetworks): number =>
  (networks.kind === 'joint' ? networks.network : networks.funnel).parameterCount();

/** What the summary tool of the paper prints for a network with one stitch matrix for all stages. */
export function publishedParameters(networks: PetNetworks): number {
  const distinct = distinctParameters(networks);
  if (networks.kind === 'sequential') {
    const { stitch1, stitch2, mix } = networks.funnel;
    return distinct - stitch1.alpha.size - stitch2.alpha.size - mix.size;
  }
  const { tasks, stem, stitches, segmentation } = networks.network;
  // The stem is an attribute and the first entry of every branch, and is called for every branch.
  const extraStems = (tasks.length + 1) * tasks.length - 1;
  // The last convolution is an attribute and the end of the decoder, and is called once.
  const extra = extraStems * stem.parameterCount() + segmentation.conv.parameterCount();
  return distinct - (stitches?.parameterCount() ?? 0) + extra;
}

/** Builds each network and counts; released one by one. */
export function countParameters(): RunResult {
  const metrics: Record<string, number> = {};
  for (const network of networkNames) {
    const networks = buildPaperNetworks(network);
    metrics[network] = publishedParameters(networks);
    metrics[`${network}, distinct`] = distinctParameters(networks);
    Object.values(modulesOf(networks)).forEach((module) => module.dispose());
  }
  return { metrics };
}

const counts = { name: 'parameters', format: (value: number): string => value.toLocaleString('en') };
const rows = networkNames.map((network) => [rowNames[network], cell(counting, network, published[network])] as const);
const distinct = networkNames.map((network) => [rowNames[network], cell(counting, `${network}, distinct`)] as const);

export const parameterTable: TableDefinition = {
  name: 'parameters',
  title: 'parameters of table 1, at the size of the paper',
  source: 'Table 1',
  matrix: matrix('model', [{ ...counts, tolerance: { of: () => 0, source: 'a count: to the last digit' } }], rows),
  besides: [beside('control: each parameter counted once', 'model', [counts], distinct)],
  notes: [
    'The published numbers come from a tool that walks layers: it leaves out the stitch matrices, counts the shared stem once for ' +
      'each registration and call, and the last convolution twice. OEQ leaves out the auxiliary network (10,296,886).',
  ],
};
