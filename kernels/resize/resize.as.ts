// Nearest and bilinear resize of planes [planes, H, W] and its adjoint for the WASM device. A first phase tabulates what
// each output position of both axes reads; then rows are mixed, first along H (vectors), then along W (pairs).
//
// Tables in the shared scratch, for H and then for W: low i32[out], fraction f32[out], start i32[in + 1]. Output i reads
// low[i] with 1 - fraction[i] and the position after it with fraction[i]; those with low[i] = h are start[h] .. start[h + 1] - 1.
import { copyWords, loadLanes, storeLanes } from '../shared/simd.as';
import { ResizeMode } from './codes';
import { ResizeParams } from './params.as';

@inline
function axisWords(inSize: i32, outSize: i32): i32 {
  return 2 * outSize + inSize + 1;
}

@inline
function word(p: usize, i: i32): i32 {
  return load<i32>(p + ((<usize>i) << 2));
}

@inline
function number(p: usize, i: i32): f32 {
  return load<f32>(p + ((<usize>i) << 2));
}

/** Every step is rounded to float32, as in PyTorch and on the other devices, so that all read the same positions. */
function tabulate(table: usize, inSize: i32, outSize: i32, mode: i32, alignCorners: i32, scale: f32): void {
  const fractions = table + ((<usize>outSize) << 2);
  const starts = fractions + ((<usize>outSize) << 2);
  let next = 0;
  for (let i = 0; i < outSize; i++) {
    let at = <f32>i * scale;
    if (mode != ResizeMode.nearest && !alignCorners) at = max<f32>(0, (<f32>i + 0.5) * scale - 0.5);
    const low = min(<i32>floor<f32>(at), inSize - 1);
    const fraction: f32 = mode == ResizeMode.nearest ? 0 : at - <f32>low;
    store<i32>(table + ((<usize>i) << 2), low);
    store<f32>(fractions + ((<usize>i) << 2), fraction);
    for (; next <= low; next++) store<i32>(starts + ((<usize>next) << 2), i);
  }
  for (; next <= inSize; next++) store<i32>(starts + ((<usize>next) << 2), outSize);
}

/** One task: both tables. */
export function resizeTables(params: ResizeParams, buffers: usize, begin: i32, end: i32): void {
  const inH = params.inH;
  const inW = params.inW;
  const outH = params.outH;
  const outW = params.outW;
  const mode = params.mode;
  const alignCorners = params.alignCorners;
  const table = <usize>load<u32>(buffers, 8);
  tabulate(table, inH, outH, mode, alignCorners, params.scaleH);
  tabulate(table + ((<usize>axisWords(inH, outH)) << 2), inW, outW, mode, alignCorners, params.scaleW);
}

/** to = (1 - fraction) a + fraction b for `n` > 0 elements, and the last once more, for the pair that ends there. */
@inline
function mixRows(to: usize, a: usize, b: usize, fraction: f32, n: i32): void {
  const weightA = f32x4.splat(1 - fraction);
  const weightB = f32x4.splat(fraction);
  let i = 0;
  do {
    const at = (<usize>i) << 2;
    const count = min(4, n - i);
    const left = f32x4.mul(weightA, loadLanes(a + at, count));
    storeLanes(to + at, f32x4.add(left, f32x4.mul(weightB, loadLanes(b + at, count))), count);
    i += 4;
  } while (i < n);
  store<f32>(to + ((<usize>n) << 2), number(to, n - 1));
}

/** y[j] = (1 - fraction[j]) x[low[j]] + fraction[j] x[low[j] + 1] */
@inline
function mixPairs(y: usize, x: usize, low: usize, fractions: usize, n: i32): void {
  const one = f32x4.splat(1);
  let j = 0;
  for (; j + 4 <= n; j += 4) {
    let first = v128.load64_zero(x + ((<usize>word(low, j)) << 2));
    let second = v128.load64_zero(x + ((<usize>word(low, j + 2)) << 2));
    first = v128.load64_lane(x + ((<usize>word(low, j + 1)) << 2), first, 1);
    second = v128.load64_lane(x + ((<usize>word(low, j + 3)) << 2), second, 1);
    const left = v128.shuffle<i32>(first, second, 0, 2, 4, 6);
    const right = v128.shuffle<i32>(first, second, 1, 3, 5, 7);
    const fraction = v128.load(fractions + ((<usize>j) << 2));
    const value = f32x4.add(f32x4.mul(f32x4.sub(one, fraction), left), f32x4.mul(fraction, right));
    v128.store(y + ((<usize>j) << 2), value);
  }
  for (; j < n; j++) {
    const at = x + ((<usize>word(low, j)) << 2);
    const fraction = number(fractions, j);
    store<f32>(y + ((<usize>j) << 2), (1 - fraction) * load<f32>(at) + fraction * load<f32>(at, 4));
  }
}

