// A 3x3 convolution of stride 1 by Winograd's F(4x4, 3x3): 36 products make the 16 outputs of a tile for which the plain
// loop needs 144. Filters are transformed once per launch. A task transforms its tiles of the source with the channels last,
// V[product][tile][channel], multiplies them by panels of eight filters, U[panel][product][channel][8], and turns each
// panel's products to outputs. Serves conv2d and, with the turned weights, its input gradient.
// The transforms mix the outputs of a tile: where an output is not finite, its row of tiles is computed again by the plain
// loop, so infinities and NaN reach no further than their windows.
import { fillChannelsLast } from './channels-last.wasm';
import { Correlation, correlate } from './correlate.wasm';
import { fillWords, loadStrided, storePart } from '../simd.wasm';
import { INPUTS, OUTPUTS, PRODUCTS, turnInputs, turnProducts, turnTaps } from '../winograd-transforms.wasm';
import { multiplyPanel, paddedRows, PANEL } from '../winograd-tiles.wasm';

/** What the planner worked out (winograd.ts). Sizes in elements; places and strides in bytes. */
@unmanaged
class Plan {
  weights: i32;
  bias: i32;
  output: i32;
  scratch: i32;
  channels: i32;
  outputs: i32;
  sourceH: i32;
  sourceW: i32;
  height: i32;
  width: i32;
  originRow: i32;
  originColumn: i32;
  /** A unit is a part of a row of tiles; units of all rows of tiles of all images follow one another. */
  units: i32;
  taskUnits: i32;
  segments: i32;
  segmentTiles: i32;
  tilesH: i32;
  tilesW: i32;
  filtersAt: i32;
  filterStride: i32;
  valuesAt: i32;
  valueStride: i32;
  productsAt: i32;
  productStride: i32;
  patchAt: i32;
  turnedAt: i32;
  checksAt: i32;
}

const PARAM_BYTES: usize = 80;
/** Channels whose patches are transformed together: a cache line. */
const BLOCK: i32 = 16;

@inline
function words(count: i32): usize {
  return (<usize>count) << 2;
}

@inline
function buffer(buffers: usize, index: i32): usize {
  return <usize>load<u32>(buffers + words(index));
}

/** U of four filters `lane` bytes apart. */
function turnFilters(from: usize, lane: usize, turned: usize, to: usize, stride: usize): void {
  const taps = turned + 3 * INPUTS * 16;
  for (let k = 0; k < 9; k++) v128.store(taps + ((<usize>k) << 4), loadStrided(from + words(k), lane));
  for (let j: usize = 0; j < 48; j += 16) turnTaps(taps + j, 48, turned + j, 48);
  for (let i = 0; i < INPUTS; i++) {
    turnTaps(turned, 16, to, stride);
    turned += 48;
    to += INPUTS * stride;
  }
}

/** U from weights [outputs][channels][3][3]. Tasks: panels of filters. */
export function conv2dWinogradFilters(params: usize, buffers: usize, begin: i32, end: i32): void {
  const p = changetype<Plan>(params + PARAM_BYTES);
  const weights = buffer(buffers, p.weights);
  const filters = buffer(buffers, p.scratch - 1) + p.filtersAt;
  const turned = buffer(buffers, p.scratch);
  const lane = words(9 * p.channels);
  for (let panel = begin; panel < end; panel++) {
    const to = filters + <usize>panel * PRODUCTS * <usize>p.filterStride;
    const halves = min(PANEL, p.outputs - panel * PANEL) >> 2;
    for (let channel = 0; channel < p.channels; channel++) {
      const from = weights + words(9 * (panel * PANEL * p.channels + channel));
      const write = to + words(PANEL * channel);
      turnFilters(from, lane, turned, write, p.filterStride);
      if (halves > 1) turnFilters(from + 4 * lane, lane, turned, write + 16, p.filterStride);
      else for (let k = 0; k < PRODUCTS; k++) v128.store(write + <usize>(k * p.filterStride), i32x4.splat(0), 16);
    }
  }
}

