// The tiles of an image as the guard of Winograd's convolutions sees them (winograd-guard.as.ts), from the sums of the magnitudes
// and of the squares of each pixel's channels. All tiles of a task are looked at together at first; where the worst of everything
// does not suffice, each of them is described.
import { words } from '../shared/addresses.as';
import { Plane, TileGrid, TileWatch } from './params.as';
import { isOutside, SIGNIFICAND, significantBits, Trust, TRUST_BYTES } from './winograd-guard.as';
import { advanceRun, gridSize, locate, runOf, Unit } from './winograd-image.as';
import { INPUTS, OUTPUTS } from './winograd-transforms.as';

/** Of the magnitudes of a window, the part that weak taps must leave; and the square of that of the weak ones. */
const WEAK_SHARE: f32 = 0.5625;
/** A window that holds 1 / SHARE_TERMS of its terms' number, as (sum of magnitudes)^2 / squares of the tile, may hold no less. */
const SHARE_TERMS: f32 = 512;
/** What a window's elements and the logarithm of what they hold must make, see isRich. */
const LEAST_RICHNESS: f32 = 10;
const RICHNESS_TERMS: f32 = 10000;

/** The worst of some tiles. Lanes are columns of windows, except that the last two are the same in all. */
@unmanaged
export class TileLook {
  /** (sum of magnitudes)^2 / sum of squares of a window, at least: how many of its elements count. */
  elements: v128;
  /** The same by the squares of the whole tile. */
  share: v128;
  /** Squares of a tile at least, and of all tiles. */
  least: v128;
  total: v128;
}

/** Bytes of a TileLook. */
export const LOOK_BYTES: usize = 64;

export function clearLook(look: TileLook): void {
  const most = f32x4.splat(f32.MAX_VALUE);
  look.elements = most;
  look.share = most;
  look.least = most;
  look.total = i32x4.splat(0);
}

/** The smaller lanes; those of `b` where one is NaN. An instruction, which f32x4.min is not. */
@inline
function lesser(a: v128, b: v128): v128 {
  return f32x4.pmin(b, a);
}

@inline
function leastLane(value: v128): f32 {
  const two = lesser(value, v128.shuffle<i32>(value, value, 2, 3, 2, 3));
  return f32x4.extract_lane(lesser(two, v128.shuffle<i32>(two, two, 1, 1, 1, 1)), 0);
}

/** Lanes of three neighbouring columns from each of the four of `low` on, added up. */
@inline
function threeColumns(low: v128, high: v128): v128 {
  return f32x4.add(low, f32x4.add(v128.shuffle<i32>(low, high, 1, 2, 3, 4), v128.shuffle<i32>(low, high, 2, 3, 4, 5)));
}

/** Of a row of windows below the image, what keeps it from being the least. */
@inline
function floorOf(isThere: bool): v128 {
  return f32x4.splat(isThere ? 0 : f32.MAX_VALUE);
}