/** Tasks are rows of the output. The thread scratch holds one row of the input and one element. */
export function resizeRows(params: ResizeParams, buffers: usize, begin: i32, end: i32): void {
  const inH = params.inH;
  const inW = params.inW;
  const outH = params.outH;
  const outW = params.outW;
  const isNearest = params.mode == ResizeMode.nearest;
  const x = <usize>load<u32>(buffers);
  const y = <usize>load<u32>(buffers, 4);
  const lowH = <usize>load<u32>(buffers, 8);
  const fractionsH = lowH + ((<usize>outH) << 2);
  const lowW = lowH + ((<usize>axisWords(inH, outH)) << 2);
  const fractionsW = lowW + ((<usize>outW) << 2);
  const mixed = <usize>load<u32>(buffers, 12);
  const inRow = (<usize>inW) << 2;
  const outRow = (<usize>outW) << 2;
  for (let task = begin; task < end; task++) {
    const plane = task / outH;
    const i = task - plane * outH;
    const low = word(lowH, i);
    const source = x + <usize>(plane * inH + low) * inRow;
    const target = y + <usize>task * outRow;
    if (!isNearest) {
      const next = low + 1 < inH ? source + inRow : source;
      mixRows(mixed, source, next, number(fractionsH, i), inW);
      mixPairs(target, mixed, lowW, fractionsW, outW);
    } else if (task > begin && i > 0 && word(lowH, i - 1) == low) {
      copyWords(target, target - outRow, outW);
    } else {
      for (let j = 0; j < outW; j++) {
        store<u32>(target + ((<usize>j) << 2), load<u32>(source + ((<usize>word(lowW, j)) << 2)));
      }
    }
  }
}

/** to += weight g for `n` > 0 elements. */
@inline
function addRow(to: usize, g: usize, weight: f32, n: i32): void {
  const weights = f32x4.splat(weight);
  let j = 0;
  do {
    const at = (<usize>j) << 2;
    const count = min(4, n - j);
    storeLanes(to + at, f32x4.add(loadLanes(to + at, count), f32x4.mul(weights, loadLanes(g + at, count))), count);
    j += 4;
  } while (j < n);
}

/** Tasks are rows of the input: each adds up the outputs that read it. The thread scratch holds one row of the output. */
export function resizeBackwardRows(params: ResizeParams, buffers: usize, begin: i32, end: i32): void {
  const inH = params.inH;
  const inW = params.inW;
  const outH = params.outH;
  const outW = params.outW;
  const isNearest = params.mode == ResizeMode.nearest;
  const g = <usize>load<u32>(buffers);
  const gx = <usize>load<u32>(buffers, 4);
  const lowH = <usize>load<u32>(buffers, 8);
  const fractionsH = lowH + ((<usize>outH) << 2);
  const startsH = fractionsH + ((<usize>outH) << 2);
  const lowW = lowH + ((<usize>axisWords(inH, outH)) << 2);
  const fractionsW = lowW + ((<usize>outW) << 2);
  const startsW = fractionsW + ((<usize>outW) << 2);
  const mixed = <usize>load<u32>(buffers, 12);
  const outRow = (<usize>outW) << 2;
  for (let task = begin; task < end; task++) {
    const plane = task / inH;
    const h = task - plane * inH;
    const source = g + <usize>(plane * outH) * outRow;
    const target = gx + ((<usize>task * inW) << 2);
    memory.fill(mixed, 0, outRow);
    // Rows that read this one as their upper row, then those that read it as their lower.
    const ownBegin = word(startsH, h);
    const ownEnd = word(startsH, h + 1);
    const before = !isNearest && h > 0 ? word(startsH, h - 1) : ownBegin;
    const after = !isNearest && h == inH - 1 ? ownEnd : ownBegin;
    for (let i = ownBegin; i < ownEnd; i++) {
      addRow(mixed, source + <usize>i * outRow, 1 - number(fractionsH, i), outW);
    }
    for (let i = before; i < after; i++) addRow(mixed, source + <usize>i * outRow, number(fractionsH, i), outW);
    for (let w = 0; w < inW; w++) {
      const leftBegin = word(startsW, w);
      const leftEnd = word(startsW, w + 1);
      let sum: f32 = 0;
      for (let j = leftBegin; j < leftEnd; j++) sum += (1 - number(fractionsW, j)) * number(mixed, j);
      if (!isNearest) {
        const rightBegin = w > 0 ? word(startsW, w - 1) : leftBegin;
        const rightEnd = w == inW - 1 ? leftEnd : leftBegin;
        for (let j = rightBegin; j < rightEnd; j++) sum += number(fractionsW, j) * number(mixed, j);
      }
      store<f32>(target + ((<usize>w) << 2), sum);
    }
  }
}
