// Images turned to Winograd's tiles: V[product][tile][channel] of some rows of tiles, from NCHW through a padded patch with
// the channels last. For the source of a convolution (SourceLine) and for the gradient of its output (GradientLine).
import { words } from '../shared/addresses.as';
import { fillChannelsLast } from './channels-last.as';
import { ceilDivide } from '../shared/integers.as';
import { fillWords } from '../shared/simd.as';
import { Plane, TileGrid, TileWatch } from './params.as';
import { clearLook, LOOK_BYTES, lookAtRun, runBytes, sumPitch, TileLook } from './winograd-tile-guard.as';
import { INPUTS, OUTPUTS } from './winograd-transforms.as';

/** Bytes kept for a Unit: a cache line. */
export const UNIT_BYTES: usize = 64;

/** Where a unit stands. */
@unmanaged
export class Unit {
  image: i32;
  /** Remainders of the grid's rows and columns. */
  row: i32;
  column: i32;
  tileRow: i32;
  firstTile: i32;
  tiles: i32;
}

export function locate(grid: TileGrid, unit: i32, to: Unit): void {
  const line = unit / grid.segments;
  const dilation = grid.dilation;
  const each = line / grid.tilesH;
  to.image = each / (dilation * dilation);
  to.row = (each / dilation) % dilation;
  to.column = each % dilation;
  to.tileRow = line % grid.tilesH;
  to.firstTile = (unit % grid.segments) * grid.segmentTiles;
  to.tiles = min(grid.segmentTiles, grid.tilesW - to.firstTile);
}

/** Goes on to the next unit. */
export function advance(grid: TileGrid, at: Unit): void {
  at.firstTile += at.tiles;
  if (at.firstTile >= grid.tilesW) {
    at.firstTile = 0;
    at.tileRow++;
    if (at.tileRow == grid.tilesH) {
      at.tileRow = 0;
      at.column++;
      if (at.column == grid.dilation) {
        at.column = 0;
        at.row++;
        if (at.row == grid.dilation) {
          at.row = 0;
          at.image++;
        }
      }
    }
  }
  at.tiles = min(grid.segmentTiles, grid.tilesW - at.firstTile);
}

/** Goes on by `units` units: one, or the rows of tiles of a run, each of which is one. */
@inline
export function advanceRun(grid: TileGrid, at: Unit, units: i32): void {
  at.tileRow += units - 1;
  advance(grid, at);
}

/** Rows (columns) of a grid of tiles whose first is `first`, of `size` in the image. */
@inline
export function gridSize(size: i32, first: i32, dilation: i32): i32 {
  return dilation == 1 ? size - first : ceilDivide(size - first, dilation);
}

/** Channels whose patches are turned together: a cache line. */
const BLOCK: i32 = 16;

/** Along the columns of a row of tiles: six lines from the rows of the patch, all `pitch` bytes apart. */
function turnRows<Line>(patch: usize, lines: usize, pitch: usize): void {
  const line = changetype<Line>(0);
  const end = patch + pitch;
  do {
    line.turn(patch, pitch, lines, pitch);
    patch += 16;
    lines += 16;
  } while (patch < end);
}

/** Along the rows, for `pixel` bytes of channels of one tile. */
function turnTile<Line>(lines: usize, pitch: usize, pixel: usize, to: usize, stride: usize): void {
  const line = changetype<Line>(0);
  const end = lines + pixel;
  do {
    line.turn(lines, pixel, to, stride);
    line.turn(lines + pitch, pixel, to + INPUTS * stride, stride);
    line.turn(lines + 2 * pitch, pixel, to + 2 * INPUTS * stride, stride);
    line.turn(lines + 3 * pitch, pixel, to + 3 * INPUTS * stride, stride);
    line.turn(lines + 4 * pitch, pixel, to + 4 * INPUTS * stride, stride);
    line.turn(lines + 5 * pitch, pixel, to + 5 * INPUTS * stride, stride);
    lines += 16;
    to += 16;
  } while (lines < end);
}

/** Rows of tiles from `at` on, one below the other, whose patch is made at once, of `units` units. They share rows of the source. */
@inline
export function runOf(grid: TileGrid, at: Unit, units: i32): i32 {
  return grid.segments > 1 ? 1 : min(min(grid.runUnits, units), grid.tilesH - at.tileRow);
}

/**
 * `to`[product][tile][channels] of the units [first, end), `stride` bytes between products, for `channels` channels from
 * `firstChannel` on. Returns the number of tiles. With PixelSums, all tiles are looked at for `watch`.
 */
export function turnImage<Line, Sums>(
  grid: TileGrid,
  plane: Plane,
  image: usize,
  firstChannel: i32,
  channels: i32,
  scratch: usize,
  to: usize,
  stride: usize,
  first: i32,
  end: i32,
  watch: TileWatch,
): i32 {
  const overlap = changetype<Line>(0).span - OUTPUTS;
  const patch = scratch + grid.patchAt;
  const at = changetype<Unit>(scratch + grid.linesAt);
  const lines = scratch + grid.linesAt + UNIT_BYTES;
  const size = plane.height * plane.width;
  const dilation = grid.dilation;
  const look = changetype<Sums>(0).areKept ? scratch + watch.lookAt : 0;
  if (changetype<Sums>(0).areKept) clearLook(changetype<TileLook>(look));
  let count = 0;
  for (let block = 0; block < channels; block += BLOCK) {
    const blockChannels = min(BLOCK, channels - block);
    const pixel = words(blockChannels);
    count = 0;
    let sums = look + LOOK_BYTES;
    let unit = first;
    locate(grid, unit, at);
    while (unit < end) {
      const tiles = at.tiles;
      const run = runOf(grid, at, end - unit);
      const columns = OUTPUTS * tiles + overlap;
      const rows = OUTPUTS * run + overlap;
      const sumsPitch = sumPitch(tiles);
      if (changetype<Sums>(0).areKept && block == 0) fillWords(sums, 0, (<i32>runBytes(run, sumsPitch)) >> 2);
      fillChannelsLast<Sums>(
        patch,
        image + words((at.image * plane.channels + firstChannel + block) * size),
        blockChannels,
        size,
        plane.height,
        plane.width,
        at.tileRow * OUTPUTS * dilation + at.row + plane.row,
        at.firstTile * OUTPUTS * dilation + at.column + plane.column,
        dilation,
        dilation,
        rows,
        columns,
        sums,
        sumsPitch,
      );
      const pitch = pixel * <usize>columns;
      for (let i = 0; i < run; i++) {
        turnRows<Line>(patch + <usize>(OUTPUTS * i) * pitch, lines, pitch);
        let write = to + words(count * channels + block);
        for (let tile = 0; tile < tiles; tile++) {
          turnTile<Line>(lines + <usize>(OUTPUTS * tile) * pixel, pitch, pixel, write, stride);
          write += words(channels);
        }
        count += tiles;
      }
      if (changetype<Sums>(0).areKept) {
        if (block + BLOCK >= channels) lookAtRun(watch, grid, at, run, sums, sumsPitch, look);
        sums += runBytes(run, sumsPitch);
      }
      unit += run;
      advanceRun(grid, at, run);
    }
  }
  return count;
}
