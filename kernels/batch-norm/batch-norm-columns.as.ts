// Statistics of many channels at once for the WASM device: of [batch, channels], whose channels are columns, and of short rows,
// which are turned into columns first. Sixteen channels are a tile. It is read twice, for the means and for the squares about
// them, in blocks of sixteen rows that are summed in float32 and added up in float64.
import { buffer, words } from '../shared/addresses.as';
import { demote, loadLanes, promoteHigh, promoteLow, storeLanes } from '../shared/simd.as';
import { swapBlock } from '../shared/swap-block.as';
import { batchNormPartRows } from './codes';
import { BatchNormParams } from './params.as';

/** Channels of a tile: one cache line. */
const tileChannels: i32 = 16;

// What a thread keeps of a tile, in bytes from its scratch: float64 sums and means, and the means in float32. Then a tile of rows.
const sumsAt: usize = 0;
const meansAt: usize = 128;
const centersAt: usize = 256;
const rowsAt: usize = 320;

/** Rows of columns that are looked at by fours: more of them may fight for the same place in the cache. */
const fewRows: i32 = 8;

/** Mean squares below it have lost digits in float32: they matter where eps is no larger. */
const smallSquare: f64 = 7.888609052210118e-31; // 2^-100

/** Mean and sum of squares of one column in float64, for values whose sums or squares leave the range of float32. */
function wideColumn(x: usize, rows: i32, stride: usize, own: usize, column: i32): void {
  const first = x + words(column);
  const end = first + <usize>rows * stride;
  let sum: f64 = 0;
  for (let p = first; p < end; p += stride) sum += <f64>load<f32>(p);
  const mean = sum / rows;
  let squares: f64 = 0;
  for (let p = first; p < end; p += stride) {
    const deviation = <f64>load<f32>(p) - mean;
    squares += deviation * deviation;
  }
  store<f64>(own + meansAt + 2 * words(column), mean);
  store<f32>(own + centersAt + words(column), <f32>mean);
  store<f64>(own + sumsAt + 2 * words(column), squares);
}

/** Of squares about the mean rounded to float32 those about the mean. */
@inline
function aboutMean(squares: v128, rows: i32, shift: v128): v128 {
  const excess = f64x2.mul(f64x2.splat(rows), f64x2.mul(shift, shift));
  return f64x2.max(f64x2.splat(0), f64x2.sub(squares, excess));
}

/** Whether sums of squares have lost nothing to the limits of float32. */
@inline
function isUsual(squares: v128, least: f64): v128 {
  return v128.and(f64x2.ge(squares, f64x2.splat(least)), f64x2.lt(squares, f64x2.splat(Infinity)));
}

/** Keeps the sums of squares of up to four columns, whose means are kept. */
@inline
function keepSquares(
  x: usize,
  rows: i32,
  stride: usize,
  eps: f32,
  own: usize,
  column: i32,
  count: i32,
  low: v128,
  high: v128,
): void {
  const means = own + meansAt + 2 * words(column);
  const sums = own + sumsAt + 2 * words(column);
  const center = v128.load(own + centersAt + words(column));
  v128.store(sums, aboutMean(low, rows, f64x2.sub(v128.load(means), promoteLow(center))));
  v128.store(sums, aboutMean(high, rows, f64x2.sub(v128.load(means, 16), promoteHigh(center))), 16);
  const least = <f64>eps < smallSquare ? <f64>rows * smallSquare : 0;
  const lowUsual = isUsual(low, least);
  const highUsual = isUsual(high, least);
  if (i64x2.all_true(v128.and(lowUsual, highUsual))) return;
  const mask = i64x2.bitmask(lowUsual) | (i64x2.bitmask(highUsual) << 2);
  for (let i = 0; i < count; i++) if (!((mask >> i) & 1)) wideColumn(x, rows, stride, own, column + i);
}

