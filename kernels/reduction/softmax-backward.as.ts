// The gradient of softmax or of its logarithm along the middle axis of [outer, n, inner] for the WASM device, from its output y
// and the gradient g of that; equations in reduction.ts. Sums are made in float64. Where no probability is near 1, one pass over
// the line sums up and one writes; elsewhere the most likely place is treated on its own.
import { exp4, expm1 } from '../shared/math.as';
import {
  demote,
  extremeRun,
  Four,
  Larger,
  loadLanes,
  loadPart,
  Part,
  promoteHigh,
  promoteLow,
  storeLanes,
  storePart,
} from '../shared/simd.as';
import { SoftmaxParams } from './params.as';

/** The gradient of the logarithm at the most likely place. */
@inline
function atTop(y: v128, g: v128, others: v128): v128 {
  return f32x4.neg(f32x4.add(f32x4.mul(g, expm1(y)), f32x4.mul(exp4(y), others)));
}

/** The place of the largest of `n` numbers: the first, or of none 0. */
function placeOfLargest(p: usize, n: i32): i32 {
  const largest = extremeRun<Larger>(p, n);
  const all = f32x4.splat(largest);
  const whole = n & -4;
  let i = 0;
  while (i < whole && !v128.any_true(f32x4.eq(v128.load(p + ((<usize>i) << 2)), all))) i += 4;
  while (i < n && load<f32>(p + ((<usize>i) << 2)) != largest) i++;
  return i < n ? i : 0;
}

/** The sum over all places but `top` of g, or of y (g - first). */
function sumOfOthers(y: usize, g: usize, n: i32, top: i32, first: v128, log: i32): f32 {
  let total = f64x2.splat(0);
  let toTop = i32x4.sub(i32x4.splat(top), i32x4(0, 1, 2, 3));
  for (let i = 0; i < n; i += 4) {
    const count = min(4, n - i);
    const at = (<usize>i) << 2;
    const gradient = loadLanes(g + at, count);
    let term = log ? gradient : f32x4.mul(loadLanes(y + at, count), f32x4.sub(gradient, first));
    term = v128.andnot(term, i32x4.eq(toTop, i32x4.splat(0)));
    // Beyond the line there are zeros, of which the product with an infinity would be NaN.
    if (count < 4) term = v128.and(term, i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(count)));
    total = f64x2.add(total, f64x2.add(promoteLow(term), promoteHigh(term)));
    toTop = i32x4.sub(toTop, i32x4.splat(4));
  }
  return <f32>(f64x2.extract_lane(total, 0) + f64x2.extract_lane(total, 1));
}

/** Up to this probability 1 - p keeps its digits. The second is its logarithm. */
const mostPlain: f32 = 0.875;
const mostPlainLog: f32 = -0.13353139;

/** What the sums below add up: g, or y (g - first), in which what all g have in common is no term. */
@inline
function plainTerm(y: v128, g: v128, first: v128, log: i32): v128 {
  return log ? g : f32x4.mul(y, f32x4.sub(g, first));
}

@inline
function plainGradient(y: v128, g: v128, first: v128, total: v128, log: i32): v128 {
  return log ? f32x4.sub(g, f32x4.mul(exp4(y), total)) : f32x4.mul(y, f32x4.sub(f32x4.sub(g, first), total));
}

/** One line without a probability near 1; n > 0. Returns whether it was one. */
function plainLine(y: usize, g: usize, gx: usize, n: i32, log: i32): bool {
  const first = v128.load32_splat(g);
  const whole = (<usize>(n & -4)) << 2;
  const rest = n & 3;
  let most = f32x4.splat(-Infinity);
  let low = f64x2.splat(0);
  let high = f64x2.splat(0);
  let i: usize = 0;
  if (whole) {
    do {
      const value = v128.load(y + i);
      const term = plainTerm(value, v128.load(g + i), first, log);
      most = f32x4.max(most, value);
      low = f64x2.add(low, promoteLow(term));
      high = f64x2.add(high, promoteHigh(term));
      i += 16;
    } while (i < whole);
  }
  if (rest) {
    const isInside = i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(rest));
    const value = loadPart(y + i, rest);
    const term = v128.and(plainTerm(value, loadPart(g + i, rest), first, log), isInside);
    most = v128.bitselect(f32x4.max(most, value), most, isInside);
    low = f64x2.add(low, promoteLow(term));
    high = f64x2.add(high, promoteHigh(term));
  }
  const limit = f32x4.splat(log ? mostPlainLog : mostPlain);
  // NaN is not plain.
  if (!i32x4.all_true(f32x4.le(most, limit))) return false;
  low = f64x2.add(low, high);
  const total = f32x4.splat(<f32>(f64x2.extract_lane(low, 0) + f64x2.extract_lane(low, 1)));
  i = 0;
  if (whole) {
    do {
      v128.store(gx + i, plainGradient(v128.load(y + i), v128.load(g + i), first, total, log));
      i += 16;
    } while (i < whole);
  }
  if (rest) storePart(gx + i, plainGradient(loadPart(y + i, rest), loadPart(g + i, rest), first, total, log), rest);
  return true;
}

