// Plans of the weight gradient of 3x3 convolutions of stride 1 by Winograd's F(3x3, 4x4), see
// winograd-weight-gradient.as.ts. The splits of the sum depend on shapes alone. Pure arithmetic.
import { planWords } from '../params.ts';
import type { WasmPlan } from '../plan.ts';
import { type Geometry, TASK_WORK } from './correlation.wasm.ts';
import { PANEL } from './correlation-plan.wasm.ts';
import { plainWeightProducts, sumPhase } from './weight-gradient.wasm.ts';
import { isPlain3x3, isPreferred, oddLines, planTiles, PRODUCTS, sourcePlane, tileCount } from './winograd.wasm.ts';
import { Plane, WeightRepeat, WinogradGradientPlan } from './winograd-plan.wasm.ts';

/** Tiles that are transformed at once: enough to pay for reading the sums, few enough that both sides stay in the cache. */
const BLOCK_TILES = 48;
/** Channels of a task, at most: sums and transformed tiles should stay in the second-level cache. */
const TASK_OUTPUTS = 64;
const TASK_CHANNELS = 128;
const SPLITS = 8;
const TAPS = 9;
/** Output channels of a task of plain sums, as BLOCK_OUTPUTS of winograd-weight-plan.as.ts has it, and bytes of a pair's sums. */
const REPEAT_OUTPUTS = 3;
const PAIR_BYTES = 144;
/** Elements that are listed of a channel of x, at most, bytes of each, and of an output's padded planes that they meet. */
const MOST_LISTED = 1024;
const ENTRY_BYTES = 8;
const LISTED_BYTES = 512 * 1024;
/** Measured times in those of one multiply-add: of a tile per channel and per output, of a weight at the end of a split. */
const TILE_WORK = 200;
const WEIGHT_WORK = 500;
/** Of the pairs of channels that are left to plain sums, this over the root of the elements of a channel; and what one costs. */
const REPEATED_PART = 3;
const REPEAT_WORK = 1.3;
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
  const pairs = g.channels * g.rows;
  const plain = pairs * plainWeightProducts(g);
  const [sourceTurns, gradientTurns] = [Math.ceil(g.rows / TASK_OUTPUTS), Math.ceil(g.channels / TASK_CHANNELS)];
  const ends = TILE_WORK * tiles * (sourceTurns * g.channels + gradientTurns * g.rows);
  const work = PRODUCTS * tiles * pairs + ends + WEIGHT_WORK * splitsOf(g) * pairs;
  const repeated = Math.min(1, REPEATED_PART / Math.sqrt(g.batch * g.axes[0].size * g.axes[1].size));
  return GAIN * work + REPEAT_WORK * repeated * plain < plain;
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
  const elementsAt = 64 * Math.ceil((4 * splits * TAPS * g.rows * g.channels + 64) / 64);
  const repeat = planRepeat(g, elementsAt);
  const words = [
    ...tiling.words(patchAt),
    ...sourcePlane(g),
    ...planWords(Plane, { channels: g.rows, height: outH, width: outW, row: 0, column: 0 }),
    ...planWords(WinogradGradientPlan, {
      ...{ channels: g.channels, outputs: g.rows, taskOutputs: outputs, taskChannels: channels, batch: g.batch },
      ...{ units: tiling.units, blockUnits, splits },
      ...{ sumsAt, sumStride, valuesAt, valueStride, gradientsAt, gradientStride },
    }),
    ...planWords(WeightRepeat, repeat.plan),
  ];
  const tasks = splits * blocks;
  const work = PRODUCTS * tiling.units * tiling.segmentTiles * g.channels * g.rows;
  const all = g.channels + g.rows;
  return {
    name: 'winograd',
    phases: [
      { exportName: 'conv2dWinogradElements', tasks: all, grain: Math.ceil(all / threads), constants: words },
      {
        exportName: 'conv2dWinogradLists',
        tasks: g.channels,
        grain: Math.ceil(g.channels / threads),
        constants: words,
      },
      {
        exportName: 'conv2dWinogradWeights',
        tasks,
        grain: Math.max(1, Math.floor((TASK_WORK * tasks) / work)),
        constants: words,
      },
      ...(splits > 1 ? [sumPhase(g, splits)] : []),
      {
        exportName: 'conv2dWinogradRepeat',
        tasks: Math.ceil(g.rows / REPEAT_OUTPUTS),
        constants: words,
      },
    ],
    sharedScratch: repeat.sharedBytes,
    threadScratch: Math.max(end, repeat.scratchBytes),
  };
}

/** Where the plain sums of a weight gradient have what, and what memory they need. */
function planRepeat(g: Geometry, elementsAt: number) {
  const [rows, columns] = g.axes;
  const [outH, outW, dilation] = [rows.size, columns.size, rows.tapStep];
  const [sourceH, sourceW] = g.source;
  const orderAt = elementsAt + 16 * Math.ceil((g.channels + g.rows) / 4);
  const listsAt = orderAt + 16 * Math.ceil(g.rows / 4);
  // Listed elements meet neighbours, and a vector beyond the last.
  const gradientBytes = 4 * g.batch * (sourceH + 2) * (sourceW + 2) + 64;
  const isListed = dilation === 1 && gradientBytes <= LISTED_BYTES;
  const mostListed = isListed ? Math.min(MOST_LISTED, g.batch * sourceH * sourceW) : 0;
  const listStride = 16 * Math.ceil((ENTRY_BYTES * (1 + mostListed + sourceW)) / 16);
  const paddedAt = 64 * Math.ceil((REPEAT_OUTPUTS * PAIR_BYTES) / 64);
  const gradientsAt = paddedAt + 64 * Math.ceil(((outH + 2 * dilation) * (outW + 2 * dilation)) / 16 + 1);
  const gradientStride = isListed ? oddLines(gradientBytes) : 0;
  return {
    plan: {
      ...{ outH, outW, padH: -rows.origin, padW: -columns.origin, dilation },
      ...{ elementsAt, orderAt, listsAt, listStride, mostListed, paddedAt, gradientsAt, gradientStride },
    },
    sharedBytes: listsAt + listStride * g.channels + 64,
    scratchBytes: gradientsAt + REPEAT_OUTPUTS * gradientStride + 64,
  };
}
