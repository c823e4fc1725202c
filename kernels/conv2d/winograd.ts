// Plans of 3x3 convolutions of stride 1 by Winograd's F(4x4, 3x3), see winograd.wasm.ts: which ones, and how their tiles
// are cut into tasks. Pure arithmetic.
import type { WasmPhase } from '../plan.ts';
import { evenParts, type Geometry, planCorrelation, TASK_WORK } from './correlation.ts';

/** Outputs of a tile along an axis, its inputs and its products; filters of a panel, channels of a block of the source. */
const OUTPUTS = 4;
const INPUTS = 6;
export const PRODUCTS = 36;
export const PANEL = 8;
const BLOCK = 16;
/** Bytes of transformed source in a task, which should stay in the second-level cache, and tiles in it. */
const VALUE_BYTES = 640 * 1024;
const MOST_TILES = 64;
/** The same for tasks that have all tiles. */
const ALL_VALUE_BYTES = 1024 * 1024;
/** Multiply-adds that take about as long as handing filters from one thread to another. */
const OWN_FILTERS_WORK = 500_000;
/** Part of the threads' time that may be lost at the end of a launch. */
export const MOST_IDLE = 0.15;
const LEAST_TILES = 12;
/** Bytes of a patch of the source, most of which should stay in the first-level cache. */
const PATCH_BYTES = 48 * 1024;

/** Measured times of the parts in those of one multiply-add: of a filter, of a tile per channel, of a tile per output. */
const FILTER_WORK = 700;
const INPUT_WORK = 160;
const OUTPUT_WORK = 260;
/** The same of a filter when all of them do not fit the cache, and of an element that the plain loop reads. */
const FAR_FILTER_WORK = 1500;
const PLAIN_INPUT_WORK = 30;
const FILTER_BYTES = 2 * 1024 * 1024;
/** By so much it must be faster, for what the estimate leaves out. */
const GAIN = 1.1;

export const tilesOf = ({ axes }: Geometry): [number, number] => [
  Math.ceil(axes[0].size / OUTPUTS),
  Math.ceil(axes[1].size / OUTPUTS),
];

/** The tiles of a launch, see winograd-image.wasm.ts. */
export interface TileGrid {
  readonly segmentTiles: number;
  readonly units: number;
  readonly patchBytes: number;
  readonly linesBytes: number;
  /** Given where in private scratch the patch stands. */
  words(patchAt: number): number[];
}

/** `most`: tiles in a unit, a part of a row of tiles; `channels` that patches are made of, at most. */
export function tileGrid(g: Geometry, most: number, channels: number): TileGrid {
  const [tilesH, tilesW] = tilesOf(g);
  const segmentTiles = evenParts(tilesW, most);
  const segments = Math.ceil(tilesW / segmentTiles);
  const pitchBytes = 4 * Math.min(BLOCK, channels) * (OUTPUTS * segmentTiles + INPUTS - OUTPUTS);
  const runUnits = Math.max(1, Math.floor((PATCH_BYTES / pitchBytes - (INPUTS - OUTPUTS)) / OUTPUTS));
  const patchBytes = oddLines(pitchBytes * (OUTPUTS * runUnits + INPUTS - OUTPUTS) + 16 * BLOCK);
  return {
    segmentTiles,
    units: g.batch * tilesH * segments,
    patchBytes,
    linesBytes: INPUTS * pitchBytes,
    words: (patchAt) => [tilesH, tilesW, segments, segmentTiles, runUnits, patchAt, patchAt + patchBytes],
  };
}

/** An odd number of cache lines: successive products of a tile stand in different sets of the cache. */
export const oddLines = (bytes: number): number => 64 * (Math.ceil(bytes / 64) | 1);

/** A 3x3 window at every place, and channels that fill vectors. */
export const isPlain3x3 = ({ axes, groups, channels, rows, batch }: Geometry): boolean =>
  axes.every((a) => a.stride === 1 && a.taps === 3 && a.tapStep === 1 && a.offset === 0 && a.step === 1) &&
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
  const [tilesH, tilesW] = tilesOf(g);
  const tiles = g.batch * tilesH * tilesW;
  const elements = g.batch * g.axes[0].size * g.axes[1].size;
  const filterWork = 4 * PRODUCTS * pairs > FILTER_BYTES ? FAR_FILTER_WORK : FILTER_WORK;
  const ends = INPUT_WORK * g.channels + OUTPUT_WORK * g.rows;
  const work = pairs * (PRODUCTS * tiles + filterWork) + tiles * ends;
  return GAIN * work < 9 * pairs * elements + PLAIN_INPUT_WORK * g.channels * elements;
}

