// Softmax cross-entropy over label maps for the WASM device; equations in cross-entropy.ts. A task is a tile of neighbouring
// pixels whose logits stay in the cache between the sweeps for the largest, for the sum of exponentials and for the loss.
// A sweep takes a few classes at a time and walks along their rows, so that it reads few streams: planes whose size is a
// power of two share their cache sets. Without a spatial axis a pixel is a line of classes. Tiles are fixed by the shape and
// their losses added in order in float64, so threads change no bit.
import { behind } from '../shared/addresses.as';
import { isTop, lineLogSum, logOfSum } from '../shared/log-sum.as';
import { exp4 } from '../shared/math.as';
import { demote, extremeRun, Four, Larger, Part, promoteHigh, promoteLow } from '../shared/simd.as';
import { PixelReduction } from './codes';
import { CrossEntropyParams, CrossEntropyPlan } from './params.as';

/** Classes of one sweep for exponentials: their sum in float32 joins a float64. */
const CLASSES_AT_ONCE = 8;

/** Sizes and options of a launch; written at the start of every call, since a thread runs one call at a time. */
let batch: i32 = 0;
let classes: i32 = 0;
let spatial: i32 = 0;
let ignoreIndex: i32 = 0;
let isWeighted: bool = false;
let smoothing: f32 = 0;
let reduction: i32 = 0;
/** Pixels of a tile, and tiles of an image (without a spatial axis: of the batch). */
let tilePixels: i32 = 0;
let tilesPerImage: i32 = 0;

function readOptions(params: CrossEntropyParams): void {
  const plan = changetype<CrossEntropyPlan>(behind(params));
  batch = params.batch;
  classes = params.classes;
  spatial = params.spatial;
  ignoreIndex = params.ignoreIndex;
  isWeighted = params.weighted != 0;
  smoothing = params.smoothing;
  reduction = params.reduction;
  tilePixels = plan.tilePixels;
  tilesPerImage = plan.tilesPerImage;
}

@inline
function weightOf(weights: usize, k: i32): f32 {
  return isWeighted ? load<f32>(weights + ((<usize>k) << 2)) : 1;
}

/** The weight of a label, NaN for one that is not a class. */
@inline
function labelWeight(weights: usize, label: i32): f32 {
  return <u32>label < <u32>classes ? weightOf(weights, label) : NaN;
}

/** The sum of all class weights. */
function classWeights(weights: usize): f64 {
  if (!isWeighted) return <f64>classes;
  let sum: f64 = 0;
  for (let k = 0; k < classes; k++) sum += <f64>weightOf(weights, k);
  return sum;
}

/** The largest logits of `n` pixels. Four classes at a time. */
function tileMaxima<Lanes>(x: usize, stride: usize, maxima: usize, n: i32): void {
  const lanes = changetype<Lanes>(0);
  for (let k = 0; k < classes; k += 4) {
    const last = min(3, classes - 1 - k);
    const second = <usize>min(1, last) * stride;
    const third = <usize>min(2, last) * stride;
    const fourth = <usize>last * stride;
    let p = x + <usize>k * stride;
    let m = maxima;
    for (let i = 0; i < n; i += 4) {
      let largest = f32x4.max(lanes.load(p, n), lanes.load(p + second, n));
      largest = f32x4.max(largest, f32x4.max(lanes.load(p + third, n), lanes.load(p + fourth, n)));
      if (k) largest = f32x4.max(largest, lanes.load(m, n));
      lanes.store(m, largest, n);
      p += 16;
      m += 16;
    }
  }
}

/**
 * The logarithms of the sums over classes of e^(x - m), by way of float64 sums in the scratch. The terms that are 1 stay out of
 * these, which keep what is small beside 1, and are counted where the logarithms will be.
 */
