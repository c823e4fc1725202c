// A padded part of an image in thread-private scratch with the channels last, [row][column][channel]: what the taps of a
// kernel's row meet stands in one run, so vectors over the weights fill up even where there are few channels.
import { ceilDivide, clamp } from '../shared/integers.as';
import { Adjacent, EverySecond, fillWords, madd, Spread } from '../shared/simd.as';

/** What is added up on the way: nothing. */
@unmanaged
export class NoSums {
  @inline
  get areKept(): bool {
    return false;
  }

  @inline
  add(to: usize, pitch: usize, a: v128, b: v128, c: v128, d: v128): void {}

  @inline
  clear(to: usize, pitch: usize): void {}
}

/** The magnitudes of each pixel's channels, a row of them, and in a row `pitch` bytes further on their squares. */
@unmanaged
export class PixelSums {
  @inline
  get areKept(): bool {
    return true;
  }

  /** Four columns of four channels. */
  @inline
  add(to: usize, pitch: usize, a: v128, b: v128, c: v128, d: v128): void {
    const sum = f32x4.add(f32x4.add(f32x4.abs(a), f32x4.abs(b)), f32x4.add(f32x4.abs(c), f32x4.abs(d)));
    v128.store(to, f32x4.add(v128.load(to), sum));
    v128.store(to + pitch, madd(d, d, madd(c, c, madd(b, b, madd(a, a, v128.load(to + pitch))))));
  }

  /** What was added too much behind the last column. */
  @inline
  clear(to: usize, pitch: usize): void {
    v128.store(to, i32x4.splat(0));
    v128.store(to + pitch, i32x4.splat(0));
  }
}

/**
 * Columns [low, high) of one row, from `from` on; four columns of four channels are turned at a time. What is written too much
 * stands behind column `high` and behind the channels, where later columns overwrite it.
 */
function turnRow<Columns, Sums>(
  to: usize,
  from: usize,
  channels: i32,
  sourcePlane: usize,
  low: i32,
  high: i32,
  step: i32,
  sums: usize,
  sumPitch: usize,
): void {
  const columns = changetype<Columns>(0);
  const pitch = (<usize>channels) << 2;
  const last = max(0, channels - 4);
  const next = (<usize>step) << 4;
  for (let block = 0; block < channels; block += 4) {
    // The last block starts early enough to be whole. Of fewer than four channels the last stands for those that are missing.
    const channel = min(block, last);
    let p0 = from + <usize>channel * sourcePlane;
    let p1 = from + <usize>min(channel + 1, channels - 1) * sourcePlane;
    let p2 = from + <usize>min(channel + 2, channels - 1) * sourcePlane;
    let p3 = from + <usize>min(channel + 3, channels - 1) * sourcePlane;
    let write = to + ((<usize>(low * channels + channel)) << 2);
    let sum = sums + ((<usize>low) << 2);
    // Few variables: the loop has hardly enough registers.
    const end = to + ((<usize>(high * channels + channel)) << 2);
    while (write < end) {
      const a = columns.load(p0, step);
      const b = columns.load(p1, step);
      const c = columns.load(p2, step);
      const d = columns.load(p3, step);
      changetype<Sums>(0).add(sum, sumPitch, a, b, c, d);
      sum += 16;
      const ab = v128.shuffle<i32>(a, b, 0, 4, 1, 5);
      const cd = v128.shuffle<i32>(c, d, 0, 4, 1, 5);
      const AB = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
      const CD = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
      v128.store(write, v128.shuffle<i64>(ab, cd, 0, 2));
      write += pitch;
      v128.store(write, v128.shuffle<i64>(ab, cd, 1, 3));
      write += pitch;
      v128.store(write, v128.shuffle<i64>(AB, CD, 0, 2));
      write += pitch;
      v128.store(write, v128.shuffle<i64>(AB, CD, 1, 3));
      write += pitch;
      p0 += next;
      p1 += next;
      p2 += next;
      p3 += next;
    }
  }
}

/**
 * tile[i][j][c] = source plane c, row row + i stepH, column column + j stepW, or zero where that is not in
 * [0, limitH) x [0, limitW). Sizes in elements; `sourcePlane` between channels. Adds to `sums`, two rows of `sumPitch` bytes for
 * every row of the tile, with three columns to spare; a number of channels that is no multiple of four has no sums.
 */
export function fillChannelsLast<Sums>(
  tile: usize,
  source: usize,
  channels: i32,
  sourcePlane: i32,
  limitH: i32,
  limitW: i32,
  row: i32,
  column: i32,
  stepH: i32,
  stepW: i32,
  rows: i32,
  columns: i32,
  sums: usize,
  sumPitch: usize,
): void {
  const plane = (<usize>sourcePlane) << 2;
  const low = clamp(ceilDivide(-column, stepW), 0, columns);
  const high = clamp(ceilDivide(limitW - column, stepW), low, columns);
  let to = tile;
  for (let i = 0; i < rows; i++) {
    const sourceRow = row + i * stepH;
    if (sourceRow < 0 || sourceRow >= limitH || low == high) {
      fillWords(to, 0, columns * channels);
    } else {
      const from = source + ((<usize>(sourceRow * limitW + column + low * stepW)) << 2);
      fillWords(to, 0, low * channels);
      if (stepW == 1) turnRow<Adjacent, Sums>(to, from, channels, plane, low, high, 1, sums, sumPitch);
      else if (stepW == 2) turnRow<EverySecond, Sums>(to, from, channels, plane, low, high, 2, sums, sumPitch);
      else turnRow<Spread, Sums>(to, from, channels, plane, low, high, stepW, sums, sumPitch);
      changetype<Sums>(0).clear(sums + ((<usize>high) << 2), sumPitch);
      fillWords(to + ((<usize>(high * channels)) << 2), 0, (columns - high) * channels);
    }
    to += (<usize>(columns * channels)) << 2;
    sums += 2 * sumPitch;
  }
  fillWords(to, 0, 4);
}
