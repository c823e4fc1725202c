// WASM plans of batch normalisation: sums over fixed parts of every channel, joined per channel, then one pass over all
// elements. Parts depend on the shape alone, so neither the plan nor the number of threads changes a bit.
import type { PlanTable, WasmPhase, WasmPlan, WasmPlanner } from '../plan.ts';
import {
  batchNormApply,
  batchNormBackward,
  batchNormInference,
  type BatchNormParams,
  batchNormStatistics,
} from './batch-norm.ts';
import { batchNormPartElements, batchNormPartRows } from './codes.ts';

/** Elements worth another thread. */
const grain = 8192;

const partsOf = (p: BatchNormParams): number => Math.ceil((p.batch * p.spatial) / batchNormPartElements);

/** Bytes of two float64 per part. */
const partBytes = (p: BatchNormParams): number => 16 * p.channels * partsOf(p);

function sums(exportParts: string, exportCombine: string, p: BatchNormParams): WasmPhase[] {
  const parts = partsOf(p);
  const partElements = Math.min(p.batch * p.spatial, batchNormPartElements);
  return [
    { exportName: exportParts, tasks: p.channels * parts, grain: Math.ceil(grain / Math.max(1, partElements)) },
    { exportName: exportCombine, tasks: p.channels, grain: Math.ceil(grain / Math.max(1, parts)) },
  ];
}

const elements = (exportName: string, p: BatchNormParams): WasmPhase => ({
  exportName,
  tasks: p.batch * p.channels * p.spatial,
  grain,
});

const rowsPlan =
  (exportName: string): WasmPlanner<BatchNormParams> =>
  (p) => ({ name: 'rows', phases: [elements(exportName, p)] });

/**
 * Whole channels by one export, which finds in the cache what it has read before, if there are enough of them for the threads;
 * else these steps.
 */
const channelsPlan =
  (exportChannels: string, steps: (p: BatchNormParams) => WasmPhase[]): WasmPlanner<BatchNormParams> =>
  (p, { threads }, prefer) => {
    const isWhole = prefer === undefined ? p.channels >= 2 * threads : prefer === 'channels';
    const whole: WasmPhase = {
      exportName: exportChannels,
      tasks: p.channels,
      grain: Math.ceil(grain / Math.max(1, p.batch * p.spatial)),
    };
    return {
      name: isWhole ? 'channels' : 'parts',
      phases: isWhole ? [whole] : steps(p),
      sharedScratch: partBytes(p),
    };
  };

const ofChannels = channelsPlan('batchNormChannels', (p) => sums('batchNormParts', 'batchNormCombine', p));

/** Channels of a tile of neighbours, and the bytes that a thread keeps of one. */
const tileChannels = 16;
const tileBytes = 320;
/** Rows up to this length are turned into columns, where their sums are shared out to the lanes of vectors. */
const shortRow = 64;

const inTiles = (name: string, exportName: string, { channels }: BatchNormParams, length: number): WasmPlan => ({
  name,
  phases: [
    {
      exportName,
      tasks: Math.ceil(channels / tileChannels),
      grain: Math.ceil(grain / Math.max(1, length * tileChannels)),
    },
  ],
  threadScratch: tileBytes + 4 * tileChannels * shortRow,
});

function columnParts(p: BatchNormParams): WasmPlan {
  const parts = Math.ceil(p.batch / batchNormPartRows);
  return {
    name: 'columnParts',
    phases: [
      { exportName: 'batchNormColumnParts', tasks: Math.ceil(p.channels / tileChannels) * parts },
      { exportName: 'batchNormColumnCombine', tasks: p.channels, grain: Math.ceil(grain / parts) },
    ],
    sharedScratch: 16 * p.channels * parts,
    threadScratch: tileBytes,
  };
}

const statisticsPlan: WasmPlanner<BatchNormParams> = (p, facts, prefer) => {
  if (p.channels > 1 && p.spatial === 1) {
    return p.batch > batchNormPartRows ? columnParts(p) : inTiles('columns', 'batchNormColumns', p, p.batch);
  }
  if (p.channels > 1 && p.batch === 1 && p.spatial <= shortRow) {
    return inTiles('shortRows', 'batchNormShortRows', p, p.spatial);
  }
  return ofChannels(p, facts, prefer);
};

const backwardPlan = channelsPlan('batchNormGradientChannels', (p) => [
  ...sums('batchNormGradientParts', 'batchNormGradientCombine', p),
  elements('batchNormGradientApply', p),
]);

export function addBatchNorm(table: PlanTable<WasmPlanner<never>>): void {
  table.add(batchNormStatistics, statisticsPlan, 'channels', 'parts', 'columns', 'columnParts', 'shortRows');
  table.add(batchNormApply, rowsPlan('batchNormApply'), 'rows');
  table.add(batchNormInference, rowsPlan('batchNormInference'), 'rows');
  table.add(batchNormBackward, backwardPlan, 'channels', 'parts');
}
