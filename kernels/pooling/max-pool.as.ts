// Max pooling over planes [planes, H, W] and its adjoint for the WASM device. Four neighbouring windows at a time where
// none of them leaves the row; the first maximum wins, and NaN always.
import { Adjacent, EverySecond, Spread } from '../shared/simd.as';
import { PoolParams } from './params.as';

/** First step of a window from `start` (by `step`) that is not before the plane. */
@inline
function firstInside(start: i32, step: i32): i32 {
  return start < 0 ? (step - 1 - start) / step : 0;
}

/** First step of a window from `start` (by `step`, `steps` of them) that is past a plane of `size`. */
@inline
function endInside(start: i32, step: i32, steps: i32, size: i32): i32 {
  return start >= size ? 0 : min(steps, (size - start + step - 1) / step);
}

function maxPoolRows<Load>(params: PoolParams, buffers: usize, begin: i32, end: i32): void {
  const four = changetype<Load>(0);
  const inH = params.inH;
  const inW = params.inW;
  const outH = params.outH;
  const outW = params.outW;
  const kernelH = params.kernelH;
  const kernelW = params.kernelW;
  const strideH = params.strideH;
  const strideW = params.strideW;
  const padH = params.padH;
  const padW = params.padW;
  const dilationH = params.dilationH;
  const dilationW = params.dilationW;
  const x = <usize>load<u32>(buffers);
  const y = <usize>load<u32>(buffers, 4);
  const indices = <usize>load<u32>(buffers, 8);
  // Windows [wholeBegin, wholeEnd) of a row lie inside it.
  const wholeBegin = (padW + strideW - 1) / strideW;
  const room = inW - 1 - (kernelW - 1) * dilationW + padW;
  const wholeEnd = room < 0 ? 0 : min(outW, room / strideW + 1);
  const lanes = i32x4.mul(i32x4(0, 1, 2, 3), i32x4.splat(strideW));
  const step = i32x4.splat(dilationW);

  for (let task = begin; task < end; task++) {
    const plane = task / outH;
    const top = (task - plane * outH) * strideH - padH;
    const source = x + ((<usize>plane * inH * inW) << 2);
    const rowBegin = firstInside(top, dilationH);
    const rowEnd = endInside(top, dilationH, kernelH, inH);
    for (let j = 0; j < outW;) {
      const at = (<usize>task * outW + j) << 2;
      const left = j * strideW - padW;
      if (j >= wholeBegin && j + 4 <= wholeEnd && rowBegin < rowEnd) {
        let best = f32x4.splat(-Infinity);
        let place = i32x4.add(lanes, i32x4.splat((top + rowBegin * dilationH) * inW + left));
        let row = rowBegin;
        do {
          const first = (top + row * dilationH) * inW + left;
          let position = i32x4.add(lanes, i32x4.splat(first));
          let p = source + ((<usize>first) << 2);
          let column = 0;
          do {
            const value = four.load(p, strideW);
            const isTaken = v128.or(f32x4.gt(value, best), f32x4.ne(value, value));
            best = v128.bitselect(value, best, isTaken);
            place = v128.bitselect(position, place, isTaken);
            position = i32x4.add(position, step);
            p += (<usize>dilationW) << 2;
          } while (++column < kernelW);
        } while (++row < rowEnd);
        v128.store(y + at, best);
        v128.store(indices + at, place);
        j += 4;
      } else {
        const columnBegin = firstInside(left, dilationW);
        const columnEnd = endInside(left, dilationW, kernelW, inW);
        const isEmpty = rowBegin >= rowEnd || columnBegin >= columnEnd;
        let best: f32 = -Infinity;
        let place = isEmpty ? -1 : (top + rowBegin * dilationH) * inW + left + columnBegin * dilationW;
        for (let row = rowBegin; row < rowEnd; row++) {
          for (let column = columnBegin; column < columnEnd; column++) {
            const position = (top + row * dilationH) * inW + left + column * dilationW;
            const value = load<f32>(source + ((<usize>position) << 2));
            if (value > best || value != value) {
              best = value;
              place = position;
            }
          }
        }
        store<f32>(y + at, best);
        store<i32>(indices + at, place);
        j++;
      }
    }
  }
}

