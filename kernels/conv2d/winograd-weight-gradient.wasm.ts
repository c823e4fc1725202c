// Plans of the weight gradient of 3x3 convolutions of stride 1 by Winograd's F(3x3, 4x4), see
// winograd-weight-gradient.as.ts. The splits of the sum depend on shapes alone. Pure arithmetic.
import { planWords } from '../params.ts';
import type { WasmPlan } from '../plan.ts';
import { type Geometry, TASK_WORK } from './correlation.wasm.ts';
import { sumPhase } from './weight-gradient.wasm.ts';
import {
  isPlain3x3,
  isPreferred,
  oddLines,
  PANEL,
  planTiles,
  PRODUCTS,
  sourcePlane,
  tileCount,
} from './winograd.wasm.ts';
import { Plane, WeightRepeat, WinogradGradientPlan } from './winograd-plan.wasm.ts';

/** Tiles that are transformed at once: enough to pay for reading the sums, few enough that both sides stay in the cache. */
const BLOCK_TILES = 48;
/** Channels of a task, at most: sums and transformed tiles should stay in the second-level cache. */
const TASK_OUTPUTS = 64;
const TASK_CHANNELS = 128;
const SPLITS = 8;
/** Outputs below which sums have too few terms for the guard of winograd-weight-guard.as.ts, which would refuse most of them. */
const LEAST_OUTPUTS = 256;
const TAPS = 9;
/** Input channels of a task that repeats them. */
const REPEAT_CHANNELS = 4;
/** Outputs from which on the magnitudes of so many of four vectors of x and of g suffice for a bound of the number of elements that count. */
const COUNTED_VECTORS: readonly (readonly [outputs: number, sourceVectors: number, gradientVectors: number])[] = [
  [12_000, 1, 2],
  [3000, 2, 2],
  [750, 2, 4],
  [0, 4, 4],
];
/** Measured times in those of one multiply-add: of a tile per channel and per output, of a weight at the end of a split. */
const TILE_WORK = 200;
const WEIGHT_WORK = 300;
const GAIN = 1.1;

const splitsOf = (g: Geometry): number => {
  const blocks = Math.ceil(tileCount(g) / BLOCK_TILES);
  // A power of two divides well among threads.
  return Math.max(1, Math.min(SPLITS, 2 ** Math.round(Math.log2(blocks / 2))));
};

/** Vectors of four, see COUNTED_VECTORS. */
function countedVectors(g: Geometry): readonly [number, number] {
  const outputs = g.batch * g.axes[0].size * g.axes[1].size;
  const [, sourceVectors, gradientVectors] = COUNTED_VECTORS.find(([least]) => outputs >= least)!;
  return [sourceVectors, gradientVectors];
}

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

export function planWinogradGradient(g: Geometry, threads: number): WasmPlan {
  const [rows, columns] = g.axes;
  const [sourceH, sourceW] = g.source;
  const [outH, outW] = [rows.size, columns.size];
  const tiling = planTiles(g, BLOCK_TILES, Math.max(g.channels, g.rows));
  const splits = Math.min(tiling.units, splitsOf(g));
  const { outputs, channels } = taskBlock(g, splits, threads);
  const blocks = Math.ceil(g.rows / outputs) * Math.ceil(g.channels / channels);
  const blockUnits = Math.max(
    1,
    Math.min(Math.ceil(tiling.units / splits), Math.floor(BLOCK_TILES / tiling.segmentTiles)),
  );
  const tiles = blockUnits * tiling.segmentTiles;

  const sumStride = oddLines(4 * PANEL * Math.ceil(channels / PANEL) * outputs);
  const valueStride = oddLines(4 * (tiles * channels + PANEL));
  const gradientStride = oddLines(4 * tiles * outputs);
  // The last transform works at the start of the scratch, and the sums of a panel stand there.
  const sumsAt = Math.max(1024, 4 * PANEL * outputs);
  const valuesAt = sumsAt + PRODUCTS * sumStride;
  const gradientsAt = valuesAt + PRODUCTS * valueStride;
  const patchAt = gradientsAt + PRODUCTS * gradientStride;
  const end = patchAt + tiling.patchBytes + tiling.linesBytes;
  const magnitudesAt = 64 * Math.ceil((4 * splits * TAPS * g.rows * g.channels + 64) / 64);
  const [sourceVectors, gradientVectors] = countedVectors(g);
  const dilation = rows.tapStep;
  const paddedWords = (outH + 2 * dilation) * (outW + 2 * dilation);
  const repeatBytes = 64 + 16 * TAPS * g.rows + 4 * paddedWords;
  const words = [
    ...tiling.words(patchAt),
    ...sourcePlane(g),
    ...planWords(Plane, { channels: g.rows, height: outH, width: outW, row: 0, column: 0 }),
    ...planWords(WinogradGradientPlan, {
      ...{ channels: g.channels, outputs: g.rows, taskOutputs: outputs, taskChannels: channels, batch: g.batch },
      ...{ units: tiling.units, blockUnits, splits, magnitudesAt, sourceVectors, gradientVectors },
      ...{ sumsAt, sumStride, valuesAt, valueStride, gradientsAt, gradientStride },
    }),
    ...planWords(WeightRepeat, {
      ...{ sourceH, sourceW, outH, outW },
      ...{ padH: -rows.origin, padW: -columns.origin, dilation },
    }),
  ];
  const tasks = splits * blocks;
  const work = PRODUCTS * tiling.units * tiling.segmentTiles * g.channels * g.rows;
  const all = g.channels + g.rows;
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
      { exportName: 'conv2dWinogradElements', tasks: all, grain: Math.ceil(all / threads), constants: words },
      { exportName: 'conv2dWinogradRepeat', tasks: g.channels, grain: REPEAT_CHANNELS, constants: words },
    ],
    sharedScratch: magnitudesAt + 4 * (2 * splits + 1) * all + 64,
    threadScratch: Math.max(end, repeatBytes, 64 + 4 * all),
  };
}
