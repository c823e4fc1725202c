// A 3x3 convolution of stride 1, dilated or not, by Winograd's F(4x4, 3x3): 36 products make the 16 outputs of a tile for which
// the plain loop needs 144. A task transforms its tiles of the source with the channels last, V[product][tile][channel],
// multiplies them by panels of eight filters, U[panel][product][channel][8], and turns each panel's products to outputs.
// Filters are transformed once per launch: in a phase before the tiles, or by the only task that needs them. Serves conv2d and
// its input gradient, which reads the weights with the channels exchanged and the last tap first.
// The transforms mix the outputs of a tile and the taps of a filter: tiles and filters that are too uneven for that, have
// infinities or NaN, or are so simple that a plain sum would be exact, are left to the plain loop (winograd-guard.as.ts).
import { buffer, CONVOLUTION_BYTES, words } from '../shared/addresses.as';
import { correlate } from './correlate.as';
import { Correlation } from './params.as';
import { ceilDivide } from '../shared/integers.as';
import { copyWords, fillWords, loadStrided, storePart } from '../shared/simd.as';
import {
  INPUTS,
  OUTPUTS,
  PRODUCTS,
  SourceLine,
  turned0,
  turned1,
  turned2,
  turned3,
  turnProducts,
  turnTaps,
} from './winograd-transforms.as';
import { PixelSums } from './channels-last.as';
import {
  addTaps,
  describeFilters,
  FILTER_SUMS_BYTES,
  FilterSums,
  isTrusted,
  leastTrust,
  TileWatch,
  Trust,
  TRUST_BYTES,
} from './winograd-guard.as';
import { gridSize, locate, Plane, TileGrid, turnImage, Unit } from './winograd-image.as';
import { multiplyPanel, paddedRows, PANEL } from './winograd-tiles.as';

/**
 * What the planner worked out (winograd.ts), behind the grid of tiles, the plane of the source and the watch over its tiles. Places
 * and strides in bytes.
 */
@unmanaged
class Plan {
  weights: i32;
  bias: i32;
  output: i32;
  scratch: i32;
  channels: i32;
  outputs: i32;
  height: i32;
  width: i32;
  units: i32;
  taskUnits: i32;
  /** From one filter to the next, and from one of its channels to the next. */
  filterStep: i32;
  channelStep: i32;
  /** The first tap of a filter, and the step to the next tap. */
  firstTap: i32;
  tapStep: i32;
  /** 1: filters are transformed by the tasks, in the thread's scratch. */
  isOwn: i32;
  /** Panels of a task, and tasks that share their units. */
  blockPanels: i32;
  blocks: i32;
  filtersAt: i32;
  filterStride: i32;
  valuesAt: i32;
  valueStride: i32;
  productsAt: i32;
  productStride: i32;
  turnedAt: i32;
  /** What the plain loop needs: a unit, its correlation and its filters. */
  repeatAt: i32;
  /** Descriptions of the worst of the task's tiles and of its panels. */
  trustAt: i32;
}

const TAPS: i32 = 9;

/** Bytes of a transformed panel: its filters and their description. */
@inline
function panelBytes(p: Plan): usize {
  return PRODUCTS * <usize>p.filterStride + 64;
}

/** Where the description of a transformed panel stands. */
@inline
function trustOf(p: Plan, filters: usize): usize {
  return filters + PRODUCTS * <usize>p.filterStride;
}

@inline
function gridOf(params: usize): TileGrid {
  return changetype<TileGrid>(params + CONVOLUTION_BYTES);
}

@inline
function planOf(params: usize): Plan {
  const watchAt = params + CONVOLUTION_BYTES + offsetof<TileGrid>() + offsetof<Plane>();
  return changetype<Plan>(watchAt + offsetof<TileWatch>());
}

/** U of four filters `lane` bytes apart, whose taps are `tapStep` bytes apart. */
function turnFilters(from: usize, lane: usize, tapStep: usize, turned: usize, to: usize, stride: usize): void {
  const taps = turned + 3 * INPUTS * 16;
  for (let k = 0; k < TAPS; k++) {
    v128.store(taps + ((<usize>k) << 4), loadStrided(from, lane));
    from += tapStep;
  }
  for (let j: usize = 0; j < 48; j += 16) turnTaps(taps + j, 48, turned + j, 48);
  for (let i = 0; i < INPUTS; i++) {
    turnTaps(turned, 16, to, stride);
    turned += 48;
    to += INPUTS * stride;
  }
}

