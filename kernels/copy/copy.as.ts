// Strided copies for the WASM device. Runs along the last axis are moved whole where both sides are contiguous; a copy
// that swaps the last two axes goes through registers, four by four, so that both sides are read and written in lines.
import { copyWords, fillWords, loadStrided } from '../shared/simd.as';
import { swapBlock } from '../shared/swap-block.as';
import { CopyParams } from './params.as';

/** `n` words along one axis; strides are in words. */
function copyRun(to: usize, outStride: i32, from: usize, inStride: i32, n: i32): void {
  if (outStride == 1 && inStride == 1) return copyWords(to, from, n);
  if (outStride == 1 && inStride == 0) return fillWords(to, load<u32>(from), n);
  const step = (<usize>inStride) << 2;
  let i = 0;
  if (outStride == 1) {
    for (; i + 4 <= n; i += 4) {
      v128.store(to, loadStrided(from, step));
      to += 16;
      from += 4 * step;
    }
  }
  for (; i < n; i++) {
    store<u32>(to, load<u32>(from));
    to += (<usize>outStride) << 2;
    from += step;
  }
}

/** Tasks are elements, in runs along the last axis. */
export function copyLines(params: CopyParams, buffers: usize, begin: i32, end: i32): void {
  const inStrides = params.inStrides;
  const outStrides = params.outStrides;
  const last = params.rank - 1;
  const x = <usize>load<u32>(buffers) + ((<usize>params.inOffset) << 2);
  const y = <usize>load<u32>(buffers, 4) + ((<usize>params.outOffset) << 2);
  const axis = (<usize>max(last, 0)) << 2;
  const length = last < 0 ? 1 : load<i32>(params.shape + axis);
  const inStride = last < 0 ? 0 : load<i32>(inStrides + axis);
  const outStride = last < 0 ? 1 : load<i32>(outStrides + axis);
  let line = begin / length;
  let at = begin - line * length;
  for (let i = begin; i < end;) {
    let from = at * inStride;
    let to = at * outStride;
    let rest = line;
    for (let outer = last - 1; outer >= 0; outer--) {
      const size = load<i32>(params.shape + ((<usize>outer) << 2));
      const quotient = rest / size;
      const index = rest - quotient * size;
      from += index * load<i32>(inStrides + ((<usize>outer) << 2));
      to += index * load<i32>(outStrides + ((<usize>outer) << 2));
      rest = quotient;
    }
    const n = min(length - at, end - i);
    copyRun(y + ((<usize>to) << 2), outStride, x + ((<usize>from) << 2), inStride, n);
    i += n;
    at = 0;
    line++;
  }
}

/** `rows` times `columns` words; the input has its rows next to each other, the output its columns. */
function swapBand(to: usize, outStep: usize, from: usize, inStep: usize, rows: i32, columns: i32): void {
  let column = 0;
  for (; column + 4 <= columns; column += 4) {
    let row = 0;
    for (; row + 4 <= rows; row += 4) {
      swapBlock(to + <usize>row * outStep, outStep, from + ((<usize>row) << 2), inStep);
    }
    for (; row < rows; row++) v128.store(to + <usize>row * outStep, loadStrided(from + ((<usize>row) << 2), inStep));
    to += 16;
    from += 4 * inStep;
  }
  for (; column < columns; column++) {
    for (let row = 0; row < rows; row++) store<u32>(to + <usize>row * outStep, load<u32>(from + ((<usize>row) << 2)));
    to += 4;
    from += inStep;
  }
}

/** Tasks are bands of sixteen rows (last axis but one), for outStride 1 in the last axis and inStride 1 in the one before. */
export function copySwapped(params: CopyParams, buffers: usize, begin: i32, end: i32): void {
  const inStrides = params.inStrides;
  const outStrides = params.outStrides;
  const last = params.rank - 1;
  const x = <usize>load<u32>(buffers) + ((<usize>params.inOffset) << 2);
  const y = <usize>load<u32>(buffers, 4) + ((<usize>params.outOffset) << 2);
  const axis = (<usize>last) << 2;
  const columns = load<i32>(params.shape + axis);
  const rows = load<i32>(params.shape + axis - 4);
  const inStep = (<usize>load<i32>(inStrides + axis)) << 2;
  const outStride = load<i32>(outStrides + axis - 4);
  const bands = (rows + 15) >> 4;
  for (let task = begin; task < end; task++) {
    let rest = task / bands;
    const row = (task - rest * bands) << 4;
    let from = row;
    let to = row * outStride;
    for (let outer = last - 2; outer >= 0; outer--) {
      const size = load<i32>(params.shape + ((<usize>outer) << 2));
      const quotient = rest / size;
      const index = rest - quotient * size;
      from += index * load<i32>(inStrides + ((<usize>outer) << 2));
      to += index * load<i32>(outStrides + ((<usize>outer) << 2));
      rest = quotient;
    }
    const count = min(16, rows - row);
    swapBand(y + ((<usize>to) << 2), (<usize>outStride) << 2, x + ((<usize>from) << 2), inStep, count, columns);
  }
}
