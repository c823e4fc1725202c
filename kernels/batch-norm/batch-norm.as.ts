// Batch normalisation over [batch, channels, spatial] for the WASM device; equations in batch-norm.ts. The batch x spatial
// elements of a channel, counted as one row, are cut into fixed parts. A part small enough for the cache is read twice:
// for its mean, then for the squares about it. Parts are combined in order, in float64.
import { relu4, reluGradient4 } from '../shared/math.as';
import { DeviationProduct, loadLanes, SquaredDeviation, storeLanes, sumRun, Value } from '../shared/simd.as';
import { batchNormPartElements, batchNormPartRows } from './codes';
import { BatchNormParams } from './params.as';

/** Sum of a term over elements [from, to) of one channel. */
@inline
function sumPart<Term>(x: usize, g: usize, channels: i32, spatial: i32, channel: i32, from: i32, to: i32, c: f32): f64 {
  let sum: f64 = 0;
  while (from < to) {
    const image = from / spatial;
    const at = from - image * spatial;
    const n = min(spatial - at, to - from);
    const offset = (<usize>(image * channels + channel) * spatial + at) << 2;
    sum += sumRun<Term>(x + offset, g + offset, n, c);
    from += n;
  }
  return sum;
}

// The same terms in float64, for values whose squares or products leave the range of float32.

@unmanaged
class WideValue {
  @inline
  one(x: f64, g: f64, c: f64): f64 {
    return x;
  }
}

@unmanaged
class WideSquaredDeviation {
  @inline
  one(x: f64, g: f64, c: f64): f64 {
    return (x - c) * (x - c);
  }
}

@unmanaged
class WideDeviationProduct {
  @inline
  one(x: f64, g: f64, c: f64): f64 {
    return (x - c) * g;
  }
}

function sumWidePart<Term>(
  x: usize,
  g: usize,
  channels: i32,
  spatial: i32,
  channel: i32,
  from: i32,
  to: i32,
  c: f64,
): f64 {
  const term = changetype<Term>(0);
  let sum: f64 = 0;
  while (from < to) {
    const image = from / spatial;
    const at = from - image * spatial;
    const n = min(spatial - at, to - from);
    const offset = (<usize>(image * channels + channel) * spatial + at) << 2;
    for (let i = offset; i < offset + ((<usize>n) << 2); i += 4) {
      sum += term.one(<f64>load<f32>(x + i), <f64>load<f32>(g + i), c);
    }
    from += n;
  }
  return sum;
}

@inline
function partsOf(elements: i32): i32 {
  return (elements + batchNormPartElements - 1) / batchNormPartElements;
}

/** Mean squares below it have lost digits in float32: they matter where eps is no larger. */
const smallSquare: f32 = 7.888609052210118e-31; // 2^-100

/** Tasks are (channel, part). Writes mean and sum of squared deviations of every part as float64 to the shared scratch. */
export function batchNormParts(params: BatchNormParams, buffers: usize, begin: i32, end: i32): void {
  const channels = params.channels;
  const spatial = params.spatial;
  const elements = params.batch * spatial;
  const eps = params.eps;
  const x = <usize>load<u32>(buffers);
  const scratch = <usize>load<u32>(buffers, 16);
  const parts = partsOf(elements);
  for (let task = begin; task < end; task++) {
    const channel = task / parts;
    const from = (task - channel * parts) * batchNormPartElements;
    const to = min(from + batchNormPartElements, elements);
    const n = <f64>(to - from);
    let sum = sumPart<Value>(x, x, channels, spatial, channel, from, to, 0);
    if (!isFinite<f64>(sum)) sum = sumWidePart<WideValue>(x, x, channels, spatial, channel, from, to, 0);
    const mean = sum / n;
    // Squares are taken about the mean rounded to float32; the last term undoes the difference.
    const center = <f32>mean;
    const shift = mean - <f64>center;
    let squares = sumPart<SquaredDeviation>(x, x, channels, spatial, channel, from, to, center);
    if (!isFinite<f64>(squares) || (squares < n * smallSquare && eps < smallSquare)) {
      squares = sumWidePart<WideSquaredDeviation>(x, x, channels, spatial, channel, from, to, <f64>center);
    }
    const out = scratch + ((<usize>task) << 4);
    store<f64>(out, mean);
    store<f64>(out, max<f64>(0, squares - n * shift * shift), 8);
  }
}

