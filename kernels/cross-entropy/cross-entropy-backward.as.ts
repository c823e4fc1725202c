// The gradient of softmax cross-entropy for the WASM device; equations in cross-entropy.ts. A task is a tile of neighbouring
// pixels, or of lines of classes where there is no spatial axis. What is alike for all classes of a pixel is worked out once;
// then every class's row is read once and written once, and the label's gradient written anew.
import { behind } from '../shared/addresses.as';
import { exp4, expm1 } from '../shared/math.as';
import { Four, loadLanes, Part, storeLanes } from '../shared/simd.as';
import { PixelReduction } from './codes';
import { CrossEntropyParams, CrossEntropyPlan } from './params.as';

let classes: i32 = 0;
let spatial: i32 = 0;
let isWeighted: bool = false;
let smoothing: f32 = 0;

@inline
function weightOf(weights: usize, k: i32): f32 {
  return isWeighted ? load<f32>(weights + ((<usize>k) << 2)) : 1;
}

/**
 * gx = a e^(x - m - s), minus b w_k with smoothing, for one class of `n` pixels. `peaks` holds a, and `scales` the gradient of
 * each pixel's loss, with which b is multiplied.
 */
@inline
function classGradient<Lanes>(
  x: usize,
  gx: usize,
  maxima: usize,
  logSums: usize,
  peaks: usize,
  scales: usize,
  spread: f32,
  n: i32,
): void {
  const lanes = changetype<Lanes>(0);
  for (let i: usize = 0; i < (<usize>n) << 2; i += 16) {
    const shifted = f32x4.sub(f32x4.sub(lanes.load(x + i, n), lanes.load(maxima + i, n)), lanes.load(logSums + i, n));
    let gradient = f32x4.mul(exp4(shifted), v128.load(peaks + i));
    if (smoothing != 0) gradient = f32x4.sub(gradient, f32x4.mul(v128.load(scales + i), f32x4.splat(spread)));
    lanes.store(gx + i, gradient, n);
  }
}

/** The same for one pixel and all its classes side by side. */
function lineGradient(x: usize, gx: usize, weights: usize, m: f32, s: f32, peak: f32, scale: f32, each: f32): void {
  for (let k = 0; k < classes; k += 4) {
    const count = min(4, classes - k);
    const at = (<usize>k) << 2;
    const shifted = f32x4.sub(f32x4.sub(loadLanes(x + at, count), f32x4.splat(m)), f32x4.splat(s));
    let gradient = f32x4.mul(exp4(shifted), f32x4.splat(peak));
    if (smoothing != 0) {
      const w = isWeighted ? loadLanes(weights + at, count) : f32x4.splat(1);
      gradient = f32x4.sub(gradient, f32x4.mul(f32x4.splat(scale), f32x4.mul(w, f32x4.splat(each))));
    }
    storeLanes(gx + at, gradient, count);
  }
}

