// Place of the first maximum or minimum along the middle axis of [outer, n, inner] for the WASM device; NaN wins.
import { extremeRun, Four, Larger, Part, Smaller } from '../shared/simd.as';
import { ArgReduction } from './codes';
import { ArgReduceParams } from './params.as';

@unmanaged
class IsLarger {
  @inline
  test(a: v128, b: v128): v128 {
    return f32x4.gt(a, b);
  }
}

@unmanaged
class IsSmaller {
  @inline
  test(a: v128, b: v128): v128 {
    return f32x4.lt(a, b);
  }
}

/** First place of `value` among n elements, or of a NaN if it is one. */
function find(x: usize, n: i32, value: f32): i32 {
  const isNumber = value == value;
  const wanted = f32x4.splat(value);
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    const four = v128.load(x + ((<usize>i) << 2));
    const found = i32x4.bitmask(isNumber ? f32x4.eq(four, wanted) : f32x4.ne(four, four));
    if (found) return i + ctz(found);
  }
  for (; i < n; i++) {
    const one = load<f32>(x + ((<usize>i) << 2));
    if (isNumber ? one == value : one != one) return i;
  }
  return 0;
}

/** Places in four columns, or with `Lanes` = Part in one to three (`count`). */
function findColumns<Better, Lanes>(x: usize, n: i32, stride: usize, y: usize, count: i32): void {
  const better = changetype<Better>(0);
  const lanes = changetype<Lanes>(0);
  let best = f32x4.splat(0);
  let place = i32x4.splat(0);
  if (n > 0) best = lanes.load(x, count);
  for (let k = 1; k < n; k++) {
    x += stride;
    const value = lanes.load(x, count);
    const isFirstNaN = v128.andnot(f32x4.ne(value, value), f32x4.ne(best, best));
    const isTaken = v128.or(better.test(value, best), isFirstNaN);
    best = v128.bitselect(value, best, isTaken);
    place = v128.bitselect(i32x4.splat(k), place, isTaken);
  }
  lanes.store(y, place, count);
}

/** Tasks are lines where inner is 1, and four columns elsewhere. */
export function argReduce(params: ArgReduceParams, buffers: usize, begin: i32, end: i32): void {
  const n = params.n;
  const inner = params.inner;
  const op = params.op;
  const x = <usize>load<u32>(buffers);
  const y = <usize>load<u32>(buffers, 4);
  if (inner == 1) {
    for (let o = begin; o < end; o++) {
      const line = x + ((<usize>o * n) << 2);
      const value = op == ArgReduction.max ? extremeRun<Larger>(line, n) : extremeRun<Smaller>(line, n);
      store<i32>(y + ((<usize>o) << 2), find(line, n, value));
    }
    return;
  }
  const tiles = (inner + 3) >> 2;
  for (let task = begin; task < end; task++) {
    const o = task / tiles;
    const column = (task - o * tiles) << 2;
    const from = x + ((<usize>o * n * inner + column) << 2);
    const to = y + ((<usize>o * inner + column) << 2);
    const count = min(4, inner - column);
    const stride = (<usize>inner) << 2;
    if (count == 4) {
      if (op == ArgReduction.max) findColumns<IsLarger, Four>(from, n, stride, to, count);
      else findColumns<IsSmaller, Four>(from, n, stride, to, count);
    } else {
      if (op == ArgReduction.max) findColumns<IsLarger, Part>(from, n, stride, to, count);
      else findColumns<IsSmaller, Part>(from, n, stride, to, count);
    }
  }
}
