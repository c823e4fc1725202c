// Gather and the two ways of scattering back, over [outer, count, inner], for the WASM device.
// Scatters belong to one task per (outer, inner), which takes its indices in order of k, so nothing depends on threads.
import { GatherParams } from './params.as';

/** Negative indices count from the end. What is outside is past the end when it is read as unsigned. */
@inline
function placeOf(index: i32, size: i32): i32 {
  return index < 0 ? index + size : index;
}

/** Tasks are elements of y. */
export function gather(params: GatherParams, buffers: usize, begin: i32, end: i32): void {
  const size = params.size;
  const inner = params.inner;
  const outside = <u32>params.outside;
  const block = params.count * inner;
  const x = <usize>load<u32>(buffers);
  const index = <usize>load<u32>(buffers, 4);
  const y = <usize>load<u32>(buffers, 8);
  for (let at = begin; at < end;) {
    const o = at / block;
    const source = x + ((<usize>o * size * inner) << 2);
    const blockEnd = min(end, (o + 1) * block);
    let i = at % inner;
    for (; at < blockEnd; at++) {
      const s = placeOf(load<i32>(index + ((<usize>at) << 2)), size);
      const isInside = <u32>s < <u32>size;
      store<u32>(y + ((<usize>at) << 2), isInside ? load<u32>(source + ((<usize>s * inner + i) << 2)) : outside);
      if (++i == inner) i = 0;
    }
  }
}

@unmanaged
class AddTo {
  @inline
  put(p: usize, g: usize): void {
    store<f32>(p, load<f32>(p) + load<f32>(g));
  }
}

@unmanaged
class Replace {
  @inline
  put(p: usize, g: usize): void {
    store<u32>(p, load<u32>(g));
  }
}

/** Writes `outside` to those of `lines` neighbouring lines that have an index outside. */
function markLines(index: usize, to: usize, params: GatherParams, lines: i32): void {
  const size = params.size;
  const count = params.count;
  const step = (<usize>params.inner) << 2;
  const outside = <u32>params.outside;
  for (let i = 0; i < lines; i++) {
    let from = index + ((<usize>i) << 2);
    let isInside = true;
    for (let k = 0; k < count; k++) {
      if (<u32>placeOf(load<i32>(from), size) >= <u32>size) isInside = false;
      from += step;
    }
    if (isInside) continue;
    for (let s = 0; s < size; s++) store<u32>(to + <usize>s * step + ((<usize>i) << 2), outside);
  }
}

/** Tasks are the lines (outer, inner); neighbouring lines of one `outer` are walked together. */
@inline
function scatterLines<Rule>(params: GatherParams, buffers: usize, begin: i32, end: i32): void {
  const rule = changetype<Rule>(0);
  const size = params.size;
  const count = params.count;
  const inner = params.inner;
  const outside = <u32>params.outside;
  const g = <usize>load<u32>(buffers);
  const index = <usize>load<u32>(buffers, 4);
  const y = <usize>load<u32>(buffers, 8);
  for (let line = begin; line < end;) {
    const o = line / inner;
    const first = line - o * inner;
    const lines = min(inner - first, end - line);
    const to = y + ((<usize>o * size * inner + first) << 2);
    for (let s = 0; s < size; s++) memory.fill(to + ((<usize>s * inner) << 2), 0, (<usize>lines) << 2);
    let isComplete = true;
    for (let k = 0; k < count; k++) {
      const from = (<usize>(o * count + k) * inner + first) << 2;
      for (let i = 0; i < lines; i++) {
        const at = from + ((<usize>i) << 2);
        const s = placeOf(load<i32>(index + at), size);
        if (<u32>s < <u32>size) rule.put(to + ((<usize>s * inner + i) << 2), g + at);
        else isComplete = false;
      }
    }
    if (!isComplete && outside != 0) markLines(index + ((<usize>(o * count * inner + first)) << 2), to, params, lines);
    line += lines;
  }
}

export function scatterAdd(params: GatherParams, buffers: usize, begin: i32, end: i32): void {
  scatterLines<AddTo>(params, buffers, begin, end);
}

export function scatter(params: GatherParams, buffers: usize, begin: i32, end: i32): void {
  scatterLines<Replace>(params, buffers, begin, end);
}