/** Means and sums of squared deviations of up to four columns. */
function momentsOfFour(x: usize, rows: i32, stride: usize, eps: f32, own: usize, column: i32, count: i32): void {
  const first = x + words(column);
  let low = f64x2.splat(0);
  let high = low;
  let p = first;
  for (let row = 0; row < rows;) {
    const end = min(rows, row + 16);
    let sum = f32x4.splat(0);
    do {
      sum = f32x4.add(sum, loadLanes(p, count));
      p += stride;
      row++;
    } while (row < end);
    low = f64x2.add(low, promoteLow(sum));
    high = f64x2.add(high, promoteHigh(sum));
  }
  const share = f64x2.splat(1 / <f64>rows);
  low = f64x2.mul(low, share);
  high = f64x2.mul(high, share);
  const center = demote(low, high);
  v128.store(own + meansAt + 2 * words(column), low);
  v128.store(own + meansAt + 2 * words(column), high, 16);
  v128.store(own + centersAt + words(column), center);
  low = f64x2.splat(0);
  high = low;
  p = first;
  for (let row = 0; row < rows;) {
    const end = min(rows, row + 16);
    let sum = f32x4.splat(0);
    do {
      const deviation = f32x4.sub(loadLanes(p, count), center);
      sum = f32x4.add(sum, f32x4.mul(deviation, deviation));
      p += stride;
      row++;
    } while (row < end);
    low = f64x2.add(low, promoteLow(sum));
    high = f64x2.add(high, promoteHigh(sum));
  }
  keepSquares(x, rows, stride, eps, own, column, count, low, high);
}

@unmanaged
class Plain {
  @inline
  of(x: v128, center: v128): v128 {
    return x;
  }
}

@unmanaged
class SquareAbout {
  @inline
  of(x: v128, center: v128): v128 {
    const deviation = f32x4.sub(x, center);
    return f32x4.mul(deviation, deviation);
  }
}

/** Four sums of a block to those before, if there are any. */
@inline
function addBlock(sums: usize, block: v128, isFirst: bool): void {
  const low = promoteLow(block);
  const high = promoteHigh(block);
  v128.store(sums, isFirst ? low : f64x2.add(v128.load(sums), low));
  v128.store(sums, isFirst ? high : f64x2.add(v128.load(sums, 16), high), 16);
}

/** Sums of a term over the rows, at least one, of sixteen columns. */
function sumTile<Term>(x: usize, rows: i32, stride: usize, own: usize): void {
  const term = changetype<Term>(0);
  const centers = own + centersAt;
  const sums = own + sumsAt;
  const center0 = v128.load(centers);
  const center1 = v128.load(centers, 16);
  const center2 = v128.load(centers, 32);
  const center3 = v128.load(centers, 48);
  for (let row = 0; row < rows;) {
    const isFirst = row == 0;
    const end = min(rows, row + 16);
    let sum0 = f32x4.splat(0);
    let sum1 = sum0;
    let sum2 = sum0;
    let sum3 = sum0;
    do {
      sum0 = f32x4.add(sum0, term.of(v128.load(x), center0));
      sum1 = f32x4.add(sum1, term.of(v128.load(x, 16), center1));
      sum2 = f32x4.add(sum2, term.of(v128.load(x, 32), center2));
      sum3 = f32x4.add(sum3, term.of(v128.load(x, 48), center3));
      x += stride;
      row++;
    } while (row < end);
    addBlock(sums, sum0, isFirst);
    addBlock(sums + 32, sum1, isFirst);
    addBlock(sums + 64, sum2, isFirst);
    addBlock(sums + 96, sum3, isFirst);
  }
}