/** V of four channels of one tile. */
function turnPatch(patch: usize, pixel: usize, pitch: usize, turned: usize, to: usize, stride: usize): void {
  let write = turned;
  const end = turned + INPUTS * 16;
  do {
    turnInputs(patch, pitch, write, INPUTS * 16);
    patch += pixel;
    write += 16;
  } while (write < end);
  const last = turned + PRODUCTS * 16;
  do {
    turnInputs(turned, 16, to, stride);
    turned += INPUTS * 16;
    to += INPUTS * stride;
  } while (turned < last);
}

/** Where the unit stands that was entered last. Of this thread. */
let image: i32 = 0;
let tileRow: i32 = 0;
let firstTile: i32 = 0;
let tiles: i32 = 0;

function enterUnit(p: Plan, unit: i32): void {
  const row = unit / p.segments;
  firstTile = (unit % p.segments) * p.segmentTiles;
  tiles = min(p.segmentTiles, p.tilesW - firstTile);
  image = row / p.tilesH;
  tileRow = row % p.tilesH;
}

/** V of the units [first, end). Returns the number of their tiles. */
function turnSource(p: Plan, source: usize, scratch: usize, first: i32, end: i32): i32 {
  const patch = scratch + p.patchAt;
  const turned = scratch + p.turnedAt;
  const plane = p.sourceH * p.sourceW;
  let count = 0;
  for (let block = 0; block < p.channels; block += BLOCK) {
    const channels = min(BLOCK, p.channels - block);
    const pixel = words(channels);
    count = 0;
    for (let unit = first; unit < end; unit++) {
      enterUnit(p, unit);
      const columns = OUTPUTS * tiles + INPUTS - OUTPUTS;
      fillChannelsLast(
        patch,
        source + words((image * p.channels + block) * plane),
        channels,
        plane,
        p.sourceH,
        p.sourceW,
        tileRow * OUTPUTS + p.originRow,
        firstTile * OUTPUTS + p.originColumn,
        1,
        1,
        INPUTS,
        columns,
      );
      const pitch = pixel * <usize>columns;
      for (let tile = 0; tile < tiles; tile++) {
        const from = patch + <usize>(OUTPUTS * tile) * pixel;
        const to = scratch + p.valuesAt + words((count + tile) * p.channels + block);
        for (let channel: usize = 0; channel < pixel; channel += 16) {
          turnPatch(from + channel, pixel, pitch, turned, to + channel, p.valueStride);
        }
      }
      count += tiles;
    }
  }
  // The register tile reads a few more rows: denormal numbers among them would be slow.
  const behind = paddedRows(count) - count;
  for (let k = 0; k < PRODUCTS; k++) {
    fillWords(scratch + p.valuesAt + <usize>(k * p.valueStride) + words(count * p.channels), 0, behind * p.channels);
  }
  return count;
}

/**
 * Outputs [rows][columns] (4x4 or fewer) of four channels of one tile. Adds to `check` sums in which each of the tile's
 * products has a part, so that one that is not finite shows.
 */
function turnTile(
  products: usize,
  stride: usize,
  turned: usize,
  bias: v128,
  to: usize,
  plane: usize,
  pitch: usize,
  rows: i32,
  columns: i32,
  check: usize,
): void {
  let write = turned;
  const end = turned + INPUTS * 16;
  do {
    turnProducts(products, INPUTS * stride, write, INPUTS * 16);
    products += stride;
    write += 16;
  } while (write < end);
  const line = turned + OUTPUTS * INPUTS * 16;
  let sum = v128.load(check);
  for (let row = 0; row < OUTPUTS; row++) {
    turnProducts(turned, 16, line, 16);
    turned += INPUTS * 16;
    const y0 = v128.load(line);
    const y1 = v128.load(line, 16);
    const y2 = v128.load(line, 32);
    const y3 = v128.load(line, 48);
    sum = f32x4.add(sum, f32x4.add(y0, y3));
    if (row >= rows) continue;
    const low01 = v128.shuffle<i32>(y0, y1, 0, 4, 1, 5);
    const low23 = v128.shuffle<i32>(y2, y3, 0, 4, 1, 5);
    const high01 = v128.shuffle<i32>(y0, y1, 2, 6, 3, 7);
    const high23 = v128.shuffle<i32>(y2, y3, 2, 6, 3, 7);
    const o0 = f32x4.add(v128.shuffle<i64>(low01, low23, 0, 2), v128.shuffle<i32>(bias, bias, 0, 0, 0, 0));
    const o1 = f32x4.add(v128.shuffle<i64>(low01, low23, 1, 3), v128.shuffle<i32>(bias, bias, 1, 1, 1, 1));
    const o2 = f32x4.add(v128.shuffle<i64>(high01, high23, 0, 2), v128.shuffle<i32>(bias, bias, 2, 2, 2, 2));
    const o3 = f32x4.add(v128.shuffle<i64>(high01, high23, 1, 3), v128.shuffle<i32>(bias, bias, 3, 3, 3, 3));
    if (columns == OUTPUTS) {
      v128.store(to, o0);
      v128.store(to + plane, o1);
      v128.store(to + 2 * plane, o2);
      v128.store(to + 3 * plane, o3);
    } else {
      storePart(to, o0, columns);
      storePart(to + plane, o1, columns);
      storePart(to + 2 * plane, o2, columns);
      storePart(to + 3 * plane, o3, columns);
    }
    to += pitch;
  }
  v128.store(check, sum);
}

