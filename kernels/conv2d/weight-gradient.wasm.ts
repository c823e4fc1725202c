// WASM plan of the convolution's weight gradient: tiles, units and splits, see weight-gradient.as.ts. The number of
// splits depends on shapes alone, since it decides the order of the sum.
import { planWords } from '../params.ts';
import { evenParts, SPILL_WORDS, type WasmPhase, type WasmPlan, type WasmPlanner } from '../plan.ts';
import type { Conv2dParams } from './conv2d.ts';
import {
  type Axis,
  flatten,
  forwardGeometry,
  type Geometry,
  MOST_IDLE,
  tapValues,
  TASK_WORK,
} from './correlation.wasm.ts';
import { PANEL, tapFields } from './correlation-plan.wasm.ts';

/** What the products and the sums of splits read behind their parameters. Sizes in elements, scratch places in bytes. */
export const WeightGradientPlan = {
  ...tapFields.operands,
  outH: 'i32',
  outW: 'i32',
  ...tapFields.taps,
  units: 'i32',
  splits: 'i32',
  tileAt: 'i32',
  gradientAt: 'i32',
} as const;

/** What conv2dWeightChannelsLast reads. */
export const ChannelsLastPlan = {
  ...WeightGradientPlan,
  /** Rows and columns of the source from one of the tile to the next. */
  stepH: 'i32',
  stepW: 'i32',
  tileRows: 'i32',
  tileColumns: 'i32',
  vectorsAt: 'i32',
  panelAt: 'i32',
  sumsAt: 'i32',
  totalsAt: 'i32',
  /** 1: every tap leaves out the outputs for which it meets nothing but padding. What it says of the others. */
  bordered: 'i32',
  tableAt: 'i32',
} as const;

/** What weight-dots.as.ts reads. */
export const WeightDotsPlan = {
  batch: 'i32',
  groups: 'i32',
  /** Output channels and input channels of a group. */
  rows: 'i32',
  channels: 'i32',
  /** Elements of a plane. */
  size: 'i32',
  /** Input channels of a task. */
  taskChannels: 'i32',
  splits: 'i32',
} as const;

const BEHIND_TILE = 32;
/** Least rows of a register tile, see panel-tiles.as.ts. */
const LEAST_ROWS = 4;
/** By so much less must be computed for small maps, for what telling their taps apart costs. */
const BORDERED_GAIN = 1.15;
const VECTOR_WORDS = 3;
const TILE_WIDTH = 256;
/** Outputs in one sum of outer products: enough to pay for reading the sums, few enough that what they meet stays in the cache. */
const OUTER_DEPTH = 512;
const OUTER_CHANNELS = 64;
const TILE_OUTPUTS = 64;
/** Channels and outputs of a 1x1 window. */
const SINGLE_BLOCK = [128, 128] as const;
const TASKS = 8;
const TASKS_PER_THREAD = 4;
const LEAST_CHANNELS = 8;
const SUM_BLOCK = 1024;

/** How the sum over images and outputs is cut: into units, and those into splits whose partial results are added in order. */
interface Cut {
  readonly images: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly outputs: number;
  readonly units: number;
  readonly splits: number;
  readonly blocks: number;
}

function cut(g: Geometry, threads: number): Cut {
  const [outH, outW] = [g.axes[0].size, g.axes[1].size];
  const width = Math.max(1, evenParts(outW, outH === 1 ? OUTER_DEPTH : TILE_WIDTH));
  const height = evenParts(outH, OUTER_DEPTH / width);
  const isWhole = width >= outW && height >= outH;
  const most = Math.floor(OUTER_DEPTH / Math.max(1, height * width));
  const images = isWhole ? evenParts(g.batch, Math.max(1, most)) : 1;
  const units = Math.ceil(g.batch / images) * Math.ceil(outH / height) * Math.ceil(outW / width);

  // Without neighbouring taps more products pay for turning the tile.
  const isSingle = g.axes[0].taps * g.axes[1].taps === 1;
  const [mostChannels, mostOutputs] = isSingle ? SINGLE_BLOCK : [OUTER_CHANNELS, TILE_OUTPUTS];
  const outputs = evenParts(g.rows, mostOutputs);
  const blocksOf = (channels: number) => g.groups * Math.ceil(g.channels / channels) * Math.ceil(g.rows / outputs);
  let channels = evenParts(g.channels, mostChannels);
  const fewest = blocksOf(channels);
  const splits = Math.min(units, Math.ceil(TASKS / fewest), Math.max(1, Math.floor(workOf(g) / (fewest * TASK_WORK))));
  // Blocks of channels change no sum, so that they may depend on the threads.
  const wanted = Math.min(TASKS_PER_THREAD * threads, workOf(g) / TASK_WORK);
  const isEven = (tasks: number): boolean => Math.ceil(tasks / threads) * threads <= (1 + MOST_IDLE) * tasks;
  while (
    channels >= 2 * LEAST_CHANNELS &&
    splits * blocksOf(channels) < wanted &&
    !isEven(splits * blocksOf(channels))
  ) {
    channels = evenParts(g.channels, channels / 2);
  }
  return {
    images,
    height,
    width,
    channels,
    outputs,
    units,
    splits: units === 0 ? 0 : splits,
    blocks: blocksOf(channels),
  };
}