/** 1 / sqrt(variance + eps) */
@inline
function inverseDeviation(variance: f64, eps: f32): f32 {
  return <f32>(1 / sqrt<f64>(variance + <f64>eps));
}

/** Tasks are channels: joins the parts with the formula of Chan, Golub and LeVeque. */
export function batchNormCombine(params: BatchNormParams, buffers: usize, begin: i32, end: i32): void {
  joinParts(params, buffers, begin, end, batchNormPartElements);
}

/** The same of the parts of neighbouring channels. */
export function batchNormColumnCombine(params: BatchNormParams, buffers: usize, begin: i32, end: i32): void {
  joinParts(params, buffers, begin, end, batchNormPartRows);
}

@inline
function joinParts(params: BatchNormParams, buffers: usize, begin: i32, end: i32, partElements: i32): void {
  const elements = params.batch * params.spatial;
  const means = <usize>load<u32>(buffers, 4);
  const variances = <usize>load<u32>(buffers, 8);
  const inverses = <usize>load<u32>(buffers, 12);
  const eps = params.eps;
  const parts = (elements + partElements - 1) / partElements;
  for (let channel = begin; channel < end; channel++) {
    let from = <usize>load<u32>(buffers, 16) + ((<usize>channel * parts) << 4);
    // Nothing has no mean: NaN.
    let mean: f64 = parts ? 0 : NaN;
    let squares: f64 = 0;
    let count: f64 = 0;
    for (let part = 0; part < parts; part++) {
      const n = <f64>min(partElements, elements - part * partElements);
      const difference = load<f64>(from) - mean;
      const total = count + n;
      mean += difference * (n / total);
      squares += load<f64>(from, 8) + difference * difference * ((count * n) / total);
      count = total;
      from += 16;
    }
    const variance = squares / count;
    const at = (<usize>channel) << 2;
    store<f32>(means + at, <f32>mean);
    store<f32>(variances + at, <f32>variance);
    store<f32>(inverses + at, inverseDeviation(variance, eps));
  }
}

/** Tasks are channels: the two steps above, one behind the other. */
export function batchNormChannels(params: BatchNormParams, buffers: usize, begin: i32, end: i32): void {
  const parts = partsOf(params.batch * params.spatial);
  for (let channel = begin; channel < end; channel++) {
    batchNormParts(params, buffers, channel * parts, (channel + 1) * parts);
    batchNormCombine(params, buffers, channel, channel + 1);
  }
}

/** What is there of a channel for 1 / sqrt(variance + eps): that number, or the variance. */
@unmanaged
class OfInverse {
  @inline
  inverse(at: usize, eps: f32): f32 {
    return load<f32>(at);
  }
}

@unmanaged
class OfVariance {
  @inline
  inverse(at: usize, eps: f32): f32 {
    return inverseDeviation(load<f32>(at), eps);
  }
}

/** What follows the map: nothing, or relu. */
@unmanaged
class Unchanged {
  @inline
  apply(y: v128): v128 {
    return y;
  }
}

@unmanaged
class Relu {
  @inline
  apply(y: v128): v128 {
    return relu4(y);
  }
}

@inline
function normalize<Spread>(params: BatchNormParams, buffers: usize, begin: i32, end: i32): void {
  if (params.relu) normalizeInto<Spread, Relu>(params, buffers, begin, end);
  else normalizeInto<Spread, Unchanged>(params, buffers, begin, end);
}