/** Tasks are tiles. */
export function crossEntropyBackward(params: CrossEntropyParams, buffers: usize, begin: i32, end: i32): void {
  const plan = changetype<CrossEntropyPlan>(behind(params));
  const batch = params.batch;
  classes = params.classes;
  spatial = params.spatial;
  const ignoreIndex = params.ignoreIndex;
  isWeighted = params.weighted != 0;
  smoothing = params.smoothing;
  const reduction = params.reduction;
  const tilePixels = plan.tilePixels;
  const tilesPerImage = plan.tilesPerImage;
  const isLine = spatial == 1;
  const image: usize = isLine ? 0 : (<usize>spatial) << 2;
  const g = <usize>load<u32>(buffers, 12);
  const weights = <usize>load<u32>(buffers, 16);
  let at = isWeighted ? 20 : 16;
  let total: f32 = 1;
  if (reduction == PixelReduction.mean) {
    total = load<f32>(<usize>load<u32>(buffers + at));
    at += 4;
  }
  const gradients = <usize>load<u32>(buffers + at);
  const peaks = <usize>load<u32>(buffers + at, 8);
  const scales = peaks + (((<usize>tilePixels + 3) & ~3) << 2);
  let all: f64 = 0;
  for (let k = 0; k < classes; k++) all += <f64>weightOf(weights, k);
  const each = smoothing / <f32>classes;
  const fromSpread = <f32>(<f64>each * all);
  const step: usize = isLine ? (<usize>classes) << 2 : 4;
  const classStep: usize = isLine ? 4 : image;
  for (let task = begin; task < end; task++) {
    const n = <usize>(task / tilesPerImage);
    const start = (task % tilesPerImage) * tilePixels;
    const count = min(tilePixels, (isLine ? batch : spatial) - start);
    const pixel = n * image + ((<usize>start) << 2);
    const logit = n * classes * image + <usize>start * step;
    const target = <usize>load<u32>(buffers, 4) + pixel;
    const x = <usize>load<u32>(buffers) + logit;
    const gx = gradients + logit;
    const maxima = <usize>load<u32>(buffers, 8) + 2 * n * image + ((<usize>start) << (isLine ? 3 : 2));
    for (let i = 0; i < count; i++) {
      const here = (<usize>i) << 2;
      const t = load<i32>(target + here);
      let scale: f32 = 0;
      let peak: f32 = 0;
      if (t != ignoreIndex) {
        scale = reduction == PixelReduction.none ? load<f32>(g + pixel + here) : load<f32>(g) / total;
        const w: f32 = <u32>t < <u32>classes ? weightOf(weights, t) : NaN;
        peak = scale * ((1 - smoothing) * w + fromSpread);
      }
      store<f32>(peaks + here, peak);
      store<f32>(scales + here, scale);
    }
    if (isLine) {
      for (let i = 0; i < count; i++) {
        const normalizers = maxima + ((<usize>i) << 3);
        const offset = <usize>i * step;
        const peak = load<f32>(peaks + ((<usize>i) << 2));
        const scale = load<f32>(scales + ((<usize>i) << 2));
        const m = load<f32>(normalizers);
        const s = load<f32>(normalizers, 4);
        lineGradient(x + offset, gx + offset, weights, m, s, peak, scale, each);
      }
    } else {
      const whole = count & -4;
      const tail = (<usize>whole) << 2;
      const logSums = maxima + image;
      for (let k = 0; k < classes; k++) {
        const plane = <usize>k * image;
        const b = each * weightOf(weights, k);
        classGradient<Four>(x + plane, gx + plane, maxima, logSums, peaks, scales, b, whole);
        if (count == whole) continue;
        const from = x + plane + tail;
        const to = gx + plane + tail;
        classGradient<Part>(from, to, maxima + tail, logSums + tail, peaks + tail, scales + tail, b, count - whole);
      }
    }
    // At the label p - 1 = e^(x - m - s) - 1, of which nothing would be left where p is near 1. All that is needed from here on
    // of the peaks is their place.
    for (let i = 0; i < count; i++) {
      const t = load<i32>(target + ((<usize>i) << 2));
      if (<u32>t >= <u32>classes) continue;
      const normalizer = maxima + ((<usize>i) << (isLine ? 3 : 2));
      const s = load<f32>(normalizer + (isLine ? 4 : image));
      store<f32>(
        peaks + ((<usize>i) << 2),
        load<f32>(x + <usize>i * step + <usize>t * classStep) - load<f32>(normalizer) - s,
      );
    }
    for (let i: usize = 0; i < (<usize>count) << 2; i += 16) v128.store(peaks + i, expm1(v128.load(peaks + i)));
    for (let i = 0; i < count; i++) {
      const here = (<usize>i) << 2;
      const t = load<i32>(target + here);
      if (t == ignoreIndex || <u32>t >= <u32>classes) continue;
      const w = weightOf(weights, t);
      const below = load<f32>(peaks + here);
      let gradient: f32 = (1 - smoothing) * w * below;
      if (smoothing != 0) gradient += fromSpread * (below + 1) - each * w;
      store<f32>(gx + <usize>i * step + <usize>t * classStep, load<f32>(scales + here) * gradient);
    }
  }
}
