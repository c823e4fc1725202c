// The parameter column of table 1: always at the paper's size, whatever the preset. Its run trains nothing.
import { cell } from '../../runner/definition.ts';
import type { Run, RunResult, TableDefinition } from '../../runner/paper.ts';
import { buildPaperNetworks } from './networks.ts';
import { distinctParameters, publishedParameters } from './parameter-count.ts';
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

const format = (value: number): string => value.toLocaleString('en');

export const parameterTable: TableDefinition = {
  name: 'parameters',
  title: 'parameters of table 1, at the size of the paper',
  source: 'Table 1',
  matrix: {
    corner: 'model',
    columns: [{ name: 'parameters', format, tolerance: { of: () => 0, source: 'a count: to the last digit' } }],
    rows: networkNames.map((network) => [rowNames[network], cell(counting, network, published[network])]),
  },
  besides: [
    {
      title: 'control: each parameter counted once',
      corner: 'model',
      columns: [{ name: 'parameters', format }],
      rows: networkNames.map((network) => [rowNames[network], cell(counting, `${network}, distinct`)]),
    },
  ],
  notes: [
    'The published numbers come from a tool that walks layers: it leaves out the stitch matrices, counts the shared stem once for ' +
      'each registration and call, and the last convolution twice. OEQ leaves out the auxiliary network (10,296,886).',
  ],
};