const weightsOf = (g: Geometry): number => g.groups * g.rows * g.channels * g.axes[0].taps * g.axes[1].taps;
const workOf = (g: Geometry): number => weightsOf(g) * g.batch * g.axes[0].size * g.axes[1].size;
const paddedRows = (rows: number): number => Math.max(LEAST_ROWS, 2 * Math.ceil(rows / 2));
const aligned = (words: number): number => 16 * Math.ceil(words / 16);

/** What the products and the sums of splits have in common; places in words. */
function planOf(g: Geometry, c: Cut, tileAt: number, gradientAt: number) {
  const [rows, columns] = g.axes;
  return {
    ...tapValues(g, c),
    outH: rows.size,
    outW: columns.size,
    units: c.units,
    splits: c.splits,
    tileAt: 4 * tileAt,
    gradientAt: 4 * gradientAt,
  };
}

/** Adds the partial results of so many splits, [split][weight] in the shared scratch. */
export const sumPhase = (g: Geometry, splits: number): WasmPhase => {
  const none = { images: 0, height: 0, width: 0, channels: 0, outputs: 0, units: 0, blocks: 0 };
  const constants = planWords(WeightGradientPlan, planOf(g, { ...none, splits }, 0, 0));
  return { exportName: 'conv2dSumPartials', tasks: Math.ceil(weightsOf(g) / SUM_BLOCK), grain: 16, constants };
};

const greatestDivisor = (a: number, b: number): number => (b === 0 ? a : greatestDivisor(b, a % b));

/** Rows of the source from one row of the tile to the next, and the rows that `size` outputs take. */
function tileAxis({ stride, taps, tapStep }: Axis, size: number): { step: number; length: number } {
  const step = taps === 1 ? stride : greatestDivisor(stride, tapStep);
  return { step, length: ((size - 1) * stride + (taps - 1) * tapStep) / step + 1 };
}

/** Outputs that meet a tap inside the image, added up over an axis' taps. */
const metOutputs = ({ size, origin, stride, taps, tapStep }: Axis, source: number): number => {
  let sum = 0;
  for (let at = origin, tap = 0; tap < taps; tap++, at += tapStep) {
    for (let t = 0; t < size; t++) if (at + t * stride >= 0 && at + t * stride < source) sum++;
  }
  return sum;
};

/** Products of a pair of channels for each image, without those with padding. */
const metProducts = ({ axes: [rows, columns], source }: Geometry): number =>
  metOutputs(rows, source[0]) * metOutputs(columns, source[1]);

/** Whether units are small maps, many of whose taps meet nothing but padding. */
function isBordered(g: Geometry, c: Cut): boolean {
  const [rows, columns] = g.axes;
  if (c.outputs < LEAST_ROWS || c.height < rows.size || c.width < columns.size) return false;
  const panels = (PANEL * Math.ceil(c.channels / PANEL)) / c.channels;
  return BORDERED_GAIN * metProducts(g) * panels < rows.size * rows.taps * columns.size * columns.taps;
}

/** Multiply-adds of plain sums for each pair of an input and an output channel. */
export function plainWeightProducts(g: Geometry): number {
  const [rows, columns] = g.axes;
  const products = isBordered(g, cut(g, 1)) ? metProducts(g) : rows.size * rows.taps * columns.size * columns.taps;
  return g.batch * products;
}

