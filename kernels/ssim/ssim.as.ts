// SSIM of planes and its gradient for the WASM device; equations in ssim.ts. A task is a strip of rows, walked in blocks of
// columns. Every row goes once through the window's weights along W, and the last windowH results wait in a ring for the
// weights along H. The gradient does the same again with the derivatives, so that no map leaves the cache.
//
// Values are taken about a pixel of their plane, which keeps E[x^2] - E[x]^2 from cancelling where the mean is large. Slots
// of a ring are row numbers modulo windowH and sums run over slots, so where strips begin does not change a bit.
// Leaves out the threads' shares and the scratch: plans.wasm.ts.
import { behind } from '../shared/addresses.as';
import { copyWords, madd } from '../shared/simd.as';
import { ssimRowWords } from './codes';
import { SsimParams, SsimPlan } from './params.as';

const ROW: usize = (<usize>ssimRowWords) << 2;

// Rows of the thread's scratch: four to filter, x, y, and one of results or of g. Weights and rings follow.
const X_ROW: usize = 4 * ROW;
const Y_ROW: usize = 5 * ROW;
const G_ROW: usize = 6 * ROW;
const WEIGHTS: usize = 7 * ROW;

@inline
function bytes(words: i32): usize {
  return (<usize>words) << 2;
}

@inline
function roundUp8(n: i32): i32 {
  return (n + 7) & ~7;
}

/** The smallest of three pixels on the diagonal that are finite, or 0: an outlier must not become the centre. */
function centreOf(plane: usize, height: i32, width: i32): f32 {
  let centre: f32 = Infinity;
  for (let i = 1; i < 6; i += 2) {
    const value = load<f32>(plane + bytes(((height * i) / 6) * width + (width * i) / 6));
    if (abs<f32>(value) < abs<f32>(centre)) centre = value;
  }
  return centre == Infinity ? 0 : centre;
}

/** Weights `from` .. `from + n - 1`, backwards if `step` is -1, written twice in a row. */
function doubleWeights(to: usize, weights: usize, n: i32, step: i32): void {
  for (let i = 0; i < 2 * n; i++) {
    const k = i < n ? i : i - n;
    store<f32>(to + bytes(i), load<f32>(weights + bytes(step > 0 ? k : n - 1 - k)));
  }
}

/** Elements column .. column + n - 1 of one row of a plane, zero outside of it. Rounded up to whole vectors. */
function loadRow(to: usize, plane: usize, height: i32, width: i32, row: i32, column: i32, n: i32): void {
  memory.fill(to, 0, bytes((n + 3) & ~3));
  if (row < 0 || row >= height) return;
  const first = max(0, column);
  const end = min(width, column + n);
  if (first < end) copyWords(to + bytes(first - column), plane + bytes(row * width + first), end - first);
}

/** From the rows x and y: deviations from the centres, the sum of their squares, and their product. */
function products(scratch: usize, centreX: f32, centreY: f32, n: i32): void {
  const cx = f32x4.splat(centreX);
  const cy = f32x4.splat(centreY);
  let p = scratch;
  const end = p + bytes(n);
  do {
    const dx = f32x4.sub(v128.load(p, X_ROW), cx);
    const dy = f32x4.sub(v128.load(p, Y_ROW), cy);
    v128.store(p, dx);
    v128.store(p, dy, ROW);
    v128.store(p, madd(dx, dx, f32x4.mul(dy, dy)), 2 * ROW);
    v128.store(p, f32x4.mul(dx, dy), 3 * ROW);
    p += 16;
  } while (p < end);
}

/** The four rows under `n` weights along W, for `width` positions, a multiple of 8. Every 8 of a row lie together in `to`. */
function filterRows(to: usize, rows: usize, weights: usize, n: i32, width: i32): void {
  const end = rows + bytes(width);
  const weightsEnd = weights + bytes(n);
  do {
    let a0 = f32x4.splat(0);
    let a1 = a0;
    let b0 = a0;
    let b1 = a0;
    let c0 = a0;
    let c1 = a0;
    let d0 = a0;
    let d1 = a0;
    let p = rows;
    let q = weights;
    do {
      const weight = v128.load32_splat(q);
      a0 = madd(weight, v128.load(p), a0);
      a1 = madd(weight, v128.load(p, 16), a1);
      b0 = madd(weight, v128.load(p, ROW), b0);
      b1 = madd(weight, v128.load(p, ROW + 16), b1);
      c0 = madd(weight, v128.load(p, 2 * ROW), c0);
      c1 = madd(weight, v128.load(p, 2 * ROW + 16), c1);
      d0 = madd(weight, v128.load(p, 3 * ROW), d0);
      d1 = madd(weight, v128.load(p, 3 * ROW + 16), d1);
      p += 4;
      q += 4;
    } while (q < weightsEnd);
    v128.store(to, a0);
    v128.store(to, a1, 16);
    v128.store(to, b0, 32);
    v128.store(to, b1, 48);
    v128.store(to, c0, 64);
    v128.store(to, c1, 80);
    v128.store(to, d0, 96);
    v128.store(to, d1, 112);
    to += 128;
    rows += 32;
  } while (rows < end);
}

