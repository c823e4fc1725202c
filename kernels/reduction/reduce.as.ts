// Sum, mean, maximum and minimum over the middle axis of [outer, n, inner] for the WASM device.
// Sums are made of float32 blocks of sixteen terms that are added in float64. Few long lines are cut into parts of fixed
// length (`reducePartElements`), whose float64 results a second phase combines in order.
import { demote, extremeRun, Larger, loadLanes, promoteHigh, promoteLow, Smaller, storeLanes } from '../shared/simd.as';
import { sumRun, Value } from '../shared/simd.as';
import { Reduction, reducePartElements } from './codes';
import { ReduceParams } from './params.as';

/** Columns of a tile: one cache line. */
const tileColumns: i32 = 16;

/** Two times two float64 as results: divided and rounded, or, for a part, as they are. */
@inline
function finish(low: v128, high: v128, y: usize, count: i32, isPart: bool, divisor: f64): void {
  if (isPart) {
    v128.store(y, low);
    v128.store(y, high, 16);
    return;
  }
  const by = f64x2.splat(divisor);
  storeLanes(y, demote(f64x2.div(low, by), f64x2.div(high, by)), count);
}

/** Sums of `count` (1 to 4) columns. */
function sumColumns(x: usize, rows: i32, stride: usize, count: i32, y: usize, isPart: bool, divisor: f64): void {
  let low = f64x2.splat(0);
  let high = f64x2.splat(0);
  for (let row = 0; row < rows;) {
    const end = min(rows, row + 16);
    let sum = f32x4.splat(0);
    for (; row < end; row++) {
      sum = f32x4.add(sum, loadLanes(x, count));
      x += stride;
    }
    low = f64x2.add(low, promoteLow(sum));
    high = f64x2.add(high, promoteHigh(sum));
  }
  finish(low, high, y, count, isPart, divisor);
}

/** Sums of sixteen columns, each in the same order as in `sumColumns`. */
function sumTile(x: usize, rows: i32, stride: usize, y: usize, isPart: bool, divisor: f64): void {
  let low0 = f64x2.splat(0);
  let low1 = low0;
  let low2 = low0;
  let low3 = low0;
  let high0 = low0;
  let high1 = low0;
  let high2 = low0;
  let high3 = low0;
  for (let row = 0; row < rows;) {
    const end = min(rows, row + 16);
    let sum0 = f32x4.splat(0);
    let sum1 = sum0;
    let sum2 = sum0;
    let sum3 = sum0;
    for (; row < end; row++) {
      sum0 = f32x4.add(sum0, v128.load(x));
      sum1 = f32x4.add(sum1, v128.load(x, 16));
      sum2 = f32x4.add(sum2, v128.load(x, 32));
      sum3 = f32x4.add(sum3, v128.load(x, 48));
      x += stride;
    }
    low0 = f64x2.add(low0, promoteLow(sum0));
    low1 = f64x2.add(low1, promoteLow(sum1));
    low2 = f64x2.add(low2, promoteLow(sum2));
    low3 = f64x2.add(low3, promoteLow(sum3));
    high0 = f64x2.add(high0, promoteHigh(sum0));
    high1 = f64x2.add(high1, promoteHigh(sum1));
    high2 = f64x2.add(high2, promoteHigh(sum2));
    high3 = f64x2.add(high3, promoteHigh(sum3));
  }
  const step: usize = isPart ? 32 : 16;
  finish(low0, high0, y, 4, isPart, divisor);
  finish(low1, high1, y + step, 4, isPart, divisor);
  finish(low2, high2, y + 2 * step, 4, isPart, divisor);
  finish(low3, high3, y + 3 * step, 4, isPart, divisor);
}

/** Extrema of `count` (1 to 4) columns. */
function extremeColumns<Choice>(x: usize, rows: i32, stride: usize, count: i32, y: usize, isPart: bool): void {
  const choice = changetype<Choice>(0);
  let best = f32x4.splat(choice.start());
  for (let row = 0; row < rows; row++) {
    best = choice.four(best, loadLanes(x, count));
    x += stride;
  }
  finish(promoteLow(best), promoteHigh(best), y, count, isPart, 1);
}

/** Extrema of sixteen columns. */
function extremeTile<Choice>(x: usize, rows: i32, stride: usize, y: usize, isPart: bool): void {
  const choice = changetype<Choice>(0);
  let best0 = f32x4.splat(choice.start());
  let best1 = best0;
  let best2 = best0;
  let best3 = best0;
  for (let row = 0; row < rows; row++) {
    best0 = choice.four(best0, v128.load(x));
    best1 = choice.four(best1, v128.load(x, 16));
    best2 = choice.four(best2, v128.load(x, 32));
    best3 = choice.four(best3, v128.load(x, 48));
    x += stride;
  }
  const step: usize = isPart ? 32 : 16;
  finish(promoteLow(best0), promoteHigh(best0), y, 4, isPart, 1);
  finish(promoteLow(best1), promoteHigh(best1), y + step, 4, isPart, 1);
  finish(promoteLow(best2), promoteHigh(best2), y + 2 * step, 4, isPart, 1);
  finish(promoteLow(best3), promoteHigh(best3), y + 3 * step, 4, isPart, 1);
}