function planChannelsLast(g: Geometry, threads: number): WasmPlan {
  const [rows, columns] = g.axes;
  const c = cut(g, threads);
  const [tileRows, tileColumns] = [tileAxis(rows, c.height), tileAxis(columns, c.width)];
  const bordered = isBordered(g, c);
  const isJoined = !bordered && columns.tapStep === tileColumns.step;
  const runs = isJoined ? rows.taps : rows.taps * columns.taps;
  const perRun = bordered
    ? 2 * Math.ceil(c.channels / PANEL)
    : Math.ceil(((isJoined ? columns.taps : 1) * c.channels) / 4);
  const vectors = 2 * Math.ceil((runs * perRun) / 2);
  const depth = c.images * c.height * c.width;
  const vectorsAt = SPILL_WORDS + depth;
  const tileAt = aligned(vectorsAt + VECTOR_WORDS * vectors);
  const tileWords = c.images * tileRows.length * tileColumns.length * c.channels;
  const gradientAt = tileAt + aligned(tileWords + 4 * c.channels + BEHIND_TILE);
  const panelAt = gradientAt + aligned(paddedRows(c.outputs) * depth + BEHIND_TILE);
  const sumsAt = panelAt + aligned(PANEL * depth);
  const sumsWords = 4 * vectors * paddedRows(c.outputs);
  const totalsAt = sumsAt + aligned(sumsWords);
  const tableAt = totalsAt + aligned(sumsWords);
  const constants = planWords(ChannelsLastPlan, {
    ...planOf(g, c, tileAt, gradientAt),
    stepH: tileRows.step,
    stepW: tileColumns.step,
    tileRows: tileRows.length,
    tileColumns: tileColumns.length,
    vectorsAt: 4 * vectorsAt,
    panelAt: 4 * panelAt,
    sumsAt: 4 * sumsAt,
    totalsAt: 4 * totalsAt,
    bordered: bordered ? 1 : 0,
    tableAt: 4 * tableAt,
  });
  const tasks = c.blocks * c.splits;
  const grain = Math.max(1, Math.floor((TASK_WORK * tasks) / Math.max(1, workOf(g))));
  const multiply = { exportName: 'conv2dWeightChannelsLast', tasks, grain, constants };
  return {
    name: 'channelsLast',
    phases: c.splits === 1 ? [multiply] : [multiply, sumPhase(g, c.splits)],
    sharedScratch: 4 * c.splits * weightsOf(g) + 64,
    threadScratch: 4 * (tableAt + (bordered ? 2 * depth : 0) + BEHIND_TILE),
  };
}

/** Output channels up to which dot products of planes are faster than turning x. */
const DOT_ROWS = 2;
const DOT_CHANNELS = 4;

/** Dot products of planes as they stand, for a window of 1x1 at every place (weight-dots.wasm.ts). */
function planDots(g: Geometry): WasmPlan {
  const size = g.axes[1].size;
  const blocks = g.groups * Math.ceil(g.channels / DOT_CHANNELS);
  const splits = Math.max(1, Math.min(g.batch, Math.floor(workOf(g) / TASK_WORK), Math.ceil((2 * TASKS) / blocks)));
  const constants = planWords(WeightDotsPlan, {
    batch: g.batch,
    groups: g.groups,
    rows: g.rows,
    channels: g.channels,
    size,
    taskChannels: DOT_CHANNELS,
    splits,
  });
  const tasks = splits * blocks;
  const grain = Math.max(1, Math.floor((TASK_WORK * tasks) / Math.max(1, workOf(g))));
  const multiply = { exportName: 'conv2dWeightDots', tasks, grain, constants };
  return {
    name: 'innerProducts',
    phases: splits === 1 ? [multiply] : [multiply, sumPhase(g, splits)],
    sharedScratch: 4 * splits * weightsOf(g) + 64,
  };
}

export const planWeightGradient: WasmPlanner<Conv2dParams> = (p, { threads }, prefer): WasmPlan => {
  const given = forwardGeometry(p);
  const g = flatten(given);
  if (weightsOf(g) === 0) return { name: 'empty', phases: [] };
  const isPlain = g !== given;
  const isDots = prefer === undefined ? g.rows <= DOT_ROWS : prefer === 'innerProducts';
  return isPlain && isDots ? planDots(g) : planChannelsLast(g, threads);
};