/** The ring under `n` weights along H, one per slot. Written to four rows. */
function filterRing(to: usize, ring: usize, pitch: usize, weights: usize, n: i32, width: i32): void {
  const end = to + bytes(width);
  const weightsEnd = weights + bytes(n);
  do {
    let a0 = f32x4.splat(0);
    let a1 = a0;
    let b0 = a0;
    let b1 = a0;
    let c0 = a0;
    let c1 = a0;
    let d0 = a0;
    let d1 = a0;
    let p = ring;
    let q = weights;
    do {
      const weight = v128.load32_splat(q);
      a0 = madd(weight, v128.load(p), a0);
      a1 = madd(weight, v128.load(p, 16), a1);
      b0 = madd(weight, v128.load(p, 32), b0);
      b1 = madd(weight, v128.load(p, 48), b1);
      c0 = madd(weight, v128.load(p, 64), c0);
      c1 = madd(weight, v128.load(p, 80), c1);
      d0 = madd(weight, v128.load(p, 96), d0);
      d1 = madd(weight, v128.load(p, 112), d1);
      p += pitch;
      q += 4;
    } while (q < weightsEnd);
    v128.store(to, a0);
    v128.store(to, a1, 16);
    v128.store(to, b0, ROW);
    v128.store(to, b1, ROW + 16);
    v128.store(to, c0, 2 * ROW);
    v128.store(to, c1, 2 * ROW + 16);
    v128.store(to, d0, 3 * ROW);
    v128.store(to, d1, 3 * ROW + 16);
    to += 32;
    ring += 128;
  } while (to < end);
}

/** From four rows of moments: S, to the row of results. */
function similarities(rows: usize, centreX: f32, centreY: f32, c1: f32, c2: f32, n: i32): void {
  const cx = f32x4.splat(centreX);
  const cy = f32x4.splat(centreY);
  const stableC1 = f32x4.splat(c1);
  const stableC2 = f32x4.splat(c2);
  const apart = f32x4.splat(centreY - centreX);
  const one = f32x4.splat(1);
  const end = rows + bytes(n);
  do {
    const ex = v128.load(rows);
    const ey = v128.load(rows, ROW);
    const meanX = f32x4.add(cx, ex);
    const meanY = f32x4.add(cy, ey);
    const difference = f32x4.add(apart, f32x4.sub(ey, ex));
    const brightness = f32x4.add(madd(meanX, meanX, f32x4.mul(meanY, meanY)), stableC1);
    const squares = madd(ex, ex, f32x4.mul(ey, ey));
    const spread = f32x4.add(f32x4.sub(v128.load(rows, 2 * ROW), squares), stableC2);
    const covariance = f32x4.sub(v128.load(rows, 3 * ROW), f32x4.mul(ex, ey));
    const contrast = f32x4.div(f32x4.add(f32x4.add(covariance, covariance), stableC2), spread);
    const luminance = f32x4.sub(one, f32x4.div(f32x4.mul(difference, difference), brightness));
    v128.store(rows, f32x4.mul(luminance, contrast), G_ROW);
    rows += 16;
  } while (rows < end);
}

/**
 * From four rows of moments and g: the factors of the gradient, in place. Of 1 and of the deviations for gx (the third with
 * that of x, the fourth with that of y), and of 1 for gy, which exchanges the other two.
 */