/** Four columns as above, or with `Lanes` = Part one to three (`count`); n > 0. */
function plainColumns<Lanes>(y: usize, g: usize, gx: usize, n: i32, stride: usize, count: i32, log: i32): bool {
  const lanes = changetype<Lanes>(0);
  const first = lanes.load(g, count);
  const size = <usize>n * stride;
  let most = f32x4.splat(-Infinity);
  let low = f64x2.splat(0);
  let high = f64x2.splat(0);
  let at: usize = 0;
  do {
    const value = lanes.load(y + at, count);
    const term = plainTerm(value, lanes.load(g + at, count), first, log);
    most = f32x4.max(most, value);
    low = f64x2.add(low, promoteLow(term));
    high = f64x2.add(high, promoteHigh(term));
    at += stride;
  } while (at < size);
  const isPlain = f32x4.le(most, f32x4.splat(log ? mostPlainLog : mostPlain));
  const isBeside = i32x4.ge_s(i32x4(0, 1, 2, 3), i32x4.splat(count));
  if (!i32x4.all_true(v128.or(isPlain, isBeside))) return false;
  const total = demote(low, high);
  at = 0;
  do {
    const value = lanes.load(y + at, count);
    lanes.store(gx + at, plainGradient(value, lanes.load(g + at, count), first, total, log), count);
    at += stride;
  } while (at < size);
  return true;
}

/** One line; n > 0. */
function backwardLine(y: usize, g: usize, gx: usize, n: i32, log: i32): void {
  const place = placeOfLargest(y, n);
  const top = (<usize>place) << 2;
  const gTop = load<f32>(g + top);
  const first = f32x4.splat(gTop);
  const others = f32x4.splat(sumOfOthers(y, g, n, place, first, log));
  const all = f32x4.add(others, first);
  for (let i = 0; i < n; i += 4) {
    const count = min(4, n - i);
    const at = (<usize>i) << 2;
    const probability = loadLanes(y + at, count);
    const gradient = loadLanes(g + at, count);
    const value = log
      ? f32x4.sub(gradient, f32x4.mul(exp4(probability), all))
      : f32x4.mul(probability, f32x4.sub(f32x4.sub(gradient, first), others));
    storeLanes(gx + at, value, count);
  }
  if (log) store<f32>(gx + top, f32x4.extract_lane(atTop(f32x4.splat(load<f32>(y + top)), first, others), 0));
}

/** Four columns, or with `Lanes` = Part one to three (`count`); n > 0. */
function backwardColumns<Lanes>(y: usize, g: usize, gx: usize, n: i32, stride: usize, count: i32, log: i32): void {
  const lanes = changetype<Lanes>(0);
  let best = lanes.load(y, count);
  let first = lanes.load(g, count);
  let top = i32x4.splat(0);
  for (let k = 1; k < n; k++) {
    const at = <usize>k * stride;
    const value = lanes.load(y + at, count);
    const isLarger = f32x4.gt(value, best);
    best = v128.bitselect(value, best, isLarger);
    first = v128.bitselect(lanes.load(g + at, count), first, isLarger);
    top = v128.bitselect(i32x4.splat(k), top, isLarger);
  }
  let low = f64x2.splat(0);
  let high = f64x2.splat(0);
  for (let k = 0; k < n; k++) {
    const at = <usize>k * stride;
    const gradient = lanes.load(g + at, count);
    const term = log ? gradient : f32x4.mul(lanes.load(y + at, count), f32x4.sub(gradient, first));
    const other = v128.andnot(term, i32x4.eq(top, i32x4.splat(k)));
    low = f64x2.add(low, promoteLow(other));
    high = f64x2.add(high, promoteHigh(other));
  }
  const others = demote(low, high);
  const all = f32x4.add(others, first);
  const gradientOfTop = log ? atTop(best, first, others) : first;
  for (let k = 0; k < n; k++) {
    const at = <usize>k * stride;
    const probability = lanes.load(y + at, count);
    const gradient = lanes.load(g + at, count);
    let value: v128;
    if (log) {
      value = f32x4.sub(gradient, f32x4.mul(exp4(probability), all));
      value = v128.bitselect(gradientOfTop, value, i32x4.eq(top, i32x4.splat(k)));
    } else {
      value = f32x4.mul(probability, f32x4.sub(f32x4.sub(gradient, first), others));
    }
    lanes.store(gx + at, value, count);
  }
}

@inline
function columns<Lanes>(y: usize, g: usize, gx: usize, n: i32, stride: usize, count: i32, log: i32): void {
  if (!plainColumns<Lanes>(y, g, gx, n, stride, count, log)) backwardColumns<Lanes>(y, g, gx, n, stride, count, log);
}

/** Tasks are lines where inner is 1, and four columns elsewhere. */
export function softmaxBackward(params: SoftmaxParams, buffers: usize, begin: i32, end: i32): void {
  const n = params.n;
  const inner = params.inner;
  const log = params.log;
  const y = <usize>load<u32>(buffers);
  const g = <usize>load<u32>(buffers, 4);
  const gx = <usize>load<u32>(buffers, 8);
  if (n == 0) return;
  if (inner == 1) {
    for (let o = begin; o < end; o++) {
      const offset = (<usize>o * n) << 2;
      if (!plainLine(y + offset, g + offset, gx + offset, n, log)) {
        backwardLine(y + offset, g + offset, gx + offset, n, log);
      }
    }
    return;
  }
  const tiles = (inner + 3) >> 2;
  for (let task = begin; task < end; task++) {
    const o = task / tiles;
    const column = (task - o * tiles) << 2;
    const offset = (<usize>o * n * inner + column) << 2;
    const count = inner - column;
    const stride = (<usize>inner) << 2;
    if (count >= 4) columns<Four>(y + offset, g + offset, gx + offset, n, stride, 4, log);
    else columns<Part>(y + offset, g + offset, gx + offset, n, stride, count, log);
  }
}
