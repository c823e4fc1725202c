// Plans of 3x3 convolutions of stride 1 by Winograd's F(4x4, 3x3), see winograd.wasm.ts: which ones, and how their tiles
// are cut into tasks. Pure arithmetic.
import type { WasmPhase } from '../plan.ts';
import { evenParts, type Geometry, planCorrelation, TASK_WORK } from './correlation.ts';

/** Outputs of a tile along an axis, its inputs and its products; filters of a panel, channels of a block of the source. */
const OUTPUTS = 4;
const INPUTS = 6;
const PRODUCTS = 36;
const PANEL = 8;
const BLOCK = 16;
/** Bytes of transformed source in a task, which should stay in the second-level cache, and tiles in it. */
const VALUE_BYTES = 640 * 1024;
const MOST_TILES = 64;
const LEAST_TILES = 12;

/** Measured times of the parts in those of one multiply-add: of a filter, of a tile per channel, of a tile per output. */
const FILTER_WORK = 360;
const INPUT_WORK = 400;
const OUTPUT_WORK = 300;
/** The same of a filter when all of them do not fit the cache, and of an element that the plain loop reads. */
const FAR_FILTER_WORK = 800;
const PLAIN_INPUT_WORK = 30;
const FILTER_BYTES = 2 * 1024 * 1024;

const tilesOf = ({ axes }: Geometry): [number, number] => [
  Math.ceil(axes[0].size / OUTPUTS),
  Math.ceil(axes[1].size / OUTPUTS),
];

/** Whether the correlation is one that Winograd's algorithm computes, and faster than the plain loop. */
export function isWinograd(g: Geometry): boolean {
  const isPlain = g.axes.every(
    ({ stride, taps, tapStep, offset, step }) =>
      stride === 1 && taps === 3 && tapStep === 1 && offset === 0 && step === 1,
  );
  if (!isPlain || g.groups !== 1 || g.channels % 4 !== 0 || g.rows % 4 !== 0) return false;
  const pairs = g.channels * g.rows;
  const [tilesH, tilesW] = tilesOf(g);
  const tiles = g.batch * tilesH * tilesW;
  const elements = g.batch * g.axes[0].size * g.axes[1].size;
  const filterWork = 4 * PRODUCTS * pairs > FILTER_BYTES ? FAR_FILTER_WORK : FILTER_WORK;
  const ends = INPUT_WORK * g.channels + OUTPUT_WORK * g.rows;
  const work = pairs * (PRODUCTS * tiles + filterWork) + tiles * ends;
  return work < 9 * pairs * elements + PLAIN_INPUT_WORK * g.channels * elements;
}

/** An odd number of cache lines: successive products of a tile stand in different sets of the cache. */
const oddLines = (bytes: number): number => 64 * (Math.ceil(bytes / 64) | 1);

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
  const [tilesH, tilesW] = tilesOf(g);
  const most = Math.max(LEAST_TILES, Math.min(MOST_TILES, Math.floor(VALUE_BYTES / (4 * PRODUCTS * g.channels))));
  const segmentTiles = evenParts(tilesW, most);
  const segments = Math.ceil(tilesW / segmentTiles);
  const units = g.batch * tilesH * segments;
  const taskUnits = evenParts(units, Math.min(most / segmentTiles, Math.ceil(units / (2 * threads))));
  const tasks = Math.ceil(units / taskUnits);
  const panels = Math.ceil(g.rows / PANEL);

  const tiles = Math.max(4, 2 * Math.ceil((taskUnits * segmentTiles) / 2));
  const valueStride = oddLines(4 * tiles * g.channels);
  const filterStride = oddLines(4 * PANEL * g.channels);
  const productStride = oddLines(4 * tiles * PANEL);
  const direct = planCorrelation(g, 0, threads, [OUTPUTS, segmentTiles * OUTPUTS]);
  // The plain loop begins where the transformed tiles are no longer needed; only the checks must outlast it.
  const productsAt = PRODUCTS * valueStride;
  const patchAt = productsAt + PRODUCTS * productStride;
  const patchBytes = 4 * Math.min(BLOCK, g.channels) * (INPUTS * (OUTPUTS * segmentTiles + INPUTS - OUTPUTS) + 4);
  const turnedAt = patchAt + oddLines(patchBytes);
  const checksAt = Math.max(turnedAt + 16 * PRODUCTS, 16 * Math.ceil(direct.scratchBytes / 16));
  const plan = [
    ...header,
    g.channels,
    g.rows,
    ...g.source,
    ...[rows.size, columns.size, rows.origin, columns.origin],
    ...[units, taskUnits, segments, segmentTiles, tilesH, tilesW],
    ...[filtersAt, filterStride, 0, valueStride, productsAt, productStride, patchAt, turnedAt, checksAt],
  ];
  const taskWork = taskUnits * segmentTiles * PRODUCTS * g.channels * g.rows;
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
    phases: [filters, tilesPhase],
    sharedBytes: filtersAt + panels * PRODUCTS * filterStride,
    scratchBytes: checksAt + 16 * taskUnits,
  };
}