function derivatives(rows: usize, centreX: f32, centreY: f32, c1: f32, c2: f32, n: i32): void {
  const cx = f32x4.splat(centreX);
  const cy = f32x4.splat(centreY);
  const stableC1 = f32x4.splat(c1);
  const stableC2 = f32x4.splat(c2);
  const apart = f32x4.splat(centreY - centreX);
  const one = f32x4.splat(1);
  const end = rows + bytes(n);
  do {
    const ex = v128.load(rows);
    const ey = v128.load(rows, ROW);
    const meanX = f32x4.add(cx, ex);
    const meanY = f32x4.add(cy, ey);
    const difference = f32x4.add(apart, f32x4.sub(ey, ex));
    const brightness = f32x4.add(madd(meanX, meanX, f32x4.mul(meanY, meanY)), stableC1);
    const squares = madd(ex, ex, f32x4.mul(ey, ey));
    const spread = f32x4.add(f32x4.sub(v128.load(rows, 2 * ROW), squares), stableC2);
    const covariance = f32x4.sub(v128.load(rows, 3 * ROW), f32x4.mul(ex, ey));
    const contrast = f32x4.div(f32x4.add(f32x4.add(covariance, covariance), stableC2), spread);
    const slope = f32x4.div(difference, brightness);
    const luminance = f32x4.sub(one, f32x4.mul(difference, slope));
    const g = v128.load(rows, G_ROW);
    const twice = f32x4.add(g, g);
    // 2 g d/dsxy and, per deviation of x or y, 2 g d/d(sxx + syy).
    const byOther = f32x4.div(f32x4.mul(twice, luminance), spread);
    const byOwn = f32x4.neg(f32x4.mul(byOther, contrast));
    // d/dmx without its way through the covariances: my - luminance mx, its large terms taken out by hand.
    const sum = f32x4.add(meanX, meanY);
    const share = f32x4.mul(f32x4.mul(twice, contrast), slope);
    const shareX = f32x4.mul(share, f32x4.div(madd(meanY, sum, stableC1), brightness));
    const shareY = f32x4.mul(share, f32x4.div(madd(meanX, sum, stableC1), brightness));
    const crossX = madd(byOwn, ex, f32x4.mul(byOther, ey));
    const crossY = madd(byOwn, ey, f32x4.mul(byOther, ex));
    v128.store(rows, f32x4.sub(shareX, crossX));
    v128.store(rows, f32x4.neg(f32x4.add(shareY, crossY)), ROW);
    v128.store(rows, byOwn, 2 * ROW);
    v128.store(rows, byOther, 3 * ROW);
    rows += 16;
  } while (rows < end);
}

/** From four rows of windowed factors and the rows x and y: the gradients, in the place of x and y. */
function combine(rows: usize, centreX: f32, centreY: f32, n: i32): void {
  const cx = f32x4.splat(centreX);
  const cy = f32x4.splat(centreY);
  const end = rows + bytes(n);
  do {
    const dx = f32x4.sub(v128.load(rows, X_ROW), cx);
    const dy = f32x4.sub(v128.load(rows, Y_ROW), cy);
    const own = v128.load(rows, 2 * ROW);
    const other = v128.load(rows, 3 * ROW);
    v128.store(rows, madd(other, dy, madd(own, dx, v128.load(rows))), X_ROW);
    v128.store(rows, madd(other, dx, madd(own, dy, v128.load(rows, ROW))), Y_ROW);
    rows += 16;
  } while (rows < end);
}

/** Tasks are strips of rows of the map. */
export function ssimStrips(params: SsimParams, buffers: usize, begin: i32, end: i32): void {
  const plan = changetype<SsimPlan>(behind(params));
  const inH = params.inH;
  const inW = params.inW;
  const outH = params.outH;
  const outW = params.outW;
  const windowH = params.windowH;
  const windowW = params.windowW;
  const padH = params.padH;
  const padW = params.padW;
  const c1 = params.c1;
  const c2 = params.c2;
  const block = plan.block;
  const strips = plan.strips;
  const stripRows = plan.stripRows;
  const window = <usize>load<u32>(buffers, 8);
  const map = <usize>load<u32>(buffers, 12);
  const scratch = <usize>load<u32>(buffers, 20);
  const weightsH = scratch + WEIGHTS;
  const weightsW = window + bytes(windowH);
  const ring = weightsH + bytes(2 * windowH);
  doubleWeights(weightsH, window, windowH, 1);
  for (let task = begin; task < end; task++) {
    const plane = task / strips;
    const rowBegin = (task - plane * strips) * stripRows;
    const rowEnd = min(outH, rowBegin + stripRows);
    const x = <usize>load<u32>(buffers) + bytes(plane * inH * inW);
    const y = <usize>load<u32>(buffers, 4) + bytes(plane * inH * inW);
    const centreX = centreOf(x, inH, inW);
    const centreY = centreOf(y, inH, inW);
    for (let column = 0; column < outW; column += block) {
      const count = min(block, outW - column);
      const width = roundUp8(count);
      const pitch = bytes(4 * width);
      const n = width + windowW - 1;
      for (let row = rowBegin; row < rowEnd + windowH - 1; row++) {
        loadRow(scratch + X_ROW, x, inH, inW, row - padH, column - padW, n);
        loadRow(scratch + Y_ROW, y, inH, inW, row - padH, column - padW, n);
        products(scratch, centreX, centreY, n);
        filterRows(ring + (row % windowH) * pitch, scratch, weightsW, windowW, width);
        const out = row - windowH + 1;
        if (out < rowBegin) continue;
        filterRing(scratch, ring, pitch, weightsH + bytes(windowH - (out % windowH)), windowH, width);
        similarities(scratch, centreX, centreY, c1, c2, width);
        copyWords(map + bytes((plane * outH + out) * outW + column), scratch + G_ROW, count);
      }
    }
  }
}

