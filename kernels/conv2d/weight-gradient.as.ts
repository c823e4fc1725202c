// The weight gradient: w[o][c][r][s] = sum over images and outputs (p, q) of g[o][p][q] x[c][p strideH + r dilationH - padH][...]
// The sum over images and outputs is cut into units that fit the cache and these into a fixed number of splits, whose
// partial results are added in order. conv2dWeightChannelsLast turns tiles of x to [row][column][c] and adds up outer products
// of g with the runs that the taps meet there: a product with anything but an output would make NaN of an infinity.
import { behind, buffer, words } from '../shared/addresses.as';
import { ceilDivide } from '../shared/integers.as';
import { copyWords, fillWords, storeLanes } from '../shared/simd.as';
import { tableTile, tilesOf } from '../shared/table-tile.as';
import { fillChannelsLast, NoSums } from './channels-last.as';
import { multiply, SPILL_BYTES, TileVector, VECTOR_BYTES } from '../shared/tile-loops.as';
import { FROM_ZERO } from '../shared/tiles.as';
import { ChannelsLastPlan, Conv2dParams, WeightGradientPlan } from './params.as';
import { LEAST_ROWS, multiplyPanel, paddedRows } from './panel-tiles.as';

/** Bytes of eight sums, and of what they are made of. */
const PANEL_ROW: usize = 32;
/** Weights summed by one task of conv2dSumPartials. */
const SUM_BLOCK: i32 = 1024;

/** Where one task and one of its units stand. Of this thread, while its task runs. */
let group: i32 = 0;
let firstChannel: i32 = 0;
let channels: i32 = 0;
let firstOutput: i32 = 0;
let outputs: i32 = 0;
let firstUnit: i32 = 0;
let endUnit: i32 = 0;
let result: usize = 0;
let image: i32 = 0;
let images: i32 = 0;
let row: i32 = 0;
let height: i32 = 0;
let column: i32 = 0;
let width: i32 = 0;

/** Tasks: (split, group, block of input channels, block of output channels), the last fastest. */
function enterTask(p: ChannelsLastPlan, task: i32, target: usize): void {
  const outputBlocks = ceilDivide(p.rows, p.tileOutputs);
  const channelBlocks = ceilDivide(p.channels, p.tileChannels);
  firstOutput = (task % outputBlocks) * p.tileOutputs;
  outputs = min(p.tileOutputs, p.rows - firstOutput);
  task /= outputBlocks;
  firstChannel = (task % channelBlocks) * p.tileChannels;
  channels = min(p.tileChannels, p.channels - firstChannel);
  task /= channelBlocks;
  group = task % p.groups;
  const split = task / p.groups;
  firstUnit = (split * p.units) / p.splits;
  endUnit = ((split + 1) * p.units) / p.splits;
  const at = ((split * p.groups + group) * p.rows + firstOutput) * p.channels + firstChannel;
  result = target + ((<usize>(at * p.tapRows * p.tapColumns)) << 2);
}

/** Units: (images, row tile, column tile), the last fastest. */
function enterUnit(p: ChannelsLastPlan, unit: i32): void {
  const tilesW = ceilDivide(p.outW, p.tileWidth);
  const tilesH = ceilDivide(p.outH, p.tileHeight);
  column = (unit % tilesW) * p.tileWidth;
  width = min(p.tileWidth, p.outW - column);
  unit /= tilesW;
  row = (unit % tilesH) * p.tileHeight;
  height = min(p.tileHeight, p.outH - row);
  image = (unit / tilesH) * p.tileImages;
  images = min(p.tileImages, p.batch - image);
}

@inline
function outputPlaneAt(p: ChannelsLastPlan, i: i32): i32 {
  return (((image + i) * p.groups + group) * p.rows + firstOutput) * p.outH * p.outW;
}