function tileLogSums<Lanes>(x: usize, stride: usize, maxima: usize, logSums: usize, sums: usize, n: i32): void {
  const lanes = changetype<Lanes>(0);
  for (let k = 0; k < classes; k += CLASSES_AT_ONCE) {
    const end = <usize>min(CLASSES_AT_ONCE, classes - k) * stride;
    let p = x + <usize>k * stride;
    let m = maxima;
    let count = logSums;
    let sum = sums;
    for (let i = 0; i < n; i += 4) {
      const largest = lanes.load(m, n);
      let block = f32x4.splat(0);
      let ties = k ? lanes.load(count, n) : f32x4.splat(0);
      let at: usize = 0;
      do {
        const shifted = f32x4.sub(lanes.load(p + at, n), largest);
        const top = isTop(shifted);
        block = f32x4.add(block, v128.andnot(exp4(shifted), top));
        ties = f32x4.add(ties, v128.and(top, f32x4.splat(1)));
        at += stride;
      } while (at < end);
      lanes.store(count, ties, n);
      let low = promoteLow(block);
      let high = promoteHigh(block);
      if (k) {
        low = f64x2.add(low, v128.load(sum));
        high = f64x2.add(high, v128.load(sum, 16));
      }
      v128.store(sum, low);
      v128.store(sum, high, 16);
      p += 16;
      m += 16;
      count += 16;
      sum += 32;
    }
  }
  for (let i = 0; i < n; i += 4) {
    const at = (<usize>i) << 2;
    const rest = demote(v128.load(sums + 2 * at), v128.load(sums + 2 * at, 16));
    lanes.store(logSums + at, logOfSum(rest, lanes.load(logSums + at, n)), n);
  }
}

/** Sums over classes of w (x - m), in float64. */
function tileSpreads<Lanes>(x: usize, stride: usize, weights: usize, maxima: usize, sums: usize, n: i32): void {
  const lanes = changetype<Lanes>(0);
  for (let k = 0; k < classes; k++) {
    const w = f32x4.splat(weightOf(weights, k));
    let p = x + <usize>k * stride;
    let m = maxima;
    let sum = sums;
    for (let i = 0; i < n; i += 4) {
      const term = f32x4.mul(w, f32x4.sub(lanes.load(p, n), lanes.load(m, n)));
      v128.store(sum, k ? f64x2.add(v128.load(sum), promoteLow(term)) : promoteLow(term));
      v128.store(sum, k ? f64x2.add(v128.load(sum, 16), promoteHigh(term)) : promoteHigh(term), 16);
      p += 16;
      m += 16;
      sum += 32;
    }
  }
}

/** The same for one line of classes. */
function lineSpread(x: usize, weights: usize, m: f32): f64 {
  let sum: f64 = 0;
  for (let k = 0; k < classes; k++) sum += <f64>(weightOf(weights, k) * (load<f32>(x + ((<usize>k) << 2)) - m));
  return sum;
}

/** Writes the normalisers and sums of one tile: of n neighbouring pixels of one image, or of n lines of classes. */
function tileSums(x: usize, weights: usize, maxima: usize, logSums: usize, sums: usize, n: i32): void {
  const stride = (<usize>spatial) << 2;
  const isSmooth = smoothing != 0;
  if (spatial == 1) {
    // Both normalisers of a line lie side by side.
    for (let i = 0; i < n; i++) {
      const m = extremeRun<Larger>(x, classes);
      store<f32>(maxima, m);
      store<f32>(logSums, lineLogSum(x, classes, m));
      if (isSmooth) store<f64>(sums, lineSpread(x, weights, m));
      x += (<usize>classes) << 2;
      maxima += 8;
      logSums += 8;
      sums += 8;
    }
    return;
  }
  const whole = n & -4;
  if (whole) {
    tileMaxima<Four>(x, stride, maxima, whole);
    tileLogSums<Four>(x, stride, maxima, logSums, sums, whole);
    if (isSmooth) tileSpreads<Four>(x, stride, weights, maxima, sums, whole);
  }
  const rest = n - whole;
  if (rest) {
    const at = (<usize>whole) << 2;
    tileMaxima<Part>(x + at, stride, maxima + at, rest);
    tileLogSums<Part>(x + at, stride, maxima + at, logSums + at, sums + 2 * at, rest);
    if (isSmooth) tileSpreads<Part>(x + at, stride, weights, maxima + at, sums + 2 * at, rest);
  }
}