/** The outputs of one panel of filters for the units [first, end). */
function turnPanel(p: Plan, bias: usize, output: usize, scratch: usize, panel: i32, first: i32, end: i32): void {
  const products = scratch + p.productsAt;
  const turned = scratch + p.turnedAt;
  const plane = words(p.height * p.width);
  let tileAt = products;
  for (let unit = first; unit < end; unit++) {
    enterUnit(p, unit);
    const check = scratch + p.checksAt + ((<usize>(unit - first)) << 4);
    const row = tileRow * OUTPUTS;
    const rows = min(OUTPUTS, p.height - row);
    for (let half = 0; half < PANEL; half += 4) {
      const channel = panel * PANEL + half;
      if (channel >= p.outputs) break;
      const biases = bias ? v128.load(bias + words(channel)) : i32x4.splat(0);
      const column = firstTile * OUTPUTS;
      let to = output + words(((image * p.outputs + channel) * p.height + row) * p.width + column);
      let left = p.width - column;
      for (let tile = 0; tile < tiles; tile++) {
        turnTile(
          tileAt + ((<usize>tile) << 5) + words(half),
          p.productStride,
          turned,
          biases,
          to,
          plane,
          words(p.width),
          rows,
          min(OUTPUTS, left),
          check,
        );
        to += 16;
        left -= OUTPUTS;
      }
    }
    tileAt += (<usize>tiles) << 5;
  }
}

@inline
function isFinite(check: v128): bool {
  return i32x4.all_true(f32x4.eq(f32x4.sub(check, check), i32x4.splat(0)));
}

/** Tasks: parts of the units. */
export function conv2dWinograd(params: usize, buffers: usize, begin: i32, end: i32): void {
  const p = changetype<Plan>(params + PARAM_BYTES);
  const direct = changetype<Correlation>(params + PARAM_BYTES + offsetof<Plan>());
  const source = buffer(buffers, 0);
  const bias: usize = p.bias < 0 ? 0 : buffer(buffers, p.bias);
  const output = buffer(buffers, p.output);
  const scratch = buffer(buffers, p.scratch);
  const filters = buffer(buffers, p.scratch - 1) + p.filtersAt;
  const values = scratch + p.valuesAt;
  const products = scratch + p.productsAt;
  const panels = (p.outputs + PANEL - 1) / PANEL;
  for (let task = begin; task < end; task++) {
    const first = task * p.taskUnits;
    const last = min(p.units, first + p.taskUnits);
    const count = turnSource(p, source, scratch, first, last);
    for (let unit = first; unit < last; unit++) {
      v128.store(scratch + p.checksAt + ((<usize>(unit - first)) << 4), i32x4.splat(0));
    }
    let filter = filters;
    for (let panel = 0; panel < panels; panel++) {
      for (let k = 0; k < PRODUCTS; k++) {
        multiplyPanel(values + <usize>(k * p.valueStride), filter, p.channels, products + <usize>(k * p.productStride), count);
        filter += p.filterStride;
      }
      turnPanel(p, bias, output, scratch, panel, first, last);
    }
    for (let unit = first; unit < last; unit++) {
      if (isFinite(v128.load(scratch + p.checksAt + ((<usize>(unit - first)) << 4)))) continue;
      correlate(direct, source, buffer(buffers, p.weights), bias, output, scratch, unit, unit + 1);
    }
  }
}
