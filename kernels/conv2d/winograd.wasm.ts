// Plans of 3x3 convolutions of stride 1 by Winograd's F(4x4, 3x3), see winograd.as.ts: which ones, and how their tiles
// are cut into tasks. Pure arithmetic.
import { planWords } from '../params.ts';
import { evenParts, type WasmPhase } from '../plan.ts';
import { type Axis, type Geometry, MOST_IDLE, plainProducts, planCorrelation, TASK_WORK } from './correlation.wasm.ts';
import { PANEL, type Places } from './correlation-plan.wasm.ts';
import { Plane, TileGrid, TileWatch, WinogradPlan } from './winograd-plan.wasm.ts';

/** Outputs of a tile along an axis, its inputs and its products; channels of a block of the source. A panel has PANEL filters. */
const OUTPUTS = 4;
const INPUTS = 6;
const TAPS = 9;
export const PRODUCTS = 36;
const BLOCK = 16;
/** Bytes of a Unit of winograd-image.as.ts; of a Trust, of a TileLook and of the sums of a panel's filters. */
const UNIT_BYTES = 24;
const LINES_UNIT_BYTES = 64;
const TRUST_BYTES = 16;
const LOOK_BYTES = 64;
const FILTER_SUMS_BYTES = 128;
/** Bytes of transformed source in a task, which should stay in the second-level cache, and tiles in it. */
const VALUE_BYTES = 640 * 1024;
const MOST_TILES = 64;
/** The same for tasks that have all tiles. */
const ALL_VALUE_BYTES = 1024 * 1024;
/** Multiply-adds that take about as long as handing filters from one thread to another. */
const OWN_FILTERS_WORK = 500_000;
const LEAST_TILES = 12;
/** Bytes of a patch of the source, most of which should stay in the first-level cache. */
const PATCH_BYTES = 48 * 1024;

/** Measured times of the parts in those of one multiply-add: of a filter, of a tile per channel, of a tile per output. */
const FILTER_WORK = 700;
const INPUT_WORK = 160;
const OUTPUT_WORK = 260;
/** The same of a filter when all of them do not fit the cache and when they do, and of an element that the plain loop reads. */
const FAR_FILTER_WORK = 1500;
const NEAR_FILTER_WORK = 450;
const PLAIN_INPUT_WORK = 30;
const FILTER_BYTES = 2 * 1024 * 1024;
/** By so much it must be faster, for what the estimate leaves out. */
const GAIN = 1.1;

/** With a dilation, tiles have every `dilation`-th row and column, and there is a grid of them for each remainder. */
const dilationOf = ({ axes }: Geometry): number => axes[0].tapStep;
const gridsOf = (g: Geometry): number => g.batch * dilationOf(g) ** 2;

/** Rows and columns of tiles in a grid. */
const tilesOf = (g: Geometry): [number, number] => {
  const [tilesH, tilesW] = g.axes.map(({ size }) => Math.ceil(size / dilationOf(g) / OUTPUTS));
  return [tilesH!, tilesW!];
};

export const tileCount = (g: Geometry): number => gridsOf(g) * tilesOf(g)[0] * tilesOf(g)[1];

/** The tiles of a launch. */
export interface Tiling {
  readonly segmentTiles: number;
  readonly units: number;
  readonly patchBytes: number;
  readonly linesBytes: number;
  /** The TileGrid, given where in private scratch the patch stands. */
  words(patchAt: number): number[];
}

/** `most`: tiles in a unit, a part of a row of tiles; `channels` that patches are made of, at most. */
export function planTiles(g: Geometry, most: number, channels: number): Tiling {
  const [tilesH, tilesW] = tilesOf(g);
  const segmentTiles = evenParts(tilesW, most);
  const segments = Math.ceil(tilesW / segmentTiles);
  const pitchBytes = 4 * Math.min(BLOCK, channels) * (OUTPUTS * segmentTiles + INPUTS - OUTPUTS);
  const runUnits = Math.max(1, Math.floor((PATCH_BYTES / pitchBytes - (INPUTS - OUTPUTS)) / OUTPUTS));
  const patchBytes = oddLines(pitchBytes * (OUTPUTS * runUnits + INPUTS - OUTPUTS) + 16 * BLOCK);
  const sizes = { tilesH, tilesW, segments, segmentTiles, runUnits, dilation: dilationOf(g) };
  return {
    segmentTiles,
    units: gridsOf(g) * tilesH * segments,
    patchBytes,
    linesBytes: LINES_UNIT_BYTES + INPUTS * pitchBytes,
    words: (patchAt) => planWords(TileGrid, { ...sizes, patchAt, linesAt: patchAt + patchBytes }),
  };
}