/** As lookAtTiles. `isWhole`, a constant: there are at least four rows of outputs. */
@inline
function lookAt(isWhole: bool, look: TileLook, sums: usize, pitch: usize, rows: i32, tiles: i32, columns: i32): void {
  const row = 2 * pitch;
  const floor1 = floorOf(rows > 1);
  const floor2 = floorOf(rows > 2);
  const floor3 = floorOf(rows > 3);
  let elements = look.elements;
  let share = look.share;
  let least = look.least;
  let total = look.total;
  let low = i32x4.splat(0);
  let lowSquares = low;
  let lowAll = low;
  // A vector of columns is the end of one tile and the beginning of the next.
  for (let vector = 0; vector <= tiles; vector++) {
    let at = sums;
    const d0 = v128.load(at);
    const q0 = v128.load(at + pitch);
    at += row;
    const d1 = v128.load(at);
    const q1 = v128.load(at + pitch);
    at += row;
    const d2 = v128.load(at);
    const q2 = v128.load(at + pitch);
    at += row;
    const d3 = v128.load(at);
    const q3 = v128.load(at + pitch);
    at += row;
    const d12 = f32x4.add(d1, d2);
    const q12 = f32x4.add(q1, q2);
    const d34 = f32x4.add(d3, v128.load(at));
    const q34 = f32x4.add(q3, v128.load(at + pitch));
    at += row;
    let window1 = f32x4.add(d12, d3);
    let window2 = f32x4.add(d2, d34);
    let window3 = f32x4.add(d34, v128.load(at));
    if (!isWhole) {
      window1 = f32x4.pmax(window1, floor1);
      window2 = f32x4.pmax(window2, floor2);
      window3 = f32x4.pmax(window3, floor3);
    }
    const high = f32x4.pmin(f32x4.pmin(f32x4.add(d0, d12), window1), f32x4.pmin(window2, window3));
    const top = f32x4.add(q0, q12);
    const bottom = f32x4.add(q34, v128.load(at + pitch));
    const inner = f32x4.pmax(f32x4.add(q12, q3), f32x4.add(q2, q34));
    const highSquares = f32x4.pmax(f32x4.pmax(top, bottom), inner);
    const highAll = f32x4.add(top, bottom);
    if (vector > 0) {
      let window = threeColumns(low, high);
      if (columns < OUTPUTS) {
        if (columns <= 0) break;
        const unwanted = i32x4.gt_s(i32x4(0, 1, 2, 3), i32x4.splat(columns - 1));
        window = v128.bitselect(f32x4.splat(f32.MAX_VALUE), window, unwanted);
      }
      const two = f32x4.add(lowAll, v128.and(highAll, i32x4(-1, -1, 0, 0)));
      const half = f32x4.add(two, v128.shuffle<i32>(two, two, 2, 3, 0, 1));
      const squares = f32x4.add(half, v128.shuffle<i32>(half, half, 1, 0, 3, 2));
      const power = f32x4.mul(window, window);
      elements = lesser(elements, f32x4.div(power, threeColumns(lowSquares, highSquares)));
      share = lesser(share, f32x4.div(power, squares));
      least = lesser(least, squares);
      total = f32x4.add(total, squares);
      columns -= OUTPUTS;
    }
    low = high;
    lowSquares = highSquares;
    lowAll = highAll;
    sums += 16;
  }
  look.elements = elements;
  look.share = share;
  look.least = least;
  look.total = total;
}

/**
 * Looks at a row of tiles whose pixels' sums (PixelSums) begin at `sums` and whose rows of sums are `pitch` bytes apart. `rows` and
 * `columns`: outputs from the first tile's first on. Least and most are taken of strips of three pixels, one below the other, before
 * those are added to windows, which can only make a window poorer than it is.
 */
export function lookAtTiles(look: TileLook, sums: usize, pitch: usize, rows: i32, tiles: i32, columns: i32): void {
  if (rows >= OUTPUTS) lookAt(true, look, sums, pitch, rows, tiles, columns);
  else if (rows > 0) lookAt(false, look, sums, pitch, rows, tiles, columns);
}

/** Looks at a run of rows of tiles. */
export function lookAtRun(
  watch: TileWatch,
  grid: TileGrid,
  at: Unit,
  run: i32,
  sums: usize,
  pitch: usize,
  look: usize,
): void {
  const rows = gridSize(watch.height, at.row, grid.dilation) - OUTPUTS * at.tileRow;
  const columns = gridSize(watch.width, at.column, grid.dilation) - OUTPUTS * at.firstTile;
  for (let i = 0; i < run; i++) {
    lookAtTiles(changetype<TileLook>(look), sums, pitch, rows - OUTPUTS * i, at.tiles, columns);
    sums += 2 * OUTPUTS * pitch;
  }
}

/** A lower bound of the logarithm to the base of 2, which is exact for powers of 2. */
@inline
function logarithm(x: f32): f32 {
  return <f32>(reinterpret<i32>(x) - 0x3f800000) * <f32>(1.0 / 8388608.0);
}

/** Describes what a look found, but for the bits: those of a tile that needs fewest. */
export function describeLook(look: TileLook, terms: i32, trust: Trust): void {
  const elements = leastLane(look.elements);
  const share = leastLane(look.share);
  // What is not finite anywhere is so in the squares of all.
  const isLost = isOutside(f32x4.extract_lane(look.least, 0)) || isOutside(f32x4.extract_lane(look.total, 0));
  const richness = elements * logarithm((RICHNESS_TERMS * share) / <f32>terms);
  trust.weak = !isLost && richness >= LEAST_RICHNESS ? WEAK_SHARE * elements : -1;
  trust.spread = (SHARE_TERMS * share) / <f32>terms;
  trust.bits = 1;
}

