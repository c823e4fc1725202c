// Conversions and fills for the WASM device.
import { fillWords, loadPart, storePart } from '../shared/simd.as';
import { Cast } from './codes';
import { CastParams, FillParams } from './params.as';

@unmanaged
class ToFloat {
  @inline
  apply(x: v128): v128 {
    return f32x4.convert_i32x4_s(x);
  }
}

/** Toward zero; what int32 cannot hold becomes its nearest limit, and NaN 0. */
@unmanaged
class ToInt {
  @inline
  apply(x: v128): v128 {
    return i32x4.trunc_sat_f32x4_s(x);
  }
}

@unmanaged
class FloatToBool {
  @inline
  apply(x: v128): v128 {
    return v128.and(f32x4.ne(x, f32x4.splat(0)), i32x4.splat(1));
  }
}

@unmanaged
class IntToBool {
  @inline
  apply(x: v128): v128 {
    return v128.and(i32x4.ne(x, i32x4.splat(0)), i32x4.splat(1));
  }
}

function convert<F>(x: usize, y: usize, n: i32): void {
  const f = changetype<F>(0);
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    v128.store(y, f.apply(v128.load(x)));
    x += 16;
    y += 16;
  }
  if (i < n) storePart(y, f.apply(loadPart(x, n - i)), n - i);
}

/** Tasks are elements. */
export function cast(params: CastParams, buffers: usize, begin: i32, end: i32): void {
  const offset = (<usize>begin) << 2;
  const x = <usize>load<u32>(buffers) + offset;
  const y = <usize>load<u32>(buffers, 4) + offset;
  switch (params.kind) {
    case Cast.toFloat:
      return convert<ToFloat>(x, y, end - begin);
    case Cast.toInt:
      return convert<ToInt>(x, y, end - begin);
    case Cast.floatToBool:
      return convert<FloatToBool>(x, y, end - begin);
    case Cast.intToBool:
      return convert<IntToBool>(x, y, end - begin);
  }
}

/** Tasks are elements. */
export function fill(params: FillParams, buffers: usize, begin: i32, end: i32): void {
  fillWords(<usize>load<u32>(buffers) + ((<usize>begin) << 2), reinterpret<u32>(params.value), end - begin);
}