/** The image that a correlation reads. */
export function sourcePlane({ channels, source: [height, width], axes: [rows, columns] }: Geometry): number[] {
  return planWords(Plane, { channels, height, width, row: rows.origin, column: columns.origin });
}

/** An odd number of cache lines: successive products of a tile stand in different sets of the cache. */
export const oddLines = (bytes: number): number => 64 * (Math.ceil(bytes / 64) | 1);

/** A 3x3 window at every place, dilated alike along both axes, and channels that fill vectors. */
export const isPlain3x3 = ({ axes, groups, channels, rows, batch }: Geometry): boolean =>
  axes.every((a) => a.stride === 1 && a.taps === 3 && a.offset === 0 && a.step === 1 && a.tapStep <= a.size) &&
  axes[0].tapStep === axes[1].tapStep &&
  groups === 1 &&
  channels % 4 === 0 &&
  rows % 4 === 0 &&
  batch * channels * rows * axes[0].size * axes[1].size > 0;

/** Whether a measured or wanted plan decides: true for this one, false for another, undefined if none is named. */
export const isPreferred = (prefer: string | undefined): boolean | undefined =>
  prefer === undefined ? undefined : prefer === 'winograd';

/** Whether the correlation is one that Winograd's algorithm computes, and is to: `prefer`red or faster than the plain loop. */
export function isWinograd(g: Geometry, prefer: string | undefined): boolean {
  return isPlain3x3(g) && (isPreferred(prefer) ?? isFaster(g));
}

function isFaster(g: Geometry): boolean {
  const pairs = g.channels * g.rows;
  const tiles = tileCount(g);
  const elements = g.batch * g.axes[0].size * g.axes[1].size;
  const filterWork = 4 * PRODUCTS * pairs > FILTER_BYTES ? FAR_FILTER_WORK : NEAR_FILTER_WORK;
  const ends = INPUT_WORK * g.channels + OUTPUT_WORK * g.rows;
  const work = pairs * (PRODUCTS * tiles + filterWork) + tiles * ends;
  return GAIN * work < pairs * plainProducts(g) + PLAIN_INPUT_WORK * g.channels * elements;
}

/** The outputs of the first grid along an axis; those of the others are moved by the remainder. */
const gridAxis = (axis: Axis): Axis => ({
  ...axis,
  size: Math.ceil(axis.size / axis.tapStep),
  step: axis.tapStep,
  stride: axis.tapStep,
});

export interface Winograd {
  readonly phases: WasmPhase[];
  readonly sharedBytes: number;
  readonly scratchBytes: number;
}

/** How a launch is cut into tasks: (part of the units, block of panels). */
interface Division {
  readonly tasks: number;
  readonly taskUnits: number;
  readonly blockPanels: number;
  readonly blocks: number;
  /** Tasks transform the filters that they need, so that no thread reads what another has just written. */
  readonly isOwn: boolean;
}

/** Either tasks have the same tiles and share the filters, or they share the tiles, as many for every thread. */
function divide(g: Geometry, { units, segmentTiles }: Tiling, mostTiles: number, threads: number): Division {
  const panels = Math.ceil(g.rows / PANEL);
  const threadPanels = Math.ceil(panels / threads);
  const filtersWork = FILTER_WORK * g.channels * g.rows;
  const tiles = units * segmentTiles;
  const isBusy = threads * threadPanels <= (1 + MOST_IDLE) * panels;
  const isLess = tiles * g.channels * INPUT_WORK < filtersWork;
  if (isBusy && isLess && 4 * PRODUCTS * g.channels * tiles <= ALL_VALUE_BYTES) {
    const blocks = Math.ceil(panels / threadPanels);
    return { tasks: blocks, taskUnits: units, blockPanels: threadPanels, blocks, isOwn: true };
  }
  const rounds = Math.ceil(units / (threads * Math.floor(mostTiles / segmentTiles)));
  const taskUnits = Math.ceil(units / (threads * rounds));
  const isOwn = rounds === 1 && filtersWork < OWN_FILTERS_WORK;
  return { tasks: Math.ceil(units / taskUnits), taskUnits, blockPanels: panels, blocks: 1, isOwn };
}