/** One line of n elements next to each other. */
@inline
function reduceLine(x: usize, n: i32, op: i32): f64 {
  if (op == Reduction.max) return <f64>extremeRun<Larger>(x, n);
  if (op == Reduction.min) return <f64>extremeRun<Smaller>(x, n);
  return sumRun<Value>(x, x, n, 0);
}

/** Up to sixteen neighbouring columns. */
function reduceTile(x: usize, rows: i32, inner: i32, columns: i32, op: i32, y: usize, isPart: bool, n: i32): void {
  const divisor: f64 = op == Reduction.mean ? n : 1;
  const stride = (<usize>inner) << 2;
  const size: usize = isPart ? 8 : 4;
  if (columns == tileColumns) {
    if (op == Reduction.max) return extremeTile<Larger>(x, rows, stride, y, isPart);
    if (op == Reduction.min) return extremeTile<Smaller>(x, rows, stride, y, isPart);
    return sumTile(x, rows, stride, y, isPart, divisor);
  }
  for (let column = 0; column < columns; column += 4) {
    const count = min(4, columns - column);
    const from = x + ((<usize>column) << 2);
    const to = y + <usize>column * size;
    if (op == Reduction.max) extremeColumns<Larger>(from, rows, stride, count, to, isPart);
    else if (op == Reduction.min) extremeColumns<Smaller>(from, rows, stride, count, to, isPart);
    else sumColumns(from, rows, stride, count, to, isPart, divisor);
  }
}

/** Tasks are lines where inner is 1, and tiles of sixteen columns elsewhere. */
export function reduceLines(params: ReduceParams, buffers: usize, begin: i32, end: i32): void {
  const n = params.n;
  const inner = params.inner;
  const op = params.op;
  const x = <usize>load<u32>(buffers);
  const y = <usize>load<u32>(buffers, 4);
  if (inner == 1) {
    const divisor: f64 = op == Reduction.mean ? n : 1;
    for (let o = begin; o < end; o++) {
      const value = reduceLine(x + ((<usize>o * n) << 2), n, op);
      store<f32>(y + ((<usize>o) << 2), <f32>(value / divisor));
    }
    return;
  }
  const tiles = (inner + tileColumns - 1) / tileColumns;
  for (let task = begin; task < end; task++) {
    const o = task / tiles;
    const column = (task - o * tiles) * tileColumns;
    const from = x + ((<usize>o * n * inner + column) << 2);
    const to = y + ((<usize>o * inner + column) << 2);
    reduceTile(from, n, inner, min(tileColumns, inner - column), op, to, false, n);
  }
}

/** Rows of one part. */
@inline
function partRows(inner: i32): i32 {
  return max(1, reducePartElements / inner);
}

/** float64 results of one part: inner, rounded up to whole vectors. */
@inline
function partLength(inner: i32): i32 {
  return (inner + 3) & -4;
}

/** Tasks are tiles of (outer, part). Writes float64 [outer, part, columns] to the shared scratch. */
export function reduceParts(params: ReduceParams, buffers: usize, begin: i32, end: i32): void {
  const n = params.n;
  const inner = params.inner;
  const op = params.op;
  const x = <usize>load<u32>(buffers);
  const scratch = <usize>load<u32>(buffers, 8);
  const rowsOfPart = partRows(inner);
  const parts = (n + rowsOfPart - 1) / rowsOfPart;
  const tiles = (inner + tileColumns - 1) / tileColumns;
  for (let task = begin; task < end; task++) {
    const line = task / tiles;
    const column = (task - line * tiles) * tileColumns;
    const o = line / parts;
    const row = (line - o * parts) * rowsOfPart;
    const rows = min(rowsOfPart, n - row);
    const from = x + (((<usize>o * n + row) * inner + column) << 2);
    const to = scratch + ((<usize>line * partLength(inner) + column) << 3);
    if (inner == 1) store<f64>(to, reduceLine(from, rows, op));
    else reduceTile(from, rows, inner, min(tileColumns, inner - column), op, to, true, n);
  }
}

/** Tasks are elements of y: their parts, in order. */
export function reduceCombine(params: ReduceParams, buffers: usize, begin: i32, end: i32): void {
  const n = params.n;
  const inner = params.inner;
  const op = params.op;
  const y = <usize>load<u32>(buffers, 4);
  const scratch = <usize>load<u32>(buffers, 8);
  const rowsOfPart = partRows(inner);
  const parts = (n + rowsOfPart - 1) / rowsOfPart;
  const length = partLength(inner);
  const divisor: f64 = op == Reduction.mean ? n : 1;
  for (let task = begin; task < end; task++) {
    const o = task / inner;
    let from = scratch + ((<usize>o * parts * length + (task - o * inner)) << 3);
    let result = load<f64>(from);
    for (let part = 1; part < parts; part++) {
      from += (<usize>length) << 3;
      const next = load<f64>(from);
      if (op == Reduction.max) result = max<f64>(result, next);
      else if (op == Reduction.min) result = min<f64>(result, next);
      else result += next;
    }
    store<f32>(y + ((<usize>task) << 2), <f32>(result / divisor));
  }
}