/** Places of the unit's outputs in the tile, image by image. */
function fillPositions(p: ChannelsLastPlan, positions: usize): void {
  const stepRow = (p.strideH / p.stepH) * p.tileColumns;
  const stepColumn = p.strideW / p.stepW;
  const place = (<usize>channels) << 2;
  for (let i = 0; i < images; i++) {
    for (let t = 0; t < height; t++) {
      let at = <usize>(i * p.tileRows * p.tileColumns + t * stepRow) * place;
      for (let u = 0; u < width; u++) {
        store<u32>(positions, <u32>at);
        positions += 4;
        at += <usize>stepColumn * place;
      }
    }
  }
}

/** Whether the taps of a kernel's row meet neighbouring columns of the tile, and are not told apart. */
@inline
function areTapsJoined(p: ChannelsLastPlan): bool {
  return !p.bordered && p.tapColumnStep == p.stepW;
}

/** Words of the sums that belong to one run of the tile: the channels of the taps that are joined, and a rest. */
@inline
function runWords(p: ChannelsLastPlan): i32 {
  // Each tap has panels of its own where its terms are.
  if (p.bordered) return (channels + 7) & ~7;
  return ((areTapsJoined(p) ? p.tapColumns : 1) * channels + 3) & ~3;
}

/** The vectors of a row of sums, an even number of them. Returns how many. */
function fillRuns(p: ChannelsLastPlan, vectors: usize, tile: usize, sums: usize): i32 {
  const runs = areTapsJoined(p) ? p.tapRows : p.tapRows * p.tapColumns;
  const runsPerRow = runs / p.tapRows;
  const perRun = runWords(p) >> 2;
  const count = (runs * perRun + 1) & ~1;
  for (let v = 0; v < count; v++) {
    const run = min(v / perRun, runs - 1);
    const within = v - run * perRun;
    const tapRow = ((run / runsPerRow) * p.tapRowStep) / p.stepH;
    const tapColumn = ((run % runsPerRow) * p.tapColumnStep) / p.stepW;
    const vector = changetype<TileVector>(vectors + <usize>v * VECTOR_BYTES);
    // The vector that makes the number even reads what the one before it does.
    const x = (tapRow * p.tileColumns + tapColumn) * channels + 4 * min(within, perRun - 1);
    vector.x = tile + ((<usize>x) << 2);
    vector.c = sums + ((<usize>v) << 4);
    vector.count = 4;
  }
  return count;
}

/**
 * Tasks as enterTask has them. A unit's sums[o][run] start from zero and are added to the totals of its task: two short sums
 * round less than one over all images. The totals are then sorted into the result.
 */
export function conv2dWeightChannelsLast(params: Conv2dParams, buffers: usize, begin: i32, end: i32): void {
  const p = changetype<ChannelsLastPlan>(behind(params));
  const x = buffer(buffers, 0);
  const g = buffer(buffers, 1);
  const scratch = buffer(buffers, 4);
  const target = p.splits > 1 ? buffer(buffers, 3) : buffer(buffers, 2);
  const tile = scratch + p.tileAt;
  const gradient = scratch + p.gradientAt;
  const sums = scratch + p.sumsAt;
  const totals = scratch + p.totalsAt;
  const vectors = scratch + p.vectorsAt;
  const positions = scratch + SPILL_BYTES;
  const panel = scratch + p.panelAt;
  const sourcePlane = p.sourceH * p.sourceW;
  for (let task = begin; task < end; task++) {
    enterTask(p, task, target);
    const count = fillRuns(p, vectors, tile, sums);
    const rowBytes = (<usize>count) << 4;
    // With fewer rows than a register tile has, more columns hide its latency.
    const arePanels = outputs >= LEAST_ROWS;
    const panelBytes = <usize>paddedRows(outputs) * PANEL_ROW;
    for (let unit = firstUnit; unit < endUnit; unit++) {
      enterUnit(p, unit);
      for (let i = 0; i < images; i++) {
        const channelAt = ((image + i) * p.groups + group) * p.channels + firstChannel;
        fillChannelsLast<NoSums>(
          tile + ((<usize>(i * p.tileRows * p.tileColumns * channels)) << 2),
          x + ((<usize>(channelAt * sourcePlane)) << 2),
          channels,
          sourcePlane,
          p.sourceH,
          p.sourceW,
          row * p.strideH + p.originRow,
          column * p.strideW + p.originColumn,
          p.stepH,
          p.stepW,
          p.tileRows,
          p.tileColumns,
          0,
          0,
        );
      }
      const depth = images * height * width;
      packGradient(p, g, gradient, depth);
      fillPositions(p, positions);
      if (p.bordered) {
        multiplyBordered(p, gradient, depth, positions, vectors, count, panel, sums, scratch + p.tableAt);
      } else if (arePanels) {
        let to = sums;
        for (let v = 0; v < count; v += 2) {
          packPanel(panel, vectors + <usize>v * VECTOR_BYTES, positions, depth);
          multiplyPanel(gradient, panel, depth, to, outputs);
          to += panelBytes;
        }
      } else {
        const lda = (<usize>depth) << 2;
        multiply(gradient, lda, outputs, positions, depth, vectors, count, rowBytes, 4, FROM_ZERO, scratch);
      }
      const bytes = arePanels ? <usize>(count >> 1) * panelBytes : <usize>outputs * rowBytes;
      if (endUnit > firstUnit + 1) addSums(totals, sums, bytes, unit > firstUnit);
    }
    const from = endUnit > firstUnit + 1 ? totals : sums;
    if (arePanels) sortSums(p, from, PANEL_ROW, panelBytes);
    else sortSums(p, from, rowBytes, PANEL_ROW);
  }
}