/** First pixel of a tile within its image, or first line of classes. */
@inline
function tileStart(task: i32): i32 {
  return (task % tilesPerImage) * tilePixels;
}

/** Pixels of a tile. */
@inline
function tileSize(start: i32): i32 {
  return min(tilePixels, (spatial == 1 ? batch : spatial) - start);
}

/** Tasks are tiles. Writes losses, or the sums of losses and weights of the tile as float64 to the shared scratch. */
export function crossEntropyTiles(params: CrossEntropyParams, buffers: usize, begin: i32, end: i32): void {
  readOptions(params);
  const isLine = spatial == 1;
  const image: usize = isLine ? 0 : (<usize>spatial) << 2;
  let at = isWeighted ? 12 : 8;
  const weights = <usize>load<u32>(buffers, 8);
  const losses = <usize>load<u32>(buffers + at);
  const normalizers = <usize>load<u32>(buffers + at, 4);
  if (reduction == PixelReduction.mean) at += 4;
  const partials = <usize>load<u32>(buffers + at, 8);
  const sums = <usize>load<u32>(buffers + at, 12);
  const all = classWeights(weights);
  const each = smoothing / <f32>classes;
  // Bytes from a pixel's logit and normaliser to the next pixel's and, of the logit, to the next class's.
  const step: usize = isLine ? (<usize>classes) << 2 : 4;
  const classStep: usize = isLine ? 4 : image;
  const normalizerStep: usize = isLine ? 8 : 4;
  for (let task = begin; task < end; task++) {
    const n = <usize>(task / tilesPerImage);
    const start = tileStart(task);
    const count = tileSize(start);
    let x = <usize>load<u32>(buffers) + n * classes * image + <usize>start * step;
    let label = <usize>load<u32>(buffers, 4) + n * image + ((<usize>start) << 2);
    let loss = losses + n * image + ((<usize>start) << 2);
    let maximum = normalizers + 2 * n * image + <usize>start * normalizerStep;
    let logSum = maximum + (isLine ? 4 : image);
    let spread = sums;
    tileSums(x, weights, maximum, logSum, sums, count);
    let lossSum: f64 = 0;
    let weightSum: f64 = 0;
    for (let i = 0; i < count; i++) {
      const t = load<i32>(label);
      let value: f32 = 0;
      if (t != ignoreIndex) {
        const w = labelWeight(weights, t);
        value = w;
        if (w == w) value *= load<f32>(logSum) - (load<f32>(x + <usize>t * classStep) - load<f32>(maximum));
        if (smoothing != 0) {
          const spreadLoss = <f32>(all * <f64>load<f32>(logSum) - load<f64>(spread));
          value = (1 - smoothing) * value + each * spreadLoss;
        }
        lossSum += <f64>value;
        weightSum += <f64>w;
      }
      if (reduction == PixelReduction.none) store<f32>(loss, value);
      x += step;
      label += 4;
      loss += 4;
      maximum += normalizerStep;
      logSum += normalizerStep;
      spread += 8;
    }
    if (reduction != PixelReduction.none) {
      const out = partials + ((<usize>task) << 4);
      store<f64>(out, lossSum);
      store<f64>(out, weightSum, 8);
    }
  }
}

/** One task: adds the tiles up in order. */
export function crossEntropyCombine(params: CrossEntropyParams, buffers: usize, begin: i32, end: i32): void {
  readOptions(params);
  const tiles = tilesPerImage * (spatial == 1 ? 1 : batch);
  const isMean = reduction == PixelReduction.mean;
  const at = isWeighted ? 12 : 8;
  let partial = <usize>load<u32>(buffers + at + (isMean ? 12 : 8));
  let loss: f64 = 0;
  let weight: f64 = 0;
  for (let tile = 0; tile < tiles; tile++) {
    loss += load<f64>(partial);
    weight += load<f64>(partial, 8);
    partial += 16;
  }
  store<f32>(<usize>load<u32>(buffers + at), <f32>(isMean ? loss / weight : loss));
  if (isMean) store<f32>(<usize>load<u32>(buffers + at, 8), <f32>weight);
}