/** Whether a tile has no element but zeros. */
function isEmpty(sums: usize, pitch: usize): bool {
  let set = i32x4.splat(0);
  for (let row = 0; row < INPUTS; row++) {
    set = v128.or(set, v128.or(v128.load(sums), v128.load64_zero(sums, 16)));
    sums += 2 * pitch;
  }
  return !v128.any_true(set);
}

/** The bits that the elements of a tile need, whose first stands at (row, column) of the source; or fewer, but `wanted` at least. */
function tileBits(plane: Plane, dilation: i32, source: usize, channels: i32, row: i32, column: i32, wanted: i32): i32 {
  // Any of these is enough.
  const enough: u32 = (1 << (SIGNIFICAND - wanted + 1)) - 1;
  let set: u32 = 0;
  const last = INPUTS * dilation;
  for (let channel = 0; channel < channels; channel++) {
    for (let i = 0; i < last; i += dilation) {
      if (row + i < 0 || row + i >= plane.height) continue;
      const line = source + words((row + i) * plane.width + column);
      for (let j = 0; j < last; j += dilation) {
        if (column + j >= 0 && column + j < plane.width) set |= load<u32>(line + words(j));
      }
      if (set & enough) return significantBits(set);
    }
    source += words(plane.height * plane.width);
  }
  return significantBits(set);
}

/**
 * Describes each tile of the units [first, end), whose sums of pixels stand behind the look at all of them. `wanted`: the bits that a
 * tile needs for the filters in question; of those that have as many no more are counted.
 */
export function describeTiles(
  watch: TileWatch,
  grid: TileGrid,
  plane: Plane,
  source: usize,
  scratch: usize,
  at: Unit,
  look: TileLook,
  first: i32,
  end: i32,
  wanted: i32,
): void {
  const dilation = grid.dilation;
  const size = words(plane.channels * plane.height * plane.width);
  let sums = scratch + watch.lookAt + LOOK_BYTES;
  let to = scratch + watch.trustAt;
  let unit = first;
  locate(grid, unit, at);
  while (unit < end) {
    const run = runOf(grid, at, end - unit);
    const pitch = sumPitch(at.tiles);
    const image = source + <usize>at.image * size;
    const rows = gridSize(watch.height, at.row, dilation) - OUTPUTS * at.tileRow;
    const columns = gridSize(watch.width, at.column, dilation) - OUTPUTS * at.firstTile;
    for (let i = 0; i < run; i++) {
      const row = OUTPUTS * (at.tileRow + i) * dilation + at.row + plane.row;
      for (let tile = 0; tile < at.tiles; tile++) {
        const from = sums + <usize>(2 * OUTPUTS * i) * pitch + words(OUTPUTS * tile);
        const column = OUTPUTS * (at.firstTile + tile) * dilation + at.column + plane.column;
        const trust = changetype<Trust>(to);
        clearLook(look);
        lookAtTiles(look, from, pitch, rows - OUTPUTS * i, 1, columns - OUTPUTS * tile);
        describeLook(look, watch.terms, trust);
        if (isEmpty(from, pitch)) {
          // Zeros make zeros.
          trust.weak = f32.MAX_VALUE;
          trust.spread = f32.MAX_VALUE;
          trust.bits = SIGNIFICAND;
        } else trust.bits = tileBits(plane, dilation, image, plane.channels, row, column, wanted);
        to += TRUST_BYTES;
      }
    }
    sums += runBytes(run, pitch);
    unit += run;
    advanceRun(grid, at, run);
  }
}

/** Bytes from one row of the sums of pixels of so many tiles to the next: with a vector to spare, see fillChannelsLast. */
@inline
export function sumPitch(tiles: i32): usize {
  return words((OUTPUTS * tiles + INPUTS - OUTPUTS + 7) & ~3);
}

/** Bytes of the sums of pixels of a run of rows of tiles. */
@inline
export function runBytes(run: i32, pitch: usize): usize {
  return 2 * <usize>(OUTPUTS * run + INPUTS - OUTPUTS) * pitch;
}
