// Adaptive pooling over planes [planes, H, W] for the WASM device: window i of an axis is floor(i in / out) ..
// ceil((i + 1) in / out) - 1. Sums are float64 over SIMD blocks; one window over the whole plane is one run.
import { fillWords, sumRun, Value } from '../shared/simd.as';
import { AdaptivePoolParams } from './params.as';

@inline
function windowBegin(i: i32, size: i32, outputs: i32): i32 {
  return <i32>((<u64>i * size) / outputs);
}

@inline
function windowEnd(i: i32, size: i32, outputs: i32): i32 {
  return <i32>((<u64>(i + 1) * size + outputs - 1) / outputs);
}

/** Tasks are rows of the output. */
export function adaptiveAveragePool(params: AdaptivePoolParams, buffers: usize, begin: i32, end: i32): void {
  const inH = params.inH;
  const inW = params.inW;
  const outH = params.outH;
  const outW = params.outW;
  const x = <usize>load<u32>(buffers);
  const y = <usize>load<u32>(buffers, 4);
  for (let task = begin; task < end; task++) {
    const plane = task / outH;
    const i = task - plane * outH;
    const rowBegin = windowBegin(i, inH, outH);
    const rowEnd = windowEnd(i, inH, outH);
    const source = x + (((<usize>plane * inH + rowBegin) * inW) << 2);
    for (let j = 0; j < outW; j++) {
      const left = windowBegin(j, inW, outW);
      const width = windowEnd(j, inW, outW) - left;
      const n = (rowEnd - rowBegin) * width;
      let sum: f64 = 0;
      if (width == inW) {
        sum = sumRun<Value>(source, source, n, 0);
      } else {
        let p = source + ((<usize>left) << 2);
        for (let row = rowBegin; row < rowEnd; row++) {
          sum += sumRun<Value>(p, p, width, 0);
          p += (<usize>inW) << 2;
        }
      }
      store<f32>(y + ((<usize>task * outW + j) << 2), n ? <f32>(sum / n) : 0);
    }
  }
}

/** Adds `share` to `n` elements. */
@inline
function addRun(p: usize, share: f32, n: i32): void {
  const shares = f32x4.splat(share);
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    v128.store(p, f32x4.add(v128.load(p), shares));
    p += 16;
  }
  for (; i < n; i++) {
    store<f32>(p, load<f32>(p) + share);
    p += 4;
  }
}

/** Tasks are planes: each window adds its share to the positions under it, in order. */
export function adaptiveAveragePoolBackward(params: AdaptivePoolParams, buffers: usize, begin: i32, end: i32): void {
  const inH = params.inH;
  const inW = params.inW;
  const outH = params.outH;
  const outW = params.outW;
  let g = <usize>load<u32>(buffers) + ((<usize>begin * outH * outW) << 2);
  const gx = <usize>load<u32>(buffers, 4);
  const inSize = inH * inW;
  for (let plane = begin; plane < end; plane++) {
    const target = gx + ((<usize>plane * inSize) << 2);
    if (outH == 1 && outW == 1) {
      fillWords(target, reinterpret<u32>(load<f32>(g) / <f32>inSize), inSize);
      g += 4;
      continue;
    }
    memory.fill(target, 0, (<usize>inSize) << 2);
    for (let i = 0; i < outH; i++) {
      const rowBegin = windowBegin(i, inH, outH);
      const rowEnd = windowEnd(i, inH, outH);
      for (let j = 0; j < outW; j++) {
        const left = windowBegin(j, inW, outW);
        const width = windowEnd(j, inW, outW) - left;
        const share = load<f32>(g) / <f32>((rowEnd - rowBegin) * width);
        for (let row = rowBegin; row < rowEnd; row++) addRun(target + ((<usize>row * inW + left) << 2), share, width);
        g += 4;
      }
    }
  }
}

/** Tasks are rows of the output. The first maximum wins, and NaN always. */
export function adaptiveMaxPool(params: AdaptivePoolParams, buffers: usize, begin: i32, end: i32): void {
  const inH = params.inH;
  const inW = params.inW;
  const outH = params.outH;
  const outW = params.outW;
  const x = <usize>load<u32>(buffers);
  const y = <usize>load<u32>(buffers, 4);
  const indices = <usize>load<u32>(buffers, 8);
  for (let task = begin; task < end; task++) {
    const plane = task / outH;
    const i = task - plane * outH;
    const source = x + ((<usize>plane * inH * inW) << 2);
    const rowBegin = windowBegin(i, inH, outH);
    const rowEnd = windowEnd(i, inH, outH);
    for (let j = 0; j < outW; j++) {
      const left = windowBegin(j, inW, outW);
      const right = windowEnd(j, inW, outW);
      let best: f32 = -Infinity;
      let place = rowBegin < rowEnd && left < right ? rowBegin * inW + left : -1;
      for (let row = rowBegin; row < rowEnd; row++) {
        for (let column = left; column < right; column++) {
          const position = row * inW + column;
          const value = load<f32>(source + ((<usize>position) << 2));
          if (value > best || value != value) {
            best = value;
            place = position;
          }
        }
      }
      const at = (<usize>task * outW + j) << 2;
      store<f32>(y + at, best);
      store<i32>(indices + at, place);
    }
  }
}
