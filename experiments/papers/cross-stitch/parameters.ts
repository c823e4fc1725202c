// The parameter column of table 1: always at the paper's size, whatever the preset. Its run trains nothing.
import type { Claim, RunResult, TableDefinition } from '../../runner/paper.ts';
import { buildPaperNetworks } from './networks.ts';
import { distinctParameters, publishedParameters } from './parameter-count.ts';
import { modulesOf } from './phases.ts';
import { networkNames, rowNames } from './settings.ts';

/** Key of the run that counts. */
export const COUNTING = 'parameters';

const column = 'parameters';
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

const toTheLastDigit: Claim = {
  text: 'all five counts agree to the last digit',
  cells: networkNames.map((network) => [rowNames[network], column] as const),
  holds: (value) => networkNames.every((network) => value(rowNames[network], column) === published[network]),
};

export const parameterTable: TableDefinition = {
  name: 'parameters',
  title: 'parameters of table 1, at the size of the paper',
  cells: networkNames.flatMap((network) => [
    { row: rowNames[network], column, published: published[network], run: COUNTING, metric: network },
    {
      row: rowNames[network],
      column: 'each counted once',
      published: null,
      run: COUNTING,
      metric: `${network}, distinct`,
    },
  ]),
  claims: [toTheLastDigit],
  tolerance: 0,
  presetIndependent: true,
  format: (value) => value.toLocaleString('en'),
  notes: [
    'The published numbers come from a tool that walks layers: it leaves out the stitch matrices, counts the shared stem once for ' +
      'each registration and call, and the last convolution twice. OEQ leaves out the auxiliary network (10,296,886).',
  ],
};