function normalizeInto<Spread, Activation>(params: BatchNormParams, buffers: usize, begin: i32, end: i32): void {
  const spread = changetype<Spread>(0);
  const activation = changetype<Activation>(0);
  const channels = params.channels;
  const spatial = params.spatial;
  const eps = params.eps;
  const x = <usize>load<u32>(buffers);
  const y = <usize>load<u32>(buffers, 20);
  for (let i = begin; i < end;) {
    const row = i / spatial;
    const channel = (<usize>(row % channels)) << 2;
    const rowEnd = min(end, (row + 1) * spatial);
    const r = spread.inverse(<usize>load<u32>(buffers, 8) + channel, eps);
    const mean = f32x4.splat(load<f32>(<usize>load<u32>(buffers, 4) + channel));
    const scale = f32x4.splat(r * load<f32>(<usize>load<u32>(buffers, 12) + channel));
    const bias = f32x4.splat(load<f32>(<usize>load<u32>(buffers, 16) + channel));
    do {
      const count = min(4, rowEnd - i);
      const at = (<usize>i) << 2;
      const centered = f32x4.sub(loadLanes(x + at, count), mean);
      storeLanes(y + at, activation.apply(f32x4.add(f32x4.mul(centered, scale), bias)), count);
      i += 4;
    } while (i < rowEnd);
    i = rowEnd;
  }
}

/** Tasks are elements. */
export function batchNormApply(params: BatchNormParams, buffers: usize, begin: i32, end: i32): void {
  normalize<OfInverse>(params, buffers, begin, end);
}

/** Tasks are elements. */
export function batchNormInference(params: BatchNormParams, buffers: usize, begin: i32, end: i32): void {
  normalize<OfVariance>(params, buffers, begin, end);
}

// Between these, 2^-40 and 2^40, products of deviations and usual gradients stay in the range of float32.
const leastInverse: f32 = 9.094947017729282e-13;
const mostInverse: f32 = 1099511627776;

/** Behind a relu there is one buffer more, its result: the address of the list without it. */
@inline
function behindInputs(params: BatchNormParams, buffers: usize): usize {
  return buffers + ((<usize>params.relu) << 2);
}

/** What a relu with the result y lets through of g, for elements [from, to) of one channel. */
function maskPart(to: usize, g: usize, y: usize, channels: i32, spatial: i32, channel: i32, from: i32, end: i32): void {
  while (from < end) {
    const image = from / spatial;
    const at = from - image * spatial;
    const n = min(spatial - at, end - from);
    const offset = (<usize>(image * channels + channel) * spatial + at) << 2;
    for (let i = 0; i < n; i += 4) {
      const count = min(4, n - i);
      const place = offset + ((<usize>i) << 2);
      const through = reluGradient4(loadLanes(g + place, count), loadLanes(y + place, count));
      storeLanes(to + place, through, count);
    }
    from += n;
  }
}

/**
 * Tasks are (channel, part). Writes sum g and sum g (x - mean) of every part as float64 to the shared scratch. What a relu lets
 * through of g is kept in gx meanwhile.
 */
export function batchNormGradientParts(params: BatchNormParams, buffers: usize, begin: i32, end: i32): void {
  const channels = params.channels;
  const spatial = params.spatial;
  const elements = params.batch * spatial;
  const outputs = behindInputs(params, buffers);
  const x = <usize>load<u32>(buffers);
  const given = <usize>load<u32>(buffers, 4);
  const means = <usize>load<u32>(buffers, 8);
  const inverses = <usize>load<u32>(buffers, 12);
  const y = <usize>load<u32>(buffers, 20);
  const g = params.relu ? <usize>load<u32>(outputs, 20) : given;
  const scratch = <usize>load<u32>(outputs, 32);
  const parts = partsOf(elements);
  for (let task = begin; task < end; task++) {
    const channel = task / parts;
    const from = (task - channel * parts) * batchNormPartElements;
    const to = min(from + batchNormPartElements, elements);
    const mean = load<f32>(means + ((<usize>channel) << 2));
    const inverse = load<f32>(inverses + ((<usize>channel) << 2));
    const isUsual = inverse > leastInverse && inverse < mostInverse;
    if (params.relu) maskPart(g, given, y, channels, spatial, channel, from, to);
    const out = scratch + ((<usize>task) << 4);
    store<f64>(out, sumPart<Value>(g, g, channels, spatial, channel, from, to, 0));
    store<f64>(
      out,
      isUsual
        ? sumPart<DeviationProduct>(x, g, channels, spatial, channel, from, to, mean)
        : sumWidePart<WideDeviationProduct>(x, g, channels, spatial, channel, from, to, mean),
      8,
    );
  }
}