/** Means and sums of squared deviations of up to sixteen columns, in float64, to a thread's scratch. */
function momentsOfTile(x: usize, rows: i32, stride: usize, columns: i32, eps: f32, own: usize): void {
  // All at once where four by four would fetch every line of the cache anew; both ways add up in the same order.
  if (columns < tileChannels) {
    for (let column = 0; column < columns; column += 4) {
      momentsOfFour(x, rows, stride, eps, own, column, min(4, columns - column));
    }
    return;
  }
  const share = f64x2.splat(1 / <f64>rows);
  const sums = own + sumsAt;
  const means = own + meansAt;
  sumTile<Plain>(x, rows, stride, own);
  for (let column = 0; column < tileChannels; column += 4) {
    const at = 2 * words(column);
    const low = f64x2.mul(v128.load(sums + at), share);
    const high = f64x2.mul(v128.load(sums + at, 16), share);
    v128.store(means + at, low);
    v128.store(means + at, high, 16);
    v128.store(own + centersAt + words(column), demote(low, high));
  }
  sumTile<SquareAbout>(x, rows, stride, own);
  for (let column = 0; column < tileChannels; column += 4) {
    const at = sums + 2 * words(column);
    keepSquares(x, rows, stride, eps, own, column, 4, v128.load(at), v128.load(at, 16));
  }
}

/** 1 / sqrt(variance + eps), in float64 where a sum is no normal number of float32. */
@inline
function inverseDeviations(low: v128, high: v128, eps: f32): v128 {
  const sumLow = f64x2.add(low, f64x2.splat(eps));
  const sumHigh = f64x2.add(high, f64x2.splat(eps));
  const sums = demote(sumLow, sumHigh);
  const isNormal = v128.and(f32x4.ge(sums, f32x4.splat(1.17549435e-38)), f32x4.lt(sums, f32x4.splat(Infinity)));
  if (i32x4.all_true(isNormal)) return f32x4.div(f32x4.splat(1), f32x4.sqrt(sums));
  const one = f64x2.splat(1);
  return demote(f64x2.div(one, f64x2.sqrt(sumLow)), f64x2.div(one, f64x2.sqrt(sumHigh)));
}

/** Means, variances and inverse deviations of a tile from its moments. */
function finishTile(rows: i32, columns: i32, eps: f32, own: usize, buffers: usize, channel: i32): void {
  const share = f64x2.splat(1 / <f64>rows);
  const mean = buffer(buffers, 1) + words(channel);
  const variance = buffer(buffers, 2) + words(channel);
  const inverse = buffer(buffers, 3) + words(channel);
  for (let column = 0; column < columns; column += 4) {
    const count = min(4, columns - column);
    const at = own + 2 * words(column);
    const to = words(column);
    const low = f64x2.mul(v128.load(at + sumsAt), share);
    const high = f64x2.mul(v128.load(at + sumsAt, 16), share);
    storeLanes(mean + to, v128.load(own + centersAt + to), count);
    storeLanes(variance + to, demote(low, high), count);
    storeLanes(inverse + to, inverseDeviations(low, high, eps), count);
  }
}

/**
 * Statistics of up to four columns of few rows, of which float64 would gain nothing; the sum of the deviations corrects
 * the mean and the squares about it. False where squares leave the range of float32.
 */
@inline
function finishFew(x: usize, rows: i32, stride: usize, count: i32, eps: f32, buffers: usize, channel: i32): bool {
  const share = f32x4.splat(1 / <f32>rows);
  let sum = f32x4.splat(0);
  let p = x;
  for (let row = 0; row < rows; row++) {
    sum = f32x4.add(sum, loadLanes(p, count));
    p += stride;
  }
  const center = f32x4.mul(sum, share);
  let deviations = f32x4.splat(0);
  let squares = deviations;
  p = x;
  for (let row = 0; row < rows; row++) {
    const deviation = f32x4.sub(loadLanes(p, count), center);
    deviations = f32x4.add(deviations, deviation);
    squares = f32x4.add(squares, f32x4.mul(deviation, deviation));
    p += stride;
  }
  const shift = f32x4.mul(deviations, share);
  const difference = f32x4.sub(f32x4.mul(squares, share), f32x4.mul(shift, shift));
  const variance = f32x4.max(f32x4.splat(0), difference);
  const sums = f32x4.add(variance, f32x4.splat(eps));
  const isUsual = v128.and(f32x4.ge(sums, f32x4.splat(<f32>smallSquare)), f32x4.lt(sums, f32x4.splat(Infinity)));
  if (!i32x4.all_true(isUsual)) return false;
  const to = words(channel);
  storeLanes(buffer(buffers, 1) + to, f32x4.add(center, shift), count);
  storeLanes(buffer(buffers, 2) + to, variance, count);
  storeLanes(buffer(buffers, 3) + to, f32x4.div(f32x4.splat(1), f32x4.sqrt(sums)), count);
  return true;
}

