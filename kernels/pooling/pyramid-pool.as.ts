// Pyramid pooling over planes [planes, H, W] for the WASM device; rules and costs in pyramid-pool.ts. A task is a plane, which
// stays in the cache while all bins are taken from it. Forward, the rows of a cell are added up column by column, four at a
// time, and then the columns of each cell, in float64. Backward, every row of cells becomes a row of shares as wide as the
// plane, and a row of the gradient the sum of the rows of shares that cover it: each position is written once.
import { Four, Part, promoteHigh, promoteLow, storePart, sumRun, Value } from '../shared/simd.as';
import { PyramidRule } from './codes';
import { PyramidPoolParams } from './params.as';

/** Rows that a column adds up in float32 before they join a float64. */
const ROWS_AT_ONCE = 16;

let planes: i32 = 0;
let inH: i32 = 0;
let inW: i32 = 0;
let count: i32 = 0;
let rule: i32 = 0;

function readSizes(params: PyramidPoolParams): void {
  planes = params.planes;
  inH = params.inH;
  inW = params.inW;
  count = params.count;
  rule = params.rule;
}

/** Cells of a bin along an axis. */
function cellsOf(bin: i32, size: i32): i32 {
  return rule == PyramidRule.adaptive ? bin : size / max(1, size / bin);
}

/** Writes the first position of every cell and the one past its last. Returns where the next list may begin. */
function writeWindows(to: usize, bin: i32, size: i32): usize {
  const cells = cellsOf(bin, size);
  const kernel = max(1, size / bin);
  for (let i = 0; i < cells; i++) {
    const isAdaptive = rule == PyramidRule.adaptive;
    store<i32>(to, isAdaptive ? <i32>((<u64>i * size) / bin) : i * kernel);
    store<i32>(to, isAdaptive ? <i32>((<u64>(i + 1) * size + bin - 1) / bin) : (i + 1) * kernel, 4);
    to += 8;
  }
  return to;
}

/** The windows of all bins: for each its rows, then its columns. */
function writeAllWindows(to: usize, params: PyramidPoolParams): void {
  for (let k = 0; k < count; k++) {
    const bin = load<i32>(params.bins + ((<usize>k) << 2));
    to = writeWindows(to, bin, inH);
    to = writeWindows(to, bin, inW);
  }
}

/** Sums of `rows` rows, column by column, as float64. */
function columnSums<Lanes>(source: usize, sums: usize, rows: i32, columns: i32): void {
  const lanes = changetype<Lanes>(0);
  const stride = (<usize>inW) << 2;
  for (let column = 0; column < columns; column += 4) {
    let p = source;
    let low = f64x2.splat(0);
    let high = f64x2.splat(0);
    let left = rows;
    do {
      let block = lanes.load(p, columns);
      p += stride;
      for (let row = min(left, ROWS_AT_ONCE); --row > 0;) {
        block = f32x4.add(block, lanes.load(p, columns));
        p += stride;
      }
      low = f64x2.add(low, promoteLow(block));
      high = f64x2.add(high, promoteHigh(block));
      left -= ROWS_AT_ONCE;
    } while (left > 0);
    v128.store(sums, low);
    v128.store(sums, high, 16);
    source += 16;
    sums += 32;
  }
}

/** Tasks are planes. */
export function pyramidPool(params: PyramidPoolParams, buffers: usize, begin: i32, end: i32): void {
  readSizes(params);
  const scratch = <usize>load<u32>(buffers + (((<usize>count) << 2) + 8));
  const windows = scratch + (((<usize>inW + 3) & ~3) << 3);
  writeAllWindows(windows, params);
  const stride = (<usize>inW) << 2;
  for (let plane = begin; plane < end; plane++) {
    const x = <usize>load<u32>(buffers) + <usize>plane * inH * stride;
    let rows = windows;
    for (let k = 0; k < count; k++) {
      const bin = load<i32>(params.bins + ((<usize>k) << 2));
      const cellsH = cellsOf(bin, inH);
      const cellsW = cellsOf(bin, inW);
      const columns = rows + ((<usize>cellsH) << 3);
      let y = <usize>load<u32>(buffers + ((<usize>k) << 2), 4) + ((<usize>plane * cellsH * cellsW) << 2);
      for (let i = 0; i < cellsH; i++) {
        const top = load<i32>(rows);
        const height = load<i32>(rows, 4) - top;
        const source = x + <usize>top * stride;
        rows += 8;
        if (cellsW == 1) {
          const n = height * inW;
          store<f32>(y, <f32>(sumRun<Value>(source, source, n, 0) / n));
          y += 4;
          continue;
        }
        const whole = inW & -4;
        if (whole) columnSums<Four>(source, scratch, height, whole);
        const tail = (<usize>whole) << 2;
        if (whole < inW) columnSums<Part>(source + tail, scratch + 2 * tail, height, inW - whole);
        for (let j = 0; j < cellsW; j++) {
          const window = columns + ((<usize>j) << 3);
          let at = load<i32>(window);
          const past = load<i32>(window, 4);
          const n = height * (past - at);
          let sum: f64 = 0;
          for (; at < past; at++) sum += load<f64>(scratch + ((<usize>at) << 3));
          store<f32>(y, <f32>(sum / n));
          y += 4;
        }
      }
      rows = columns + ((<usize>cellsW) << 3);
    }
  }
}

