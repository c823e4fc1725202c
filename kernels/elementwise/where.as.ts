// y = c ? a : b with broadcasting for the WASM device, line by line of the last axis, four words at a time.
import { loadPart, loadStrided, loadStridedPart, storePart } from '../shared/simd.as';
import { WhereParams } from './params.as';

/** Four words of one operand: contiguous, one repeated, or strided (in bytes). */
@inline
function four(p: usize, stride: usize): v128 {
  if (stride == 4) return v128.load(p);
  if (stride == 0) return v128.load32_splat(p);
  return loadStrided(p, stride);
}

@inline
function choose(c: v128, a: v128, b: v128): v128 {
  return v128.bitselect(b, a, i32x4.eq(c, i32x4.splat(0)));
}

/** `n` elements of one line. Strides are in bytes. */
function line(y: usize, c: usize, strideC: usize, a: usize, strideA: usize, b: usize, strideB: usize, n: i32): void {
  let i = 0;
  if (strideC == 4 && strideA == 4 && strideB == 4) {
    for (; i + 4 <= n; i += 4) {
      v128.store(y, choose(v128.load(c), v128.load(a), v128.load(b)));
      c += 16;
      a += 16;
      b += 16;
      y += 16;
    }
    if (i < n) storePart(y, choose(loadPart(c, n - i), loadPart(a, n - i), loadPart(b, n - i)), n - i);
    return;
  }
  for (; i + 4 <= n; i += 4) {
    v128.store(y, choose(four(c, strideC), four(a, strideA), four(b, strideB)));
    c += 4 * strideC;
    a += 4 * strideA;
    b += 4 * strideB;
    y += 16;
  }
  if (i < n) {
    const rest = n - i;
    const left = loadStridedPart(a, strideA, rest);
    const right = loadStridedPart(b, strideB, rest);
    storePart(y, choose(loadStridedPart(c, strideC, rest), left, right), rest);
  }
}

/** Tasks are elements. */
export function where(params: WhereParams, buffers: usize, begin: i32, end: i32): void {
  const last = params.rank - 1;
  const stridesC = params.stridesC;
  const stridesA = params.stridesA;
  const stridesB = params.stridesB;
  const c = <usize>load<u32>(buffers);
  const a = <usize>load<u32>(buffers, 4);
  const b = <usize>load<u32>(buffers, 8);
  const y = <usize>load<u32>(buffers, 12);
  const axis = (<usize>max(last, 0)) << 2;
  const length = last < 0 ? 1 : load<i32>(params.shape + axis);
  const strideC = last >= 0 ? <usize>load<u32>(stridesC + axis) : 0;
  const strideA = last >= 0 ? <usize>load<u32>(stridesA + axis) : 0;
  const strideB = last >= 0 ? <usize>load<u32>(stridesB + axis) : 0;
  let lineIndex = begin / length;
  let at = begin - lineIndex * length;
  for (let i = begin; i < end;) {
    let offsetC = strideC * <usize>at;
    let offsetA = strideA * <usize>at;
    let offsetB = strideB * <usize>at;
    let rest = lineIndex;
    for (let outer = last - 1; outer >= 0; outer--) {
      const size = load<i32>(params.shape + ((<usize>outer) << 2));
      const quotient = rest / size;
      const index = <usize>(rest - quotient * size);
      offsetC += index * <usize>load<u32>(stridesC + ((<usize>outer) << 2));
      offsetA += index * <usize>load<u32>(stridesA + ((<usize>outer) << 2));
      offsetB += index * <usize>load<u32>(stridesB + ((<usize>outer) << 2));
      rest = quotient;
    }
    const n = min(length - at, end - i);
    const to = y + ((<usize>i) << 2);
    line(to, c + (offsetC << 2), strideC << 2, a + (offsetA << 2), strideA << 2, b + (offsetB << 2), strideB << 2, n);
    i += n;
    at = 0;
    lineIndex++;
  }
}
