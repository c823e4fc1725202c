// Images turned to Winograd's tiles: V[product][tile][channel] of some rows of tiles, from NCHW through a padded patch with
// the channels last. For the source of a convolution (SourceLine) and for the gradient of its output (GradientLine).
import { words } from '../addresses.wasm';
import { fillChannelsLast } from './channels-last.wasm';
import { INPUTS, OUTPUTS } from '../winograd-transforms.wasm';

/**
 * The tiles of a launch. A unit is a part of a row of tiles; the units of all rows of tiles of all images follow one
 * another. Sizes in elements, places in bytes of private scratch.
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

/**
 * `to`[product][tile][channels] of the units [first, end), `stride` bytes between products, for `channels` channels from
 * `firstChannel` on. Returns the number of tiles.
 */
export function turnImage<Line>(
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
): i32 {
  const overlap = changetype<Line>(0).span - OUTPUTS;
  const patch = scratch + grid.patchAt;
  const lines = scratch + grid.linesAt;
  const size = plane.height * plane.width;
  let count = 0;
  for (let block = 0; block < channels; block += BLOCK) {
    const blockChannels = min(BLOCK, channels - block);
    const pixel = words(blockChannels);
    count = 0;
    let unit = first;
    while (unit < end) {
      const row = unit / grid.segments;
      const firstTile = (unit % grid.segments) * grid.segmentTiles;
      const tiles = min(grid.segmentTiles, grid.tilesW - firstTile);
      const tileRow = row % grid.tilesH;
      // Rows of tiles one below the other share rows of the source.
      const run = grid.segments > 1 ? 1 : min(min(grid.runUnits, end - unit), grid.tilesH - tileRow);
      const columns = OUTPUTS * tiles + overlap;
      fillChannelsLast(
        patch,
        image + words(((row / grid.tilesH) * plane.channels + firstChannel + block) * size),
        blockChannels,
        size,
        plane.height,
        plane.width,
        tileRow * OUTPUTS + plane.row,
        firstTile * OUTPUTS + plane.column,
        1,
        1,
        OUTPUTS * run + overlap,
        columns,
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
      unit += run;
    }
  }
  return count;
}