/** totals += sums, or the sums as they are where nothing stands in the totals. Whole vectors. */
function addSums(totals: usize, sums: usize, bytes: usize, isAdded: bool): void {
  if (!isAdded) return memory.copy(totals, sums, bytes);
  for (let at: usize = 0; at < bytes; at += 16) {
    v128.store(totals + at, f32x4.add(v128.load(totals + at), v128.load(sums + at)));
  }
}

/** panel[output][0..8): what the unit's outputs meet of two vectors of the sums, side by side. */
function packPanel(panel: usize, vectors: usize, positions: usize, depth: i32): void {
  const left = changetype<TileVector>(vectors).x;
  const right = changetype<TileVector>(vectors + VECTOR_BYTES).x;
  const end = positions + ((<usize>depth) << 2);
  while (positions < end) {
    const at = <usize>load<u32>(positions);
    v128.store(panel, v128.load(left + at));
    v128.store(panel, v128.load(right + at), 16);
    panel += PANEL_ROW;
    positions += 4;
  }
}

/** The outputs of the unit that meet a tap inside the image: their places in the tile, and in a row of the gradient. */
function fillMet(p: ChannelsLastPlan, tap: i32, positions: usize, places: usize, table: usize): i32 {
  const tapRow = p.originRow + (tap / p.tapColumns) * p.tapRowStep;
  const tapColumn = p.originColumn + (tap % p.tapColumns) * p.tapColumnStep;
  let count = 0;
  let output = 0;
  for (let i = 0; i < images; i++) {
    for (let t = 0; t < height; t++) {
      const sourceRow = tapRow + t * p.strideH;
      const isInside = sourceRow >= 0 && sourceRow < p.sourceH;
      for (let u = 0; u < width; u++) {
        const sourceColumn = tapColumn + u * p.strideW;
        if (isInside && sourceColumn >= 0 && sourceColumn < p.sourceW) {
          store<u32>(places + words(count), load<u32>(positions + words(output)));
          store<u32>(table + words(count), output << 2);
          count++;
        }
        output++;
      }
    }
  }
  return count;
}