/** Tasks are channels: gradients of weight and bias. */
export function batchNormGradientCombine(params: BatchNormParams, buffers: usize, begin: i32, end: i32): void {
  const elements = params.batch * params.spatial;
  const outputs = behindInputs(params, buffers);
  const inverses = <usize>load<u32>(buffers, 12);
  const parts = partsOf(elements);
  for (let channel = begin; channel < end; channel++) {
    let from = <usize>load<u32>(outputs, 32) + ((<usize>channel * parts) << 4);
    let sum: f64 = 0;
    let product: f64 = 0;
    for (let part = 0; part < parts; part++) {
      sum += load<f64>(from);
      product += load<f64>(from, 8);
      from += 16;
    }
    const at = (<usize>channel) << 2;
    store<f32>(<usize>load<u32>(outputs, 24) + at, <f32>(product * <f64>load<f32>(inverses + at)));
    store<f32>(<usize>load<u32>(outputs, 28) + at, <f32>sum);
  }
}

/** Tasks are elements: gx = weight r (g - gb / m - (x - mean) r gw / m). */
export function batchNormGradientApply(params: BatchNormParams, buffers: usize, begin: i32, end: i32): void {
  const channels = params.channels;
  const spatial = params.spatial;
  const m = <f32>(params.batch * spatial);
  const outputs = behindInputs(params, buffers);
  const x = <usize>load<u32>(buffers);
  const gx = <usize>load<u32>(outputs, 20);
  const g = params.relu ? gx : <usize>load<u32>(buffers, 4);
  for (let i = begin; i < end;) {
    const row = i / spatial;
    const channel = (<usize>(row % channels)) << 2;
    const rowEnd = min(end, (row + 1) * spatial);
    const r = load<f32>(<usize>load<u32>(buffers, 12) + channel);
    const mean = f32x4.splat(load<f32>(<usize>load<u32>(buffers, 8) + channel));
    const scale = f32x4.splat(r * load<f32>(<usize>load<u32>(buffers, 16) + channel));
    const slope = f32x4.splat((r * load<f32>(<usize>load<u32>(outputs, 24) + channel)) / m);
    const average = f32x4.splat(load<f32>(<usize>load<u32>(outputs, 28) + channel) / m);
    do {
      const count = min(4, rowEnd - i);
      const at = (<usize>i) << 2;
      const fromX = f32x4.mul(f32x4.sub(loadLanes(x + at, count), mean), slope);
      const centered = f32x4.sub(f32x4.sub(loadLanes(g + at, count), average), fromX);
      storeLanes(gx + at, f32x4.mul(scale, centered), count);
      i += 4;
    } while (i < rowEnd);
    i = rowEnd;
  }
}

/** Tasks are channels: the three steps above, one behind the other while the channel is in the cache. */
export function batchNormGradientChannels(params: BatchNormParams, buffers: usize, begin: i32, end: i32): void {
  const images = params.batch;
  const channels = params.channels;
  const spatial = params.spatial;
  const parts = partsOf(images * spatial);
  for (let channel = begin; channel < end; channel++) {
    batchNormGradientParts(params, buffers, channel * parts, (channel + 1) * parts);
    batchNormGradientCombine(params, buffers, channel, channel + 1);
    for (let image = 0; image < images; image++) {
      const first = (image * channels + channel) * spatial;
      batchNormGradientApply(params, buffers, first, first + spatial);
    }
  }
}
