// Scans along the middle axis of [outer, n, inner] for the WASM device. A task is a line; its running value is float64, so
// that a result is the exact one rounded once or nearly so, however long the line.
import { ScanParams } from './params.as';

/** Where a line starts, and the bytes from one of its elements to the next in the order of the scan. */
@inline
function lineStart(p: ScanParams, line: i32): usize {
  const o = line / p.inner;
  const first = <usize>o * p.n * p.inner + (line - o * p.inner);
  return (p.reverse ? first + <usize>(p.n - 1) * p.inner : first) << 2;
}

@inline
function lineStep(p: ScanParams): usize {
  const step = (<usize>p.inner) << 2;
  return p.reverse ? 0 - step : step;
}

export function prefixSum(p: ScanParams, buffers: usize, begin: i32, end: i32): void {
  const x = <usize>load<u32>(buffers);
  const y = <usize>load<u32>(buffers, 4);
  const step = lineStep(p);
  for (let line = begin; line < end; line++) {
    let at = lineStart(p, line);
    let sum: f64 = 0;
    for (let k = 0; k < p.n; k++) {
      sum += <f64>load<f32>(x + at);
      store<f32>(y + at, <f32>sum);
      at += step;
    }
  }
}

export function recurrence(p: ScanParams, buffers: usize, begin: i32, end: i32): void {
  const a = <usize>load<u32>(buffers);
  const b = <usize>load<u32>(buffers, 4);
  const y = <usize>load<u32>(buffers, 8);
  const step = lineStep(p);
  for (let line = begin; line < end; line++) {
    let at = lineStart(p, line);
    if (p.n == 0) continue;
    let value = <f64>load<f32>(b + at);
    store<f32>(y + at, <f32>value);
    for (let k = 1; k < p.n; k++) {
      at += step;
      value = <f64>load<f32>(b + at) + <f64>load<f32>(a + at) * value;
      store<f32>(y + at, <f32>value);
    }
  }
}