/** The sums of a unit that is a small map: each tap's without the outputs for which it meets nothing but padding. */
function multiplyBordered(
  p: ChannelsLastPlan,
  gradient: usize,
  depth: i32,
  positions: usize,
  vectors: usize,
  count: i32,
  panel: usize,
  sums: usize,
  table: usize,
): void {
  const taps = p.tapRows * p.tapColumns;
  const perTap = count / taps;
  const panelBytes = <usize>paddedRows(outputs) * PANEL_ROW;
  const places = table + words(depth);
  const lda = words(depth);
  const tiles = tilesOf(outputs);
  fillWords(sums, 0, <i32>((<usize>(count >> 1) * panelBytes) >> 2));
  for (let tap = 0; tap < taps; tap++) {
    const k = fillMet(p, tap, positions, places, table);
    for (let v = 0; v < perTap; v += 2) {
      packPanel(panel, vectors, places, k);
      for (let tile = 0; tile < tiles; tile++) {
        const row = (tile * outputs) / tiles;
        const rows = ((tile + 1) * outputs) / tiles - row;
        const to = sums + <usize>row * PANEL_ROW;
        tableTile(rows, gradient + <usize>row * lda, lda, table, k, panel, PANEL_ROW, to, PANEL_ROW);
      }
      vectors += 2 * VECTOR_BYTES;
      sums += panelBytes;
    }
  }
}

/** result[o][c][r][s] = sums[o] at channel c of tap (r, s). Eight of a row stand together: bytes to the next row and eight. */
function sortSums(p: ChannelsLastPlan, sums: usize, rowStep: usize, panelStep: usize): void {
  const taps = p.tapRows * p.tapColumns;
  const run = runWords(p);
  const isJoined = areTapsJoined(p);
  const step = (<usize>taps) << 2;
  let to = result;
  for (let o = 0; o < outputs; o++) {
    for (let tap = 0; tap < taps; tap++) {
      const place = isJoined ? (tap / p.tapColumns) * run + (tap % p.tapColumns) * channels : tap * run;
      let write = to + ((<usize>tap) << 2);
      let at = place;
      const end = place + channels;
      // Four that stand together: one load.
      if (!(place & 3)) {
        for (; at + 4 <= end; at += 4) {
          const four = v128.load(sums + <usize>(at >> 3) * panelStep + ((<usize>(at & 4)) << 2));
          v128.store32_lane(write, four, 0);
          v128.store32_lane(write + step, four, 1);
          v128.store32_lane(write + 2 * step, four, 2);
          v128.store32_lane(write + 3 * step, four, 3);
          write += 4 * step;
        }
      }
      for (; at < end; at++) {
        store<u32>(write, load<u32>(sums + <usize>(at >> 3) * panelStep + ((<usize>(at & 7)) << 2)));
        write += step;
      }
    }
    to += (<usize>(p.channels * taps)) << 2;
    sums += rowStep;
  }
}

/** gradient[o][output] of the unit, `depth` outputs. */
function packGradient(p: ChannelsLastPlan, g: usize, gradient: usize, depth: i32): void {
  const plane = p.outH * p.outW;
  const isWhole = width == p.outW;
  const runs = isWhole ? 1 : height;
  const run = isWhole ? height * width : width;
  for (let i = 0; i < images; i++) {
    let from = g + ((<usize>(outputPlaneAt(p, i) + row * p.outW + column)) << 2);
    let to = gradient + ((<usize>(i * height * width)) << 2);
    for (let o = 0; o < outputs; o++) {
      for (let t = 0; t < runs; t++) {
        copyWords(to + ((<usize>(t * width)) << 2), from + ((<usize>(t * p.outW)) << 2), run);
      }
      from += (<usize>plane) << 2;
      to += (<usize>depth) << 2;
    }
  }
}

/** w = the partial results of all splits, added in order. Tasks: blocks of weights. */
export function conv2dSumPartials(params: Conv2dParams, buffers: usize, begin: i32, end: i32): void {
  const p = changetype<WeightGradientPlan>(behind(params));
  const partials = buffer(buffers, 3);
  const w = buffer(buffers, 2);
  const count = p.groups * p.rows * p.channels * p.tapRows * p.tapColumns;
  for (let i = begin * SUM_BLOCK; i < min(count, end * SUM_BLOCK); i += 4) {
    let sum = i32x4.splat(0);
    for (let split = 0; split < p.splits; split++) {
      sum = f32x4.add(sum, v128.load(partials + ((<usize>(split * count + i)) << 2)));
    }
    storeLanes(w + ((<usize>i) << 2), sum, min(4, count - i));
  }
}