/** Tasks are rows of the output. */
export function maxPool(params: PoolParams, buffers: usize, begin: i32, end: i32): void {
  const strideW = params.strideW;
  if (strideW == 1) maxPoolRows<Adjacent>(params, buffers, begin, end);
  else if (strideW == 2) maxPoolRows<EverySecond>(params, buffers, begin, end);
  else maxPoolRows<Spread>(params, buffers, begin, end);
}

/** Windows of 2 x 2 side by side: each position is in one window at most, so it is written once and nothing is added. */
function spreadPairs(g: usize, indices: usize, gx: usize, inH: i32, inW: i32, outH: i32, outW: i32): void {
  const lanes = i32x4(0, 2, 4, 6);
  const row = (<usize>inW) << 2;
  for (let i = 0; i < outH; i++) {
    const upper = gx + 2 * <usize>i * row;
    const start = 2 * i * inW;
    let j = 0;
    for (; j + 4 <= outW; j += 4) {
      const gradient = v128.load(g);
      // Place of the maximum relative to the upper left corner of its window.
      const place = i32x4.sub(v128.load(indices), i32x4.add(lanes, i32x4.splat(start + 2 * j)));
      const a = v128.and(gradient, i32x4.eq(place, i32x4.splat(0)));
      const b = v128.and(gradient, i32x4.eq(place, i32x4.splat(1)));
      const c = v128.and(gradient, i32x4.eq(place, i32x4.splat(inW)));
      const d = v128.and(gradient, i32x4.eq(place, i32x4.splat(inW + 1)));
      const to = upper + ((<usize>j) << 3);
      v128.store(to, v128.shuffle<i32>(a, b, 0, 4, 1, 5));
      v128.store(to, v128.shuffle<i32>(a, b, 2, 6, 3, 7), 16);
      v128.store(to + row, v128.shuffle<i32>(c, d, 0, 4, 1, 5));
      v128.store(to + row, v128.shuffle<i32>(c, d, 2, 6, 3, 7), 16);
      g += 16;
      indices += 16;
    }
    for (; j < outW; j++) {
      const to = upper + ((<usize>j) << 3);
      store<u64>(to, 0);
      store<u64>(to + row, 0);
      store<f32>(gx + ((<usize>load<u32>(indices)) << 2), load<f32>(g));
      g += 4;
      indices += 4;
    }
    const rest = (<usize>(inW - 2 * outW)) << 2;
    memory.fill(upper + ((<usize>outW) << 3), 0, rest);
    memory.fill(upper + row + ((<usize>outW) << 3), 0, rest);
  }
  memory.fill(gx + 2 * <usize>outH * row, 0, <usize>(inH - 2 * outH) * row);
}

/** Tasks are planes. */
export function maxPoolBackward(params: PoolParams, buffers: usize, begin: i32, end: i32): void {
  const inH = params.inH;
  const inW = params.inW;
  const outH = params.outH;
  const outW = params.outW;
  const g = <usize>load<u32>(buffers);
  const indices = <usize>load<u32>(buffers, 4);
  const gx = <usize>load<u32>(buffers, 8);
  const isSquare = params.kernelH == 2 && params.kernelW == 2;
  const isApart = params.strideH == 2 && params.strideW == 2;
  const isPlain = params.padH == 0 && params.padW == 0;
  const isDense = params.dilationH == 1 && params.dilationW == 1;
  const arePairs = isSquare && isApart && isPlain && isDense && 2 * outH <= inH && 2 * outW <= inW;
  const inSize = <usize>inH * inW;
  const outSize = <usize>outH * outW;
  for (let plane = begin; plane < end; plane++) {
    const from = (outSize * plane) << 2;
    const to = gx + ((inSize * plane) << 2);
    if (arePairs) {
      spreadPairs(g + from, indices + from, to, inH, inW, outH, outW);
      continue;
    }
    memory.fill(to, 0, inSize << 2);
    for (let at = from; at < from + (outSize << 2); at += 4) {
      const index = load<i32>(indices + at);
      // A window that lies in the padding has no index.
      if (index < 0) continue;
      const p = to + ((<usize>index) << 2);
      store<f32>(p, load<f32>(p) + load<f32>(g + at));
    }
  }
}
