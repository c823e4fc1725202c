// y = f(a, b, c) of three arrays alike for the WASM device: one small class per code, and one loop that is compiled for each.
import { bce4, bceSlope4, geluSlope4, sigmoidSlope4, siluSlope4 } from '../shared/math.as';
import { loadLanes, loadPart, storePart } from '../shared/simd.as';
import { mostPlainSlope, Ternary } from './codes';
import { TernaryParams } from './params.as';

/** Where the output y of a curve that ends at 1 is so near to it that 1 - y has lost digits. NaN is not near. */
@inline
function isNearOne(y: v128): v128 {
  return f32x4.gt(y, f32x4.splat(<f32>mostPlainSlope));
}

// `c` is an address, so that what only some elements need is loaded for those.

@unmanaged
class SigmoidBackward {
  @inline
  apply(g: v128, y: v128, c: usize, count: i32): v128 {
    const value = f32x4.mul(g, f32x4.mul(y, f32x4.sub(f32x4.splat(1), y)));
    const near = isNearOne(y);
    if (!v128.any_true(near)) return value;
    return v128.bitselect(f32x4.mul(g, sigmoidSlope4(loadLanes(c, count))), value, near);
  }
}

@unmanaged
class TanhBackward {
  @inline
  apply(g: v128, y: v128, c: usize, count: i32): v128 {
    const size = f32x4.abs(y);
    const one = f32x4.splat(1);
    const value = f32x4.mul(g, f32x4.mul(f32x4.sub(one, size), f32x4.add(one, size)));
    const near = isNearOne(size);
    if (!v128.any_true(near)) return value;
    const x = loadLanes(c, count);
    const slope = f32x4.mul(f32x4.splat(4), sigmoidSlope4(f32x4.add(x, x)));
    return v128.bitselect(f32x4.mul(g, slope), value, near);
  }
}

@unmanaged
class SiluBackward {
  @inline
  apply(g: v128, y: v128, c: usize, count: i32): v128 {
    return f32x4.mul(g, siluSlope4(loadLanes(c, count)));
  }
}

@unmanaged
class GeluBackward {
  @inline
  apply(g: v128, y: v128, c: usize, count: i32): v128 {
    return f32x4.mul(g, geluSlope4(loadLanes(c, count)));
  }
}

@unmanaged
class Bce {
  @inline
  apply(a: v128, b: v128, c: usize, count: i32): v128 {
    return bce4(a, b, loadLanes(c, count));
  }
}

@unmanaged
class BceSlope {
  @inline
  apply(a: v128, b: v128, c: usize, count: i32): v128 {
    return bceSlope4(a, b, loadLanes(c, count));
  }
}

function map<F>(a: usize, b: usize, c: usize, y: usize, n: i32): void {
  const f = changetype<F>(0);
  let rest = n;
  if (rest >= 4) {
    do {
      v128.store(y, f.apply(v128.load(a), v128.load(b), c, 4));
      a += 16;
      b += 16;
      c += 16;
      y += 16;
      rest -= 4;
    } while (rest >= 4);
  }
  if (rest > 0) storePart(y, f.apply(loadPart(a, rest), loadPart(b, rest), c, rest), rest);
}

/** Tasks are elements. */
export function ternary(params: TernaryParams, buffers: usize, begin: i32, end: i32): void {
  const offset = (<usize>begin) << 2;
  const a = <usize>load<u32>(buffers) + offset;
  const b = <usize>load<u32>(buffers, 4) + offset;
  const c = <usize>load<u32>(buffers, 8) + offset;
  const y = <usize>load<u32>(buffers, 12) + offset;
  const n = end - begin;
  switch (params.op) {
    case Ternary.sigmoidBackward:
      return map<SigmoidBackward>(a, b, c, y, n);
    case Ternary.tanhBackward:
      return map<TanhBackward>(a, b, c, y, n);
    case Ternary.siluBackward:
      return map<SiluBackward>(a, b, c, y, n);
    case Ternary.geluBackward:
      return map<GeluBackward>(a, b, c, y, n);
    case Ternary.bce:
      return map<Bce>(a, b, c, y, n);
    case Ternary.bceSlope:
      return map<BceSlope>(a, b, c, y, n);
  }
}
