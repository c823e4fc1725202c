// A padded part of an image in thread-private scratch with the channels last, [row][column][channel]: what the taps of a
// kernel's row meet stands in one run, so vectors over the weights fill up even where there are few channels.
import { ceilDivide, clamp } from '../integers.wasm';
import { Adjacent, EverySecond, fillWords, Spread } from '../simd.wasm';

/**
 * Columns [low, high) of one row, from `from` on; four columns of four channels are turned at a time. What is written too much
 * stands behind column `high` and behind the channels, where later columns overwrite it.
 */
function turnRow<Columns>(
  to: usize,
  from: usize,
  channels: i32,
  sourcePlane: usize,
  low: i32,
  high: i32,
  step: i32,
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
    for (let j = low; j < high; j += 4) {
      const a = columns.load(p0, step);
      const b = columns.load(p1, step);
      const c = columns.load(p2, step);
      const d = columns.load(p3, step);
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
 * [0, limitH) x [0, limitW). Sizes in elements; `sourcePlane` between channels.
 */
export function fillChannelsLast(
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
      if (stepW == 1) turnRow<Adjacent>(to, from, channels, plane, low, high, 1);
      else if (stepW == 2) turnRow<EverySecond>(to, from, channels, plane, low, high, 2);
      else turnRow<Spread>(to, from, channels, plane, low, high, stepW);
      fillWords(to + ((<usize>(high * channels)) << 2), 0, (columns - high) * channels);
    }
    to += (<usize>(columns * channels)) << 2;
  }
  fillWords(to, 0, 4);
}