/** Tasks are strips of rows of x. */
export function ssimBackwardStrips(params: SsimParams, buffers: usize, begin: i32, end: i32): void {
  const plan = changetype<SsimPlan>(behind(params));
  const inH = params.inH;
  const inW = params.inW;
  const outH = params.outH;
  const outW = params.outW;
  const windowH = params.windowH;
  const windowW = params.windowW;
  const padH = params.padH;
  const padW = params.padW;
  const c1 = params.c1;
  const c2 = params.c2;
  const block = plan.block;
  const strips = plan.strips;
  const stripRows = plan.stripRows;
  const window = <usize>load<u32>(buffers, 8);
  const scratch = <usize>load<u32>(buffers, 28);
  const weightsH = scratch + WEIGHTS;
  const adjointH = weightsH + bytes(2 * windowH);
  const weightsW = window + bytes(windowH);
  const adjointW = adjointH + bytes(2 * windowH);
  const moments = adjointW + bytes(2 * windowW);
  doubleWeights(weightsH, window, windowH, 1);
  doubleWeights(adjointH, window, windowH, -1);
  doubleWeights(adjointW, weightsW, windowW, -1);
  for (let task = begin; task < end; task++) {
    const plane = task / strips;
    const rowBegin = (task - plane * strips) * stripRows;
    const rowEnd = min(inH, rowBegin + stripRows);
    const x = <usize>load<u32>(buffers) + bytes(plane * inH * inW);
    const y = <usize>load<u32>(buffers, 4) + bytes(plane * inH * inW);
    const g = <usize>load<u32>(buffers, 12) + bytes(plane * outH * outW);
    const gx = <usize>load<u32>(buffers, 16) + bytes(plane * inH * inW);
    const gy = <usize>load<u32>(buffers, 20) + bytes(plane * inH * inW);
    const centreX = centreOf(x, inH, inW);
    const centreY = centreOf(y, inH, inW);
    for (let column = 0; column < inW; column += block) {
      const count = min(block, inW - column);
      const width = roundUp8(count);
      const pitch = bytes(4 * width);
      // The window positions that touch this block, and the elements that they touch in turn.
      const firstOut = column + padW - windowW + 1;
      const outs = roundUp8(width + windowW - 1);
      const momentsPitch = bytes(4 * outs);
      const ring = moments + windowH * momentsPitch;
      const left = max(0, min(outs, -firstOut));
      const right = max(left, min(outs, outW - firstOut));
      let nextRow = max(0, rowBegin + padH - windowH + 1);
      // `row` counts the window positions so that the gradient of a row is complete when the position of windowH - 1 rows on is.
      for (let row = rowBegin; row < rowEnd + windowH - 1; row++) {
        const out = row + padH - windowH + 1;
        const slot = ring + (row % windowH) * pitch;
        if (out < 0 || out >= outH) {
          memory.fill(slot, 0, pitch);
        } else {
          for (; nextRow < out + windowH; nextRow++) {
            const n = outs + windowW - 1;
            loadRow(scratch + X_ROW, x, inH, inW, nextRow - padH, firstOut - padW, n);
            loadRow(scratch + Y_ROW, y, inH, inW, nextRow - padH, firstOut - padW, n);
            products(scratch, centreX, centreY, n);
            filterRows(moments + (nextRow % windowH) * momentsPitch, scratch, weightsW, windowW, outs);
          }
          const weights = weightsH + bytes(windowH - (out % windowH));
          filterRing(scratch, moments, momentsPitch, weights, windowH, outs);
          loadRow(scratch + G_ROW, g, outH, outW, out, firstOut, outs);
          derivatives(scratch, centreX, centreY, c1, c2, outs);
          for (let i: usize = 0; i < 4 * ROW; i += ROW) {
            memory.fill(scratch + i, 0, bytes(left));
            memory.fill(scratch + i + bytes(right), 0, bytes(outs - right));
          }
          filterRows(slot, scratch, adjointW, windowW, width);
        }
        const to = row - windowH + 1;
        if (to < rowBegin) continue;
        filterRing(scratch, ring, pitch, adjointH + bytes(windowH - (to % windowH)), windowH, width);
        loadRow(scratch + X_ROW, x, inH, inW, to, column, width);
        loadRow(scratch + Y_ROW, y, inH, inW, to, column, width);
        combine(scratch, centreX, centreY, width);
        copyWords(gx + bytes(to * inW + column), scratch + X_ROW, count);
        copyWords(gy + bytes(to * inW + column), scratch + Y_ROW, count);
      }
    }
  }
}
