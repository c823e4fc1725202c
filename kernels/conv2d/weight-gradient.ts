// WASM plan of the convolution's weight gradient: tiles, units and splits, see weight-gradient.wasm.ts. The number of
// splits depends on shapes alone, since it decides the order of the sum.
import type { WasmPlan, WasmPlanner } from '../plan.ts';
import type { Conv2dParams } from './conv2d.ts';
import { evenParts, flatten, forwardGeometry, imageTile, SPILL_WORDS, TASK_WORK } from './correlation.ts';

const BEHIND_TILE = 32;
const VECTOR_WORDS = 3;
/** Columns of inner products, and elements in one: long enough to hide their last additions, short enough for the cache. */
const TILE_WIDTH = 256;
const DOT_LENGTH = 1024;
const PANEL_DEPTH = 64;
const TILE_CHANNELS = 16;
const TILE_OUTPUTS = 64;
/** Images up to this wide are packed, the wider ones only if there are enough output channels to pay for it. */
const NARROW = 3;
const PACKED = 4;
const PACKED_OUTPUTS = 32;
/** Images that can be packed, for those who ask: a row is one part of a panel. */
const WIDEST_PACKED = 64;
const TASKS = 16;
const SUM_BLOCK = 1024;

export const planWeightGradient: WasmPlanner<Conv2dParams> = (p, _facts, prefer): WasmPlan => {
  const g = flatten(forwardGeometry(p));
  const [rows, columns] = g.axes;
  const [outH, outW] = [rows.size, columns.size];
  const taps = rows.taps * columns.taps;
  const count = g.groups * g.rows * g.channels * taps;
  if (count === 0) return { name: 'empty', phases: [] };
  const usual = outW <= NARROW || (outW <= PACKED && g.rows >= PACKED_OUTPUTS);
  const packed = prefer === 'packedPanel' ? outW <= WIDEST_PACKED : usual && prefer !== 'innerProducts';

  const width = Math.max(1, evenParts(outW, TILE_WIDTH));
  const reach = imageTile(g.axes, 1, width);
  const length = packed ? PANEL_DEPTH : DOT_LENGTH;
  const height = evenParts(outH, length / (packed ? width : reach.pitch));
  const isWhole = width >= outW && height >= outH;
  const tile = imageTile(g.axes, height, width);
  const perImage = height * (packed ? width : tile.pitch);
  const images = isWhole ? Math.max(1, Math.min(p.batch, Math.floor(length / perImage))) : 1;
  const units = Math.ceil(p.batch / images) * Math.ceil(outH / height) * Math.ceil(outW / width);

  const outputs = evenParts(g.rows, TILE_OUTPUTS);
  const blocksOf = (channels: number) => g.groups * Math.ceil(g.channels / channels) * Math.ceil(g.rows / outputs);
  let channels = evenParts(g.channels, TILE_CHANNELS);
  while (channels > 4 && units * blocksOf(channels) < TASKS) channels = evenParts(g.channels, channels / 2);
  const blocks = blocksOf(channels);
  const work = count * p.batch * outH * outW;
  const most = Math.min(units, Math.ceil(TASKS / blocks), Math.max(1, Math.floor(work / (blocks * TASK_WORK))));
  const splits = units === 0 ? 0 : most;

  const pitch = Math.ceil((channels * taps) / 4) * 4;
  const depth = images * height * width;
  const gradientPlane = packed ? depth : 16 * (Math.ceil((height * tile.pitch) / 16) | 1);
  const tileAt = 16 * Math.ceil((SPILL_WORDS + channels * taps + (packed ? depth : 0)) / 16);
  const gradientAt = tileAt + 16 * Math.ceil((images * channels * tile.plane + BEHIND_TILE) / 16);
  const gradientWords = outputs * (packed ? depth : images * gradientPlane) + BEHIND_TILE;
  const panelAt = gradientAt + 16 * Math.ceil(gradientWords / 16);
  const vectorsAt = panelAt + (packed ? depth * pitch : 0);
  const end = vectorsAt + (packed ? (VECTOR_WORDS * pitch) / 4 : 0);

  const constants = [
    g.batch,
    g.groups,
    g.rows,
    g.channels,
    ...g.source,
    outH,
    outW,
    ...[rows.stride, columns.stride, rows.origin, columns.origin],
    ...[rows.taps, columns.taps, rows.tapStep, columns.tapStep],
    ...[images, height, width, channels, outputs],
    ...[...tile.phases, tile.phaseRows, tile.pitch, tile.plane, gradientPlane],
    units,
    splits,
    ...[tileAt, gradientAt, panelAt, vectorsAt].map((at) => 4 * at),
  ];
  const tasks = blocks * splits;
  const grain = Math.max(1, Math.floor((TASK_WORK * tasks) / Math.max(1, work)));
  const multiply = { exportName: packed ? 'conv2dWeightPanel' : 'conv2dWeightDots', tasks, grain, constants };
  const sum = { exportName: 'conv2dSumPartials', tasks: Math.ceil(count / SUM_BLOCK), grain: 16, constants };
  return {
    name: packed ? 'packedPanel' : 'innerProducts',
    phases: splits === 1 ? [multiply] : [multiply, sum],
    sharedScratch: 4 * splits * count + 64,
    threadScratch: 4 * (end + BEHIND_TILE),
  };
};
