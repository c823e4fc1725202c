// Images turned to Winograd's tiles: V[product][tile][channel] of some rows of tiles, from NCHW through a padded patch with
// the channels last. For the source of a convolution (SourceLine) and for the gradient of its output (GradientLine).
import { words } from '../shared/addresses.as';
import { fillChannelsLast, NoSums, PixelSums } from './channels-last.as';
import { ceilDivide } from '../shared/integers.as';
import { fillWords } from '../shared/simd.as';
import { describeTile, TileWatch, tileBits, Trust, TRUST_BYTES } from './winograd-guard.as';
import { INPUTS, OUTPUTS } from './winograd-transforms.as';

/**
 * The tiles of a launch. With a dilation a tile has every `dilation`-th row and column, as windows do, and there is a grid of tiles
 * for each remainder of both. A unit is a part of a row of tiles; the units of all rows of tiles of all grids of all images
 * follow one another. Sizes in elements, places in bytes of private scratch.
 */
@unmanaged
export class TileGrid {
  tilesH: i32;
  tilesW: i32;
  /** Parts of a row of tiles, and tiles in one. */
  segments: i32;
  segmentTiles: i32;
  /** Rows of tiles whose patch is made at once. */
  runUnits: i32;
  patchAt: i32;
  linesAt: i32;
  dilation: i32;
}

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

/** An NCHW image and where the first tile begins in it. */
@unmanaged
export class Plane {
  /** Channels of the whole image. */
  channels: i32;
  height: i32;
  width: i32;
  row: i32;
  column: i32;
}

/** Rows (columns) of a grid of tiles whose first is `first`, of `size` in the image. */
@inline
export function gridSize(size: i32, first: i32, dilation: i32): i32 {
  return ceilDivide(size - first, dilation);
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

/** Describes the tiles of a run of rows, from what its patch of some channels shows and what those before it showed. */
function watchTiles(
  watch: TileWatch,
  grid: TileGrid,
  at: Unit,
  run: i32,
  patch: usize,
  pitch: usize,
  pixel: usize,
  sums: usize,
  sumPitch: usize,
  trusts: usize,
  isFirst: bool,
  isLast: bool,
): void {
  const height = gridSize(watch.height, at.row, grid.dilation);
  const width = gridSize(watch.width, at.column, grid.dilation);
  for (let i = 0; i < run; i++) {
    const rows = height - OUTPUTS * (at.tileRow + i);
    for (let tile = 0; tile < at.tiles; tile++) {
      const trust = changetype<Trust>(trusts);
      let set: u32 = isFirst ? 0 : trust.bits;
      if (!(set & 1))
        set |= tileBits(patch + <usize>(OUTPUTS * i) * pitch + <usize>(OUTPUTS * tile) * pixel, pitch, pixel);
      trust.bits = set;
      if (isLast) {
        const from = sums + <usize>(2 * OUTPUTS * i) * sumPitch + words(OUTPUTS * tile);
        describeTile(trust, from, sumPitch, rows, width - OUTPUTS * (at.firstTile + tile), set);
      }
      trusts += TRUST_BYTES;
    }
  }
}

/**
 * `to`[product][tile][channels] of the units [first, end), `stride` bytes between products, for `channels` channels from
 * `firstChannel` on. Returns the number of tiles. With PixelSums, `watch` is told of every tile.
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
  const lines = scratch + grid.linesAt;
  const size = plane.height * plane.width;
  const dilation = grid.dilation;
  // What the lines hold is turned before the next unit is looked for.
  const at = changetype<Unit>(lines);
  let count = 0;
  for (let block = 0; block < channels; block += BLOCK) {
    const blockChannels = min(BLOCK, channels - block);
    const pixel = words(blockChannels);
    count = 0;
    let sums = changetype<Sums>(0).areKept ? scratch + watch.sumsAt : 0;
    let unit = first;
    while (unit < end) {
      locate(grid, unit, at);
      const tiles = at.tiles;
      // Rows of tiles one below the other share rows of the source.
      const run = grid.segments > 1 ? 1 : min(min(grid.runUnits, end - unit), grid.tilesH - at.tileRow);
      const columns = OUTPUTS * tiles + overlap;
      const rows = OUTPUTS * run + overlap;
      // A vector to spare, see fillChannelsLast.
      const sumPitch = words((columns + 7) & ~3);
      if (changetype<Sums>(0).areKept && block == 0) fillWords(sums, 0, (2 * rows * <i32>sumPitch) >> 2);
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
        sumPitch,
      );
      const pitch = pixel * <usize>columns;
      if (changetype<Sums>(0).areKept) {
        const trusts = scratch + watch.trustAt + <usize>count * TRUST_BYTES;
        const isLast = block + BLOCK >= channels;
        watchTiles(watch, grid, at, run, patch, pitch, pixel, sums, sumPitch, trusts, block == 0, isLast);
        sums += 2 * <usize>rows * sumPitch;
      }
      for (let i = 0; i < run; i++) {
        turnRows<Line>(patch + <usize>(OUTPUTS * i) * pitch, lines, pitch);
        let write = to + words(count * channels + block);
        for (let tile = 0; tile < tiles; tile++) {
          turnTile<Line>(lines + <usize>(OUTPUTS * tile) * pixel, pitch, pixel, write, stride);
          write += words(channels);
        }
        count += tiles;
      }
      unit += run;
    }
  }
  return count;
}
