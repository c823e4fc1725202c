// y = f(a, b) with broadcasting for the WASM device: one small class per code, and one walk over the lines of the last
// axis that is compiled for each of them. Within a line an operand is contiguous, one repeated value, or strided.
import { logRatio4, reluGradient4, sigmoidSlope4 } from '../shared/math.as';
import { pow4 } from '../shared/math64.as';
import { loadPart, loadStrided, loadStridedPart, storePart } from '../shared/simd.as';
import { Binary } from './codes';
import { BinaryParams } from './params.as';

@inline
function splat(x: f32): v128 {
  return f32x4.splat(x);
}

/** A mask as the words 1 and 0 of a bool. */
@inline
function asBool(mask: v128): v128 {
  return v128.and(mask, i32x4.splat(1));
}

@unmanaged
class Add {
  @inline
  apply(a: v128, b: v128, alpha: v128): v128 {
    return f32x4.add(a, b);
  }
}

@unmanaged
class Sub {
  @inline
  apply(a: v128, b: v128, alpha: v128): v128 {
    return f32x4.sub(a, b);
  }
}

@unmanaged
class Mul {
  @inline
  apply(a: v128, b: v128, alpha: v128): v128 {
    return f32x4.mul(a, b);
  }
}

@unmanaged
class Div {
  @inline
  apply(a: v128, b: v128, alpha: v128): v128 {
    return f32x4.div(a, b);
  }
}

@unmanaged
class Maximum {
  @inline
  apply(a: v128, b: v128, alpha: v128): v128 {
    return f32x4.max(a, b);
  }
}

@unmanaged
class Minimum {
  @inline
  apply(a: v128, b: v128, alpha: v128): v128 {
    return f32x4.min(a, b);
  }
}

@unmanaged
class Pow {
  @inline
  apply(a: v128, b: v128, alpha: v128): v128 {
    return pow4(a, b);
  }
}

@unmanaged
class Eq {
  @inline
  apply(a: v128, b: v128, alpha: v128): v128 {
    return asBool(f32x4.eq(a, b));
  }
}

@unmanaged
class Ne {
  @inline
  apply(a: v128, b: v128, alpha: v128): v128 {
    return asBool(f32x4.ne(a, b));
  }
}

@unmanaged
class Lt {
  @inline
  apply(a: v128, b: v128, alpha: v128): v128 {
    return asBool(f32x4.lt(a, b));
  }
}

@unmanaged
class Le {
  @inline
  apply(a: v128, b: v128, alpha: v128): v128 {
    return asBool(f32x4.le(a, b));
  }
}

@unmanaged
class Gt {
  @inline
  apply(a: v128, b: v128, alpha: v128): v128 {
    return asBool(f32x4.gt(a, b));
  }
}

@unmanaged
class Ge {
  @inline
  apply(a: v128, b: v128, alpha: v128): v128 {
    return asBool(f32x4.ge(a, b));
  }
}

@unmanaged
class ReluGrad {
  @inline
  apply(a: v128, b: v128, alpha: v128): v128 {
    return reluGradient4(a, b);
  }
}

@unmanaged
class LeakyReluGrad {
  @inline
  apply(a: v128, b: v128, alpha: v128): v128 {
    return v128.bitselect(a, f32x4.mul(alpha, a), f32x4.gt(b, splat(0)));
  }
}

@unmanaged
class SigmoidGrad {
  @inline
  apply(a: v128, b: v128, alpha: v128): v128 {
    return f32x4.mul(a, sigmoidSlope4(b));
  }
}

/** 1 - tanh(b)^2 = 4 sigmoid(2 b) sigmoid(-2 b) */
@unmanaged
class TanhGrad {
  @inline
  apply(a: v128, b: v128, alpha: v128): v128 {
    return f32x4.mul(a, f32x4.mul(splat(4), sigmoidSlope4(f32x4.add(b, b))));
  }
}

@unmanaged
class AddScaled {
  @inline
  apply(a: v128, b: v128, alpha: v128): v128 {
    return f32x4.add(a, f32x4.mul(alpha, b));
  }
}

@unmanaged
class LogRatio {
  @inline
  apply(a: v128, b: v128, alpha: v128): v128 {
    return logRatio4(a, b);
  }
}