/** `isTurned`: the weights are those of the convolution whose input gradient this is. */
export function planWinograd(g: Geometry, places: Places, isTurned: boolean, threads: number): Winograd {
  const [rows, columns] = g.axes;
  const most = Math.max(LEAST_TILES, Math.min(MOST_TILES, Math.floor(VALUE_BYTES / (4 * PRODUCTS * g.channels))));
  const tiling = planTiles(g, most, g.channels);
  const { units, segmentTiles } = tiling;
  const { tasks, taskUnits, blockPanels, blocks, isOwn } = divide(g, tiling, most, threads);
  const panels = Math.ceil(g.rows / PANEL);

  const tiles = Math.max(4, 2 * Math.ceil((taskUnits * segmentTiles) / 2));
  const valueStride = oddLines(4 * tiles * g.channels);
  const filterStride = oddLines(4 * PANEL * g.channels);
  const productStride = oddLines(4 * tiles * PANEL);
  const grids = { ...g, axes: [gridAxis(rows), gridAxis(columns)] as const };
  const direct = planCorrelation(grids, 1, threads, 'shiftedRows', [OUTPUTS, segmentTiles * OUTPUTS, PANEL]);
  // The plain loop's scratch is where the transformed tiles are no longer needed; only what says which of them to repeat must
  // outlast it.
  const productsAt = PRODUCTS * valueStride;
  const patchAt = productsAt + PRODUCTS * productStride;
  const turnedAt = patchAt + tiling.patchBytes + tiling.linesBytes;
  const turnedBytes = 16 * Math.max(OUTPUTS * (INPUTS + 1), 3 * INPUTS + TAPS) + FILTER_SUMS_BYTES;
  const panelAt = oddLines(turnedAt + turnedBytes);
  const panelBytes = PRODUCTS * filterStride + 64;
  const repeatAt = Math.max(isOwn ? panelAt + panelBytes : panelAt, direct.scratchBytes);
  const repeatBytes = UNIT_BYTES + 4 * direct.words.length + 4 * TAPS * PANEL * g.channels;
  const tileTrustAt = 16 * Math.ceil((repeatAt + repeatBytes) / 16);
  const panelTrustAt = tileTrustAt + TRUST_BYTES * tiles;
  const lookAt = 16 * Math.ceil((panelTrustAt + TRUST_BYTES * (1 + blockPanels)) / 16);
  const sumsBytes = LOOK_BYTES + 4 * 2 * INPUTS * (OUTPUTS * segmentTiles + 8) * taskUnits + 32;
  const filter = 4 * TAPS;
  const filters = isTurned
    ? { filterStep: filter, channelStep: filter * g.rows, firstTap: filter - 4, tapStep: -4 }
    : { filterStep: filter * g.channels, channelStep: filter, firstTap: 0, tapStep: 4 };
  const sizes = { channels: g.channels, outputs: g.rows, height: rows.size, width: columns.size };
  const plan = [
    ...tiling.words(patchAt),
    ...sourcePlane(g),
    ...planWords(TileWatch, {
      height: rows.size,
      width: columns.size,
      lookAt,
      trustAt: tileTrustAt,
      terms: TAPS * g.channels,
    }),
    ...planWords(WinogradPlan, {
      ...places,
      ...sizes,
      ...{ units, taskUnits, blockPanels, blocks },
      ...filters,
      ...{ isOwn: isOwn ? 1 : 0, filtersAt: isOwn ? panelAt : 0, filterStride },
      ...{ valuesAt: 0, valueStride, productsAt, productStride, turnedAt, repeatAt, trustAt: panelTrustAt },
    }),
  ];
  const taskWork = taskUnits * segmentTiles * PRODUCTS * g.channels * PANEL * blockPanels;
  const filtersPhase: WasmPhase = {
    exportName: 'conv2dWinogradFilters',
    tasks: panels,
    grain: Math.ceil(256 / g.channels),
    constants: plan,
  };
  const tilesPhase: WasmPhase = {
    exportName: 'conv2dWinograd',
    tasks,
    grain: Math.max(1, Math.floor(TASK_WORK / taskWork)),
    constants: [...plan, ...direct.words],
  };
  return {
    phases: isOwn ? [tilesPhase] : [filtersPhase, tilesPhase],
    sharedBytes: isOwn ? 0 : panels * panelBytes,
    scratchBytes: lookAt + sumsBytes,
  };
}