export interface Winograd {
  readonly phases: WasmPhase[];
  readonly sharedBytes: number;
  readonly scratchBytes: number;
}

/**
 * `header`: places of weights, bias (-1: none), output and the thread's scratch among the buffers; `filtersAt`: bytes of the
 * shared scratch before the transformed filters.
 */
export function planWinograd(g: Geometry, header: readonly number[], filtersAt: number, threads: number): Winograd {
  const [rows, columns] = g.axes;
  const most = Math.max(LEAST_TILES, Math.min(MOST_TILES, Math.floor(VALUE_BYTES / (4 * PRODUCTS * g.channels))));
  const grid = tileGrid(g, most, g.channels);
  const { units, segmentTiles } = grid;
  const panels = Math.ceil(g.rows / PANEL);
  const mostUnits = Math.floor(most / segmentTiles);
  const tilesWork = units * segmentTiles * g.channels * INPUT_WORK;
  const filtersWork = FILTER_WORK * g.channels * g.rows;
  // Either tasks have the same tiles and share the filters, if transforming those tiles again is less work than the filters, or
  // they share the tiles, as many for every thread.
  const threadPanels = Math.ceil(panels / threads);
  const isBusy = threads * threadPanels <= (1 + MOST_IDLE) * panels;
  const valueBytes = 4 * PRODUCTS * g.channels * units * segmentTiles;
  const sharesFilters = isBusy && tilesWork < filtersWork && valueBytes <= ALL_VALUE_BYTES;
  const blockPanels = sharesFilters ? threadPanels : panels;
  const blocks = Math.ceil(panels / blockPanels);
  const rounds = Math.ceil(units / (threads * mostUnits));
  const taskUnits = sharesFilters ? units : Math.ceil(units / (threads * rounds));
  const tasks = blocks * Math.ceil(units / taskUnits);
  // No thread reads what another has just written if each transforms the filters that it needs.
  const isOwn = sharesFilters || (rounds === 1 && filtersWork < OWN_FILTERS_WORK);

  const tiles = Math.max(4, 2 * Math.ceil((taskUnits * segmentTiles) / 2));
  const valueStride = oddLines(4 * tiles * g.channels);
  const filterStride = oddLines(4 * PANEL * g.channels);
  const productStride = oddLines(4 * tiles * PANEL);
  const direct = planCorrelation(g, 0, threads, 'shiftedRows', [OUTPUTS, segmentTiles * OUTPUTS, PANEL]);
  // The plain loop begins where the transformed tiles are no longer needed; only the checks must outlast it.
  const productsAt = PRODUCTS * valueStride;
  const patchAt = productsAt + PRODUCTS * productStride;
  const turnedAt = patchAt + grid.patchBytes + grid.linesBytes;
  const panelAt = oddLines(turnedAt + 16 * OUTPUTS * (INPUTS + 1));
  const panelBytes = PRODUCTS * filterStride;
  const checksAt = Math.max(isOwn ? panelAt + panelBytes : panelAt, 16 * Math.ceil(direct.scratchBytes / 16));
  const plan = [
    ...grid.words(patchAt),
    ...[g.channels, ...g.source, rows.origin, columns.origin],
    ...header,
    ...[g.channels, g.rows, rows.size, columns.size, units, taskUnits],
    ...[isOwn ? 1 : 0, blockPanels, blocks],
    ...[isOwn ? panelAt : filtersAt, filterStride, 0, valueStride, productsAt, productStride, turnedAt, checksAt],
  ];
  const taskWork = taskUnits * segmentTiles * PRODUCTS * g.channels * PANEL * blockPanels;
  const filters: WasmPhase = {
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
    phases: isOwn ? [tilesPhase] : [filters, tilesPhase],
    sharedBytes: isOwn ? filtersAt : filtersAt + panels * panelBytes,
    scratchBytes: checksAt + 16 * taskUnits * blockPanels,
  };
}
