// Softmax and its logarithm along the middle axis of [outer, n, inner] for the WASM device: maximum, sum of
// exponentials in float64, result. A line of -infinity alone becomes NaN by itself: -infinity + infinity.
import { isTop, lineLogSum, logOfSum } from '../shared/log-sum.as';
import { exp4 } from '../shared/math.as';
import { demote, extremeRun, Four, Larger, loadLanes, loadPart, Part, promoteHigh } from '../shared/simd.as';
import { promoteLow, storeLanes, storePart } from '../shared/simd.as';
import { SoftmaxParams } from './params.as';

/** Writes e^(x - m) to y and returns the sum. */
@inline
function exponentials(x: usize, y: usize, n: i32, m: v128): f32 {
  let total = f64x2.splat(0);
  let i: usize = 0;
  const whole = (<usize>(n & -4)) << 2;
  if (whole) {
    do {
      const e = exp4(f32x4.sub(v128.load(x + i), m));
      v128.store(y + i, e);
      total = f64x2.add(total, f64x2.add(promoteLow(e), promoteHigh(e)));
      i += 16;
    } while (i < whole);
  }
  let result = f64x2.extract_lane(total, 0) + f64x2.extract_lane(total, 1);
  const rest = n & 3;
  if (rest) storePart(y + i, exp4(f32x4.sub(loadPart(x + i, rest), m)), rest);
  for (const size = (<usize>n) << 2; i < size; i += 4) result += <f64>load<f32>(y + i);
  return <f32>result;
}

/** One line; n > 0. `total` is the sum of e^(x - m), or its logarithm. */
function softmaxLine(x: usize, y: usize, n: i32, log: i32): void {
  const largest = extremeRun<Larger>(x, n);
  const m = f32x4.splat(largest);
  const total = f32x4.splat(log ? lineLogSum(x, n, largest) : exponentials(x, y, n, m));
  let i = 0;
  do {
    const count = min(4, n - i);
    const value = log ? f32x4.sub(f32x4.sub(loadLanes(x, count), m), total) : f32x4.div(loadLanes(y, count), total);
    storeLanes(y, value, count);
    x += 16;
    y += 16;
    i += 4;
  } while (i < n);
}

/** Four columns, or with `Lanes` = Part one to three (`count`); n > 0. */
function softmaxColumns<Lanes>(x: usize, y: usize, n: i32, stride: usize, count: i32, log: i32): void {
  const lanes = changetype<Lanes>(0);
  const size = <usize>n * stride;
  const half = <usize>(n >> 1) * stride;
  // The maximum of four waits for the one before it: two chains are twice as fast.
  let m = lanes.load(x + size - stride, count);
  let m1 = m;
  for (let k: usize = 0; k < half; k += stride) {
    m = f32x4.max(m, lanes.load(x + k, count));
    m1 = f32x4.max(m1, lanes.load(x + k + half, count));
  }
  m = f32x4.max(m, m1);
  let low = f64x2.splat(0);
  let high = f64x2.splat(0);
  let ties = f32x4.splat(0);
  let k: usize = 0;
  do {
    const shifted = f32x4.sub(lanes.load(x + k, count), m);
    let e = exp4(shifted);
    if (log) {
      const top = isTop(shifted);
      e = v128.andnot(e, top);
      ties = f32x4.add(ties, v128.and(top, f32x4.splat(1)));
    } else {
      lanes.store(y + k, e, count);
    }
    low = f64x2.add(low, promoteLow(e));
    high = f64x2.add(high, promoteHigh(e));
    k += stride;
  } while (k < size);
  const total = demote(low, high);
  k = 0;
  if (log) {
    const logTotal = logOfSum(total, ties);
    do {
      lanes.store(y + k, f32x4.sub(f32x4.sub(lanes.load(x + k, count), m), logTotal), count);
      k += stride;
    } while (k < size);
  } else {
    do {
      lanes.store(y + k, f32x4.div(lanes.load(y + k, count), total), count);
      k += stride;
    } while (k < size);
  }
}

/** Tasks are lines where inner is 1, and four columns elsewhere. */
export function softmax(params: SoftmaxParams, buffers: usize, begin: i32, end: i32): void {
  const n = params.n;
  const inner = params.inner;
  const log = params.log;
  const x = <usize>load<u32>(buffers);
  const y = <usize>load<u32>(buffers, 4);
  if (n == 0) return;
  if (inner == 1) {
    for (let o = begin; o < end; o++) {
      const offset = (<usize>o * n) << 2;
      softmaxLine(x + offset, y + offset, n, log);
    }
    return;
  }
  const tiles = (inner + 3) >> 2;
  for (let task = begin; task < end; task++) {
    const o = task / tiles;
    const column = (task - o * tiles) << 2;
    const offset = (<usize>o * n * inner + column) << 2;
    const count = inner - column;
    if (count >= 4) softmaxColumns<Four>(x + offset, y + offset, n, (<usize>inner) << 2, 4, log);
    else softmaxColumns<Part>(x + offset, y + offset, n, (<usize>inner) << 2, count, log);
  }
}