/** U of one panel, and its description. */
function turnFilterPanel(p: Plan, weights: usize, panel: i32, turned: usize, filters: usize): void {
  const lane = <usize>p.filterStep;
  const tapStep = <usize>p.tapStep;
  const outputs = min(PANEL, p.outputs - panel * PANEL);
  const first = weights + <usize>p.firstTap + <usize>(panel * PANEL) * lane;
  const taps = turned + 3 * INPUTS * 16;
  const sums = taps + TAPS * 16;
  let from = first;
  let to = filters;
  for (let channel = 0; channel < p.channels; channel++) {
    turnFilters(from, lane, tapStep, turned, to, p.filterStride);
    addTaps(taps, changetype<FilterSums>(sums), channel == 0);
    if (outputs > 4) {
      turnFilters(from + 4 * lane, lane, tapStep, turned, to + 16, p.filterStride);
      addTaps(taps, changetype<FilterSums>(sums + FILTER_SUMS_BYTES), channel == 0);
    } else for (let k = 0; k < PRODUCTS; k++) v128.store(to + <usize>(k * p.filterStride), i32x4.splat(0), 16);
    from += <usize>p.channelStep;
    to += words(PANEL);
  }
  const lowest = first + <usize>min(0, (TAPS - 1) * p.tapStep);
  const trust = changetype<Trust>(trustOf(p, filters));
  describeFilters(trust, lowest, lane, <usize>p.channelStep, outputs, p.channels, sums);
}

/** The filters of one panel as the plain loop wants them, [filter][channel][tap]. Returns where those of panel 0 would stand. */
function orderFilters(p: Plan, weights: usize, panel: i32, ordered: usize): usize {
  let to = ordered;
  for (let filter = panel * PANEL; filter < min(p.outputs, (panel + 1) * PANEL); filter++) {
    for (let channel = 0; channel < p.channels; channel++) {
      const from = weights + <usize>(p.firstTap + filter * p.filterStep + channel * p.channelStep);
      for (let tap = 0; tap < TAPS; tap++) {
        store<u32>(to, load<u32>(from + <usize>(tap * p.tapStep)));
        to += 4;
      }
    }
  }
  return ordered - words(panel * PANEL * p.channels * TAPS);
}

/** Tasks: panels of filters. */
export function conv2dWinogradFilters(params: usize, buffers: usize, begin: i32, end: i32): void {
  const p = planOf(params);
  const weights = buffer(buffers, p.weights);
  const filters = buffer(buffers, p.scratch - 1) + p.filtersAt;
  const turned = buffer(buffers, p.scratch);
  for (let panel = begin; panel < end; panel++) {
    turnFilterPanel(p, weights, panel, turned, filters + <usize>panel * panelBytes(p));
  }
}

/** V of the units [first, end). Returns the number of their tiles. */
function turnSource(grid: TileGrid, p: Plan, source: usize, scratch: usize, first: i32, end: i32): i32 {
  const plane = changetype<Plane>(changetype<usize>(grid) + offsetof<TileGrid>());
  const values = scratch + p.valuesAt;
  const stride = <usize>p.valueStride;
  const watch = changetype<TileWatch>(changetype<usize>(plane) + offsetof<Plane>());
  const channels = p.channels;
  const count = turnImage<SourceLine, PixelSums>(
    grid,
    plane,
    source,
    0,
    channels,
    scratch,
    values,
    stride,
    first,
    end,
    watch,
  );
  // The register tile reads a few more rows: denormal numbers among them would be slow.
  const behind = paddedRows(count) - count;
  for (let k = 0; k < PRODUCTS; k++) {
    fillWords(values + <usize>k * stride + words(count * p.channels), 0, behind * p.channels);
  }
  return count;
}

/** Four channels of one output. */
@inline
function putOutput(to: usize, plane: usize, y: v128): void {
  v128.store32_lane(to, y, 0);
  v128.store32_lane(to + plane, y, 1);
  v128.store32_lane(to + 2 * plane, y, 2);
  v128.store32_lane(to + 3 * plane, y, 3);
}

/** As putRow for columns that are `step` bytes apart. */
@inline
function spreadRow(to: usize, plane: usize, y0: v128, y1: v128, y2: v128, y3: v128, columns: i32, step: usize): void {
  putOutput(to, plane, y0);
  if (columns > 1) putOutput(to + step, plane, y1);
  if (columns > 2) putOutput(to + 2 * step, plane, y2);
  if (columns > 3) putOutput(to + 3 * step, plane, y3);
}

