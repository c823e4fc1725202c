// Plans of the weight gradient of 3x3 convolutions of stride 1 by Winograd's F(3x3, 4x4), see
// winograd-weight-gradient.wasm.ts. The splits of the sum depend on shapes alone. Pure arithmetic.
import type { WasmPlan } from '../plan.ts';
import { type Geometry, TASK_WORK } from './correlation.wasm.ts';
import { sumPhase } from './weight-gradient.wasm.ts';
import { isPlain3x3, isPreferred, oddLines, PANEL, PRODUCTS, tileCount, tileGrid } from './winograd.wasm.ts';

/** Tiles that are transformed at once: enough to pay for reading the sums, few enough that both sides stay in the cache. */
const BLOCK_TILES = 48;
/** Channels of a task, at most: sums and transformed tiles should stay in the second-level cache. */
const TASK_OUTPUTS = 64;
const TASK_CHANNELS = 128;
const SPLITS = 8;
/** Outputs below which sums have too few terms for the guard of winograd-guard.as.ts, which would refuse most of them. */
const LEAST_OUTPUTS = 128;
/** Of a channel, see sumMagnitudes of winograd-guard.as.ts. */
const MAGNITUDE_BYTES = 8;
/** Measured times in those of one multiply-add: of a tile per channel and per output, of a weight at the end of a split. */
const TILE_WORK = 200;
const WEIGHT_WORK = 300;
const GAIN = 1.1;

const splitsOf = (g: Geometry): number => {
  const blocks = Math.ceil(tileCount(g) / BLOCK_TILES);
  // A power of two divides well among threads.
  return Math.max(1, Math.min(SPLITS, 2 ** Math.round(Math.log2(blocks / 2))));
};

/** Whether the gradient is one that Winograd's algorithm computes, and is to: `prefer`red or faster than the plain sum. */
export function isWinogradGradient(g: Geometry, prefer: string | undefined): boolean {
  return isPlain3x3(g) && (isPreferred(prefer) ?? isFaster(g));
}

function isFaster(g: Geometry): boolean {
  const tiles = tileCount(g);
  if (g.batch * g.axes[0].size * g.axes[1].size < LEAST_OUTPUTS) return false;
  const pairs = g.channels * g.rows;
  const [sourceTurns, gradientTurns] = [Math.ceil(g.rows / TASK_OUTPUTS), Math.ceil(g.channels / TASK_CHANNELS)];
  const ends = TILE_WORK * tiles * (sourceTurns * g.channels + gradientTurns * g.rows);
  const work = PRODUCTS * tiles * pairs + ends + WEIGHT_WORK * splitsOf(g) * pairs;
  return GAIN * work < 9 * pairs * g.batch * g.axes[0].size * g.axes[1].size;
}

/** Channels in each of `count` blocks of `size`, in whole vectors or panels. */
const blockOf = (size: number, count: number, multiple: number): number =>
  Math.min(size, multiple * Math.ceil(Math.ceil(size / count) / multiple));

/**
 * Output and input channels of a task: the block with which the threads are done soonest. Blocks change no sum, so that they
 * may depend on the threads. Each transforms its part of the source and of the gradient.
 */
function taskBlock(g: Geometry, splits: number, threads: number): { outputs: number; channels: number } {
  let best = { outputs: 0, channels: 0, work: Infinity };
  const [fewestOutput, fewestChannel] = [Math.ceil(g.rows / TASK_OUTPUTS), Math.ceil(g.channels / TASK_CHANNELS)];
  for (let i = fewestOutput; i < fewestOutput + threads; i++) {
    for (let j = fewestChannel; j < fewestChannel + threads; j++) {
      const [outputs, channels] = [blockOf(g.rows, i, 4), blockOf(g.channels, j, PANEL)];
      const tasks = splits * Math.ceil(g.rows / outputs) * Math.ceil(g.channels / channels);
      const taskWork = PRODUCTS * outputs * channels + TILE_WORK * (outputs + channels);
      const work = Math.ceil(tasks / threads) * taskWork;
      if (work < best.work) best = { outputs, channels, work };
    }
  }
  return best;
}

/** `plain`: the plan `channelsLast`, which repeats a gradient that is refused. */
export function planWinogradGradient(g: Geometry, plain: WasmPlan, threads: number): WasmPlan {
  const [rows, columns] = g.axes;
  const grid = tileGrid(g, BLOCK_TILES, Math.max(g.channels, g.rows));
  const splits = Math.min(grid.units, splitsOf(g));
  const { outputs, channels } = taskBlock(g, splits, threads);
  const blocks = Math.ceil(g.rows / outputs) * Math.ceil(g.channels / channels);
  const blockUnits = Math.max(1, Math.min(Math.ceil(grid.units / splits), Math.floor(BLOCK_TILES / grid.segmentTiles)));
  const tiles = blockUnits * grid.segmentTiles;

  const sumStride = oddLines(4 * PANEL * Math.ceil(channels / PANEL) * outputs);
  const valueStride = oddLines(4 * (tiles * channels + PANEL));
  const gradientStride = oddLines(4 * tiles * outputs);
  // The last transform works at the start of the scratch, and the sums of a panel stand there.
  const sumsAt = Math.max(1024, 4 * PANEL * outputs);
  const valuesAt = sumsAt + PRODUCTS * sumStride;
  const gradientsAt = valuesAt + PRODUCTS * valueStride;
  const patchAt = gradientsAt + PRODUCTS * gradientStride;
  const end = patchAt + grid.patchBytes + grid.linesBytes;
  const count = 9 * g.rows * g.channels;
  const magnitudesAt = 64 * Math.ceil(Math.max(4 * splits * count + 64, plain.sharedScratch ?? 0) / 64);
  const words = [
    ...grid.words(patchAt),
    ...[g.channels, ...g.source, rows.origin, columns.origin],
    ...[g.rows, rows.size, columns.size, 0, 0],
    ...[g.channels, g.rows, outputs, channels, grid.units, blockUnits, splits],
    ...[magnitudesAt, sumsAt, sumStride, valuesAt, valueStride, gradientsAt, gradientStride, g.batch],
  ];
  const tasks = splits * blocks;
  const work = PRODUCTS * grid.units * grid.segmentTiles * g.channels * g.rows;
  const repeats = ['conv2dWinogradRepeat', 'conv2dWinogradRepeatSum'];
  return {
    name: 'winograd',
    phases: [
      {
        exportName: 'conv2dWinogradWeights',
        tasks,
        grain: Math.max(1, Math.floor((TASK_WORK * tasks) / work)),
        constants: words,
      },
      ...(splits > 1 ? [sumPhase(g, splits)] : []),
      ...plain.phases.map(({ tasks, grain, constants = [] }, i) => ({
        exportName: repeats[i]!,
        tasks,
        grain,
        constants: [...words, ...constants],
      })),
    ],
    sharedScratch: magnitudesAt + MAGNITUDE_BYTES * splits * (g.channels + g.rows),
    threadScratch: Math.max(end, plain.threadScratch ?? 0),
  };
}
