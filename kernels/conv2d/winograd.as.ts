// A 3x3 convolution of stride 1, dilated or not, by Winograd's F(4x4, 3x3): 36 products make the 16 outputs of a tile for which
// the plain loop needs 144. A task transforms its tiles of the source with the channels last, V[product][tile][channel],
// multiplies them by panels of eight filters, U[panel][product][channel][8], and turns each panel's products to outputs.
// Filters are transformed once per launch: in a phase before the tiles, or by the only task that needs them. Serves conv2d and
// its input gradient, which reads the weights with the channels exchanged and the last tap first.
// The transforms mix the outputs of a tile and the taps of a filter: tiles and filters that are too uneven for that, have
// infinities or NaN, or are so simple that a plain sum would be exact, are left to the plain loop (winograd-guard.as.ts).
import { behind, buffer, words } from '../shared/addresses.as';
import { ceilDivide } from '../shared/integers.as';
import { copyWords, fillWords } from '../shared/simd.as';
import { PixelSums } from './channels-last.as';
import { correlate } from './correlate.as';
import { Conv2dParams, Correlation, TileGrid, WinogradPlan } from './params.as';
import { orderFilters, panelBytes, trustOf, turnFilterPanel } from './winograd-filters.as';
import { isTrusted, SIGNIFICAND, Trust, TRUST_BYTES } from './winograd-guard.as';
import { gridSize, locate, turnImage, Unit } from './winograd-image.as';
import { turnPanel } from './winograd-outputs.as';
import { gridOf, planeOf, planOf, watchOf } from './winograd-plan.as';
import { describeLook, describeTiles, TileLook } from './winograd-tile-guard.as';
import { multiplyPanel, paddedRows, PANEL } from './panel-tiles.as';
import { OUTPUTS, PRODUCTS, SourceLine } from './winograd-transforms.as';

/** V of the units [first, end). Returns the number of their tiles. */
function turnSource(grid: TileGrid, p: WinogradPlan, source: usize, scratch: usize, first: i32, end: i32): i32 {
  const plane = planeOf(grid);
  const values = scratch + p.valuesAt;
  const stride = <usize>p.valueStride;
  const watch = watchOf(grid);
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

/**
 * The outputs of `tiles` tiles of a unit, from `firstTile` of it on, and of one panel by the plain loop, with its filters as
 * orderFilters has them. `direct`: what all grids of tiles have in common.
 */
function repeatTiles(
  grid: TileGrid,
  p: WinogradPlan,
  direct: Correlation,
  source: usize,
  ordered: usize,
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
  correlate(own, source, ordered, bias, output, scratch, task, task + 1);
}

/** Describes each of a task's tiles, see describeTiles. */
function describeAll(grid: TileGrid, source: usize, scratch: usize, at: Unit, first: i32, end: i32, wanted: i32): void {
  const watch = watchOf(grid);
  const look = changetype<TileLook>(scratch + watch.lookAt);
  describeTiles(watch, grid, planeOf(grid), source, scratch, at, look, first, end, wanted);
}

/** Whether a panel takes any of `count` tiles. */
function takesAny(tiles: usize, count: i32, panel: usize): bool {
  for (let tile = 0; tile < count; tile++) if (isTrusted(tiles + <usize>tile * TRUST_BYTES, panel)) return true;
  return false;
}

/** Tasks: (part of the units, block of panels), the last fastest. */
export function conv2dWinograd(params: Conv2dParams, buffers: usize, begin: i32, end: i32): void {
  const p = planOf(params);
  const grid = gridOf(params);
  const watch = watchOf(grid);
  const direct = changetype<Correlation>(behind(p));
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
  const repeatedFilters = scratch + p.repeatAt + offsetof<Unit>() + offsetof<Correlation>();
  const worst = scratch + p.trustAt;
  const panelTrusts = worst + TRUST_BYTES;
  for (let task = begin; task < end; task++) {
    const block = task % p.blocks;
    const first = (task / p.blocks) * p.taskUnits;
    const last = min(p.units, first + p.taskUnits);
    const count = turnSource(grid, p, source, scratch, first, last);
    describeLook(changetype<TileLook>(scratch + watch.lookAt), watch.terms, changetype<Trust>(worst));
    // Bits up to which the tiles have been described: panels of full significands want one.
    let described = 0;
    const firstPanel = block * p.blockPanels;
    const endPanel = min(panels, firstPanel + p.blockPanels);
    let trust = panelTrusts;
    for (let panel = firstPanel; panel < endPanel; panel++) {
      let filter = filters;
      if (p.isOwn) turnFilterPanel(p, weights, panel, scratch + p.turnedAt, filter);
      else filter += <usize>panel * panelBytes(p);
      // The plain loop's scratch is where the filters are.
      v128.store(trust, v128.load(trustOf(p, filter)));
      const wanted = SIGNIFICAND + 1 - changetype<Trust>(trust).bits;
      if (!isTrusted(worst, trust) && described < wanted) {
        describeAll(grid, source, scratch, changetype<Unit>(scratch + p.repeatAt), first, last, wanted);
        described = wanted;
      }
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
      let ordered: usize = 0;
      for (let unit = first; unit < last; unit++) {
        const tiles = min(grid.segmentTiles, grid.tilesW - (unit % grid.segments) * grid.segmentTiles);
        let run = 0;
        for (let i = 0; i <= tiles; i++) {
          if (i < tiles && !isTrusted(tile + <usize>i * TRUST_BYTES, trust)) run++;
          else if (run > 0) {
            if (!ordered) ordered = orderFilters(p, weights, panel, repeatedFilters);
            repeatTiles(grid, p, direct, source, ordered, bias, output, scratch, unit, i - run, run, panel);
            run = 0;
          }
        }
        tile += <usize>tiles * TRUST_BYTES;
      }
    }
  }
}