/** Adds `share` to `n` elements. */
@inline
function addShare(p: usize, share: f32, n: i32): void {
  for (let i = 0; i < n; i++) {
    store<f32>(p, load<f32>(p) + share);
    p += 4;
  }
}

/** Writes for each row of the plane how many rows of cells cover it, and the places of their shares. */
function writeCoverings(to: usize, windows: usize, params: PyramidPoolParams, rowBytes: usize): void {
  for (let h = 0; h < inH; h++) {
    const head = to;
    let rows = windows;
    let place: usize = 0;
    to += 4;
    for (let k = 0; k < count; k++) {
      const bin = load<i32>(params.bins + ((<usize>k) << 2));
      for (let i = cellsOf(bin, inH); i > 0; i--) {
        if (load<i32>(rows) <= h && h < load<i32>(rows, 4)) {
          store<u32>(to, <u32>place);
          to += 4;
        }
        place += rowBytes;
        rows += 8;
      }
      rows += (<usize>cellsOf(bin, inW)) << 3;
    }
    store<u32>(head, <u32>((to - head) >> 2) - 1);
  }
}

/** Tasks are planes. */
export function pyramidPoolBackward(params: PyramidPoolParams, buffers: usize, begin: i32, end: i32): void {
  readSizes(params);
  const rowBytes = ((<usize>inW + 3) & ~3) << 2;
  const shares = <usize>load<u32>(buffers + (((<usize>count) << 2) + 8));
  let rowCount: usize = 0;
  let cellCount: usize = 0;
  for (let k = 0; k < count; k++) {
    const bin = load<i32>(params.bins + ((<usize>k) << 2));
    rowCount += cellsOf(bin, inH);
    cellCount += cellsOf(bin, inW);
  }
  const windows = shares + rowCount * rowBytes;
  writeAllWindows(windows, params);
  const coverings = windows + ((rowCount + cellCount) << 3);
  writeCoverings(coverings, windows, params, rowBytes);
  for (let plane = begin; plane < end; plane++) {
    let rows = windows;
    let share = shares;
    memory.fill(shares, 0, rowCount * rowBytes);
    for (let k = 0; k < count; k++) {
      const bin = load<i32>(params.bins + ((<usize>k) << 2));
      const cellsH = cellsOf(bin, inH);
      const cellsW = cellsOf(bin, inW);
      const columns = rows + ((<usize>cellsH) << 3);
      let g = <usize>load<u32>(buffers + ((<usize>k) << 2)) + ((<usize>plane * cellsH * cellsW) << 2);
      for (let i = 0; i < cellsH; i++) {
        const height = load<i32>(rows, 4) - load<i32>(rows);
        for (let j = 0; j < cellsW; j++) {
          const window = columns + ((<usize>j) << 3);
          const left = load<i32>(window);
          const width = load<i32>(window, 4) - left;
          addShare(share + ((<usize>left) << 2), load<f32>(g) / <f32>(height * width), width);
          g += 4;
        }
        share += rowBytes;
        rows += 8;
      }
      rows = columns + ((<usize>cellsW) << 3);
    }
    let gx = <usize>load<u32>(buffers + ((<usize>count) << 2)) + ((<usize>plane * inH * inW) << 2);
    let covering = coverings;
    for (let h = 0; h < inH; h++) {
      const last = covering + ((<usize>load<u32>(covering)) << 2);
      for (let column = 0; column < inW; column += 4) {
        const from = shares + ((<usize>column) << 2);
        let sum = f32x4.splat(0);
        for (let p = covering; p < last; p += 4) sum = f32x4.add(sum, v128.load(from + <usize>load<u32>(p, 4)));
        const left = inW - column;
        if (left >= 4) v128.store(gx, sum);
        else storePart(gx, sum, left);
        gx += (<usize>min(4, left)) << 2;
      }
      covering = last + 4;
    }
  }
}