/** Statistics of a tile. */
function finishColumns(
  x: usize,
  rows: i32,
  stride: usize,
  columns: i32,
  eps: f32,
  own: usize,
  buffers: usize,
  channel: i32,
): void {
  if (rows <= fewRows) {
    let column = 0;
    while (column < columns) {
      const count = min(4, columns - column);
      if (!finishFew(x + words(column), rows, stride, count, eps, buffers, channel + column)) break;
      column += 4;
    }
    if (column >= columns) return;
  }
  momentsOfTile(x, rows, stride, columns, eps, own);
  finishTile(rows, columns, eps, own, buffers, channel);
}

/** Tasks are tiles of [batch, channels] with all their rows. */
export function batchNormColumns(params: BatchNormParams, buffers: usize, begin: i32, end: i32): void {
  const rows = params.batch;
  const channels = params.channels;
  const own = buffer(buffers, 5);
  for (let task = begin; task < end; task++) {
    const channel = task * tileChannels;
    const columns = min(tileChannels, channels - channel);
    const x = buffer(buffers, 0) + words(channel);
    finishColumns(x, rows, words(channels), columns, params.eps, own, buffers, channel);
  }
}

/** Tasks are (tile, part) of [batch, channels]. Writes mean and sum of squared deviations as `batchNormParts` does. */
export function batchNormColumnParts(params: BatchNormParams, buffers: usize, begin: i32, end: i32): void {
  const channels = params.channels;
  const parts = (params.batch + batchNormPartRows - 1) / batchNormPartRows;
  const own = buffer(buffers, 5);
  for (let task = begin; task < end; task++) {
    const tile = task / parts;
    const part = task - tile * parts;
    const channel = tile * tileChannels;
    const columns = min(tileChannels, channels - channel);
    const row = part * batchNormPartRows;
    const x = buffer(buffers, 0) + words(row * channels + channel);
    momentsOfTile(x, min(batchNormPartRows, params.batch - row), words(channels), columns, params.eps, own);
    for (let column = 0; column < columns; column++) {
      const to = buffer(buffers, 4) + 4 * words((channel + column) * parts + part);
      store<f64>(to, load<f64>(own + meansAt + 2 * words(column)));
      store<f64>(to, load<f64>(own + sumsAt + 2 * words(column)), 8);
    }
  }
}

/** Sixteen rows or fewer of `n` words as the columns of a tile. */
function turnRows(to: usize, x: usize, rows: i32, n: i32): void {
  const stride = words(n);
  const step = words(tileChannels);
  const wholeRows = rows & -4;
  const whole = n & -4;
  for (let row = 0; row < wholeRows; row += 4) {
    for (let i = 0; i < whole; i += 4) {
      swapBlock(to + <usize>i * step + words(row), step, x + <usize>row * stride + words(i), stride);
    }
  }
  for (let row = 0; row < rows; row++) {
    for (let i = row < wholeRows ? whole : 0; i < n; i++) {
      store<u32>(to + <usize>i * step + words(row), load<u32>(x + <usize>row * stride + words(i)));
    }
  }
}

/** Tasks are tiles of channels that are rows next to each other. */
export function batchNormShortRows(params: BatchNormParams, buffers: usize, begin: i32, end: i32): void {
  const channels = params.channels;
  const n = params.spatial;
  const own = buffer(buffers, 5);
  const turned = own + rowsAt;
  for (let task = begin; task < end; task++) {
    const channel = task * tileChannels;
    const columns = min(tileChannels, channels - channel);
    turnRows(turned, buffer(buffers, 0) + words(channel * n), columns, n);
    finishColumns(turned, n, words(tileChannels), columns, params.eps, own, buffers, channel);
  }
}