/** One row of outputs of four channels: y0 to y3 hold its columns, of which the last may stand outside the image. */
@inline
function putRow(to: usize, plane: usize, y0: v128, y1: v128, y2: v128, y3: v128, columns: i32): void {
  const low01 = v128.shuffle<i32>(y0, y1, 0, 4, 1, 5);
  const low23 = v128.shuffle<i32>(y2, y3, 0, 4, 1, 5);
  const high01 = v128.shuffle<i32>(y0, y1, 2, 6, 3, 7);
  const high23 = v128.shuffle<i32>(y2, y3, 2, 6, 3, 7);
  const o0 = v128.shuffle<i64>(low01, low23, 0, 2);
  const o1 = v128.shuffle<i64>(low01, low23, 1, 3);
  const o2 = v128.shuffle<i64>(high01, high23, 0, 2);
  const o3 = v128.shuffle<i64>(high01, high23, 1, 3);
  const to2 = to + 2 * plane;
  if (columns >= OUTPUTS) {
    v128.store(to, o0);
    v128.store(to + plane, o1);
    v128.store(to2, o2);
    v128.store(to2 + plane, o3);
  } else {
    storePart(to, o0, columns);
    storePart(to + plane, o1, columns);
    storePart(to2, o2, columns);
    storePart(to2 + plane, o3, columns);
  }
}

/** A' M A: outputs of four channels for a row of tiles, up to four `rows` of `width` elements that are `step` bytes apart. */
function turnTiles(
  products: usize,
  stride: usize,
  turned: usize,
  bias: v128,
  to: usize,
  plane: usize,
  pitch: usize,
  rows: i32,
  width: i32,
  step: usize,
): void {
  const endLine = turned + INPUTS * 16;
  do {
    let from = products;
    let write = turned;
    do {
      turnProducts(from, INPUTS * stride, write, INPUTS * 16);
      from += stride;
      write += 16;
    } while (write < endLine);
    let row = to;
    let line = turned;
    for (let i = 0; i < min(OUTPUTS, rows); i++) {
      // As turnProducts, in registers.
      const m1 = v128.load(line, 16);
      const m2 = v128.load(line, 32);
      const m3 = v128.load(line, 48);
      const m4 = v128.load(line, 64);
      const evenA = f32x4.add(m1, m2);
      const oddA = f32x4.sub(m1, m2);
      const evenB = f32x4.add(m3, m4);
      const oddB = f32x4.sub(m3, m4);
      const y0 = f32x4.add(turned0(v128.load(line), evenA, evenB), bias);
      const y1 = f32x4.add(turned1(oddA, oddB), bias);
      const y2 = f32x4.add(turned2(evenA, evenB), bias);
      const y3 = f32x4.add(turned3(oddA, oddB, v128.load(line, 80)), bias);
      if (step == 4) putRow(row, plane, y0, y1, y2, y3, width);
      else spreadRow(row, plane, y0, y1, y2, y3, width, step);
      line += INPUTS * 16;
      row += pitch;
    }
    products += PANEL * 4;
    to += OUTPUTS * step;
    width -= OUTPUTS;
  } while (width > 0);
}

/** The outputs of one panel of filters for the units [first, end). */
function turnPanel(
  grid: TileGrid,
  p: Plan,
  bias: usize,
  output: usize,
  scratch: usize,
  panel: i32,
  first: i32,
  end: i32,
): void {
  const plane = words(p.height * p.width);
  const step = words(grid.dilation);
  const pitch = step * <usize>p.width;
  const turned = scratch + p.turnedAt;
  const at = changetype<Unit>(scratch + p.repeatAt);
  let tileAt = scratch + p.productsAt;
  for (let unit = first; unit < end; unit++) {
    locate(grid, unit, at);
    const row = at.tileRow * OUTPUTS;
    const column = at.firstTile * OUTPUTS;
    const rows = min(OUTPUTS, gridSize(p.height, at.row, grid.dilation) - row);
    const width = min(gridSize(p.width, at.column, grid.dilation) - column, OUTPUTS * at.tiles);
    const pixel = (at.row + row * grid.dilation) * p.width + at.column + column * grid.dilation;
    for (let half = 0; half < PANEL && rows > 0 && width > 0; half += 4) {
      const channel = panel * PANEL + half;
      if (channel >= p.outputs) break;
      const biases = bias ? v128.load(bias + words(channel)) : i32x4.splat(0);
      const to = output + words(pixel) + <usize>(at.image * p.outputs + channel) * plane;
      turnTiles(tileAt + words(half), p.productStride, turned, biases, to, plane, pitch, rows, width, step);
    }
    tileAt += words(PANEL * at.tiles);
  }
}

/**
 * The outputs of `tiles` tiles of a unit, from `firstTile` of it on, and of one panel by the plain loop. `direct`: what all grids of
 * tiles have in common.
 */