/** `n` elements of one line. Strides are in bytes. */
function line<F>(y: usize, a: usize, strideA: usize, b: usize, strideB: usize, n: i32, alpha: v128): void {
  const f = changetype<F>(0);
  const whole = n & -4;
  const rest = n & 3;
  const end = y + ((<usize>whole) << 2);
  if (strideA == 4 && strideB == 4) {
    if (whole) {
      do {
        v128.store(y, f.apply(v128.load(a), v128.load(b), alpha));
        a += 16;
        b += 16;
        y += 16;
      } while (y != end);
    }
    if (rest) storePart(y, f.apply(loadPart(a, rest), loadPart(b, rest), alpha), rest);
  } else if (strideA == 4 && strideB == 0) {
    const value = v128.load32_splat(b);
    if (whole) {
      do {
        v128.store(y, f.apply(v128.load(a), value, alpha));
        a += 16;
        y += 16;
      } while (y != end);
    }
    if (rest) storePart(y, f.apply(loadPart(a, rest), value, alpha), rest);
  } else if (strideA == 0 && strideB == 4) {
    const value = v128.load32_splat(a);
    if (whole) {
      do {
        v128.store(y, f.apply(value, v128.load(b), alpha));
        b += 16;
        y += 16;
      } while (y != end);
    }
    if (rest) storePart(y, f.apply(value, loadPart(b, rest), alpha), rest);
  } else {
    while (y != end) {
      v128.store(y, f.apply(loadStrided(a, strideA), loadStrided(b, strideB), alpha));
      a += 4 * strideA;
      b += 4 * strideB;
      y += 16;
    }
    if (rest) storePart(y, f.apply(loadStridedPart(a, strideA, rest), loadStridedPart(b, strideB, rest), alpha), rest);
  }
}

/** Elements [begin, end), line by line of the last axis. */
function walk<F>(params: BinaryParams, buffers: usize, begin: i32, end: i32): void {
  const last = params.rank - 1;
  const alpha = params.alpha4;
  const stridesA = params.stridesA;
  const stridesB = params.stridesB;
  const a = <usize>load<u32>(buffers);
  const b = <usize>load<u32>(buffers, 4);
  const y = <usize>load<u32>(buffers, 8);
  const axis = (<usize>max(last, 0)) << 2;
  const length = last < 0 ? 1 : load<i32>(params.shape + axis);
  const strideA = last >= 0 ? <usize>load<u32>(stridesA + axis) : 0;
  const strideB = last >= 0 ? <usize>load<u32>(stridesB + axis) : 0;
  let lineIndex = begin / length;
  let at = begin - lineIndex * length;
  for (let i = begin; i < end;) {
    let offsetA = strideA * <usize>at;
    let offsetB = strideB * <usize>at;
    let rest = lineIndex;
    for (let outer = last - 1; outer >= 0; outer--) {
      const size = load<i32>(params.shape + ((<usize>outer) << 2));
      const quotient = rest / size;
      const index = <usize>(rest - quotient * size);
      offsetA += index * <usize>load<u32>(stridesA + ((<usize>outer) << 2));
      offsetB += index * <usize>load<u32>(stridesB + ((<usize>outer) << 2));
      rest = quotient;
    }
    const n = min(length - at, end - i);
    line<F>(y + ((<usize>i) << 2), a + (offsetA << 2), strideA << 2, b + (offsetB << 2), strideB << 2, n, alpha);
    i += n;
    at = 0;
    lineIndex++;
  }
}

/** Tasks are elements. */
export function binary(params: BinaryParams, buffers: usize, begin: i32, end: i32): void {
  switch (params.op) {
    case Binary.add:
      return walk<Add>(params, buffers, begin, end);
    case Binary.sub:
      return walk<Sub>(params, buffers, begin, end);
    case Binary.mul:
      return walk<Mul>(params, buffers, begin, end);
    case Binary.div:
      return walk<Div>(params, buffers, begin, end);
    case Binary.maximum:
      return walk<Maximum>(params, buffers, begin, end);
    case Binary.minimum:
      return walk<Minimum>(params, buffers, begin, end);
    case Binary.pow:
      return walk<Pow>(params, buffers, begin, end);
    case Binary.eq:
      return walk<Eq>(params, buffers, begin, end);
    case Binary.ne:
      return walk<Ne>(params, buffers, begin, end);
    case Binary.lt:
      return walk<Lt>(params, buffers, begin, end);
    case Binary.le:
      return walk<Le>(params, buffers, begin, end);
    case Binary.gt:
      return walk<Gt>(params, buffers, begin, end);
    case Binary.ge:
      return walk<Ge>(params, buffers, begin, end);
    case Binary.reluGrad:
      return walk<ReluGrad>(params, buffers, begin, end);
    case Binary.leakyReluGrad:
      return walk<LeakyReluGrad>(params, buffers, begin, end);
    case Binary.sigmoidGrad:
      return walk<SigmoidGrad>(params, buffers, begin, end);
    case Binary.tanhGrad:
      return walk<TanhGrad>(params, buffers, begin, end);
    case Binary.addScaled:
      return walk<AddScaled>(params, buffers, begin, end);
    case Binary.logRatio:
      return walk<LogRatio>(params, buffers, begin, end);
  }
}