function repeatTiles(
  grid: TileGrid,
  p: Plan,
  direct: Correlation,
  source: usize,
  weights: usize,
  bias: usize,
  output: usize,
  scratch: usize,
  unit: i32,
  firstTile: i32,
  tiles: i32,
  panel: i32,
): void {
  const at = changetype<Unit>(scratch + p.repeatAt);
  const own = changetype<Correlation>(scratch + p.repeatAt + offsetof<Unit>());
  const filters = scratch + p.repeatAt + offsetof<Unit>() + offsetof<Correlation>();
  locate(grid, unit, at);
  copyWords(changetype<usize>(own), changetype<usize>(direct), offsetof<Correlation>() >> 2);
  const row = OUTPUTS * at.tileRow;
  const column = OUTPUTS * (at.firstTile + firstTile);
  own.height = min(OUTPUTS, gridSize(p.height, at.row, grid.dilation) - row);
  own.width = min(OUTPUTS * tiles, gridSize(p.width, at.column, grid.dilation) - column);
  if (own.height <= 0 || own.width <= 0) return;
  own.rowOffset = at.row + row * grid.dilation;
  own.columnOffset = at.column + column * grid.dilation;
  own.originRow += own.rowOffset;
  own.originColumn += own.columnOffset;
  const task = at.image * ceilDivide(p.outputs, PANEL) + panel;
  const ordered = orderFilters(p, weights, panel, filters);
  correlate(own, source, ordered, bias, output, scratch, task, task + 1);
}

/** Whether a panel takes any of `count` tiles. */
function takesAny(tiles: usize, count: i32, panel: usize): bool {
  for (let tile = 0; tile < count; tile++) if (isTrusted(tiles + <usize>tile * TRUST_BYTES, panel)) return true;
  return false;
}

/** Tasks: (part of the units, block of panels), the last fastest. */
export function conv2dWinograd(params: usize, buffers: usize, begin: i32, end: i32): void {
  const p = planOf(params);
  const grid = gridOf(params);
  const watch = changetype<TileWatch>(changetype<usize>(p) - offsetof<TileWatch>());
  const direct = changetype<Correlation>(changetype<usize>(p) + offsetof<Plan>());
  const source = buffer(buffers, 0);
  const bias: usize = p.bias < 0 ? 0 : buffer(buffers, p.bias);
  const output = buffer(buffers, p.output);
  const scratch = buffer(buffers, p.scratch);
  const weights = buffer(buffers, p.weights);
  const filters = (p.isOwn ? scratch : buffer(buffers, p.scratch - 1)) + p.filtersAt;
  const values = scratch + p.valuesAt;
  const products = scratch + p.productsAt;
  const panels = ceilDivide(p.outputs, PANEL);
  const tileTrusts = scratch + watch.trustAt;
  const worst = scratch + p.trustAt;
  const panelTrusts = worst + TRUST_BYTES;
  for (let task = begin; task < end; task++) {
    const block = task % p.blocks;
    const first = (task / p.blocks) * p.taskUnits;
    const last = min(p.units, first + p.taskUnits);
    const count = turnSource(grid, p, source, scratch, first, last);
    leastTrust(changetype<Trust>(worst), tileTrusts, count);
    const firstPanel = block * p.blockPanels;
    const endPanel = min(panels, firstPanel + p.blockPanels);
    let trust = panelTrusts;
    for (let panel = firstPanel; panel < endPanel; panel++) {
      let filter = filters;
      if (p.isOwn) turnFilterPanel(p, weights, panel, scratch + p.turnedAt, filter);
      else filter += <usize>panel * panelBytes(p);
      // The plain loop's scratch is where the filters are.
      v128.store(trust, v128.load(trustOf(p, filter)));
      if (isTrusted(worst, trust) || takesAny(tileTrusts, count, trust)) {
        for (let k = 0; k < PRODUCTS; k++) {
          multiplyPanel(
            values + <usize>(k * p.valueStride),
            filter,
            p.channels,
            products + <usize>(k * p.productStride),
            count,
          );
          filter += p.filterStride;
        }
        turnPanel(grid, p, bias, output, scratch, panel, first, last);
      }
      trust += TRUST_BYTES;
    }
    trust = panelTrusts - TRUST_BYTES;
    for (let panel = firstPanel; panel < endPanel; panel++) {
      trust += TRUST_BYTES;
      if (isTrusted(worst, trust)) continue;
      let tile = tileTrusts;
      for (let unit = first; unit < last; unit++) {
        const tiles = min(grid.segmentTiles, grid.tilesW - (unit % grid.segments) * grid.segmentTiles);
        let run = 0;
        for (let i = 0; i <= tiles; i++) {
          if (i < tiles && !isTrusted(tile + <usize>i * TRUST_BYTES, trust)) run++;
          else if (run > 0) {
            repeatTiles(grid, p, direct, source, weights, bias, output, scratch, unit, i - run, run, panel);
            run = 0;
          }
        }
        tile += <usize>tiles * TRUST_BYTES;
      }
    }
  }
}
