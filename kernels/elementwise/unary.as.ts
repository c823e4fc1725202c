// y[i] = f(x[i]) for the WASM device: one small class per code, and one loop that is compiled for each of them.
// Bound by memory for the plain functions and by arithmetic from exp on.
import {
  erf4,
  erfc4,
  exp4,
  expm1,
  gelu4,
  geluTanh4,
  log1p4,
  log4,
  relu4,
  sigmoid4,
  silu4,
  softplus4,
} from '../shared/math.as';
import { tanh4 } from '../shared/math.as';
import { pow4, sinShifted4 } from '../shared/math64.as';
import { loadPart, storePart } from '../shared/simd.as';
import { Unary } from './codes';
import { UnaryParams } from './params.as';

@inline
function splat(x: f32): v128 {
  return f32x4.splat(x);
}

@unmanaged
class Neg {
  @inline
  apply(x: v128, a: v128, b: v128): v128 {
    return f32x4.neg(x);
  }
}

@unmanaged
class Exp {
  @inline
  apply(x: v128, a: v128, b: v128): v128 {
    return exp4(x);
  }
}

@unmanaged
class Log {
  @inline
  apply(x: v128, a: v128, b: v128): v128 {
    return log4(x);
  }
}

@unmanaged
class Sqrt {
  @inline
  apply(x: v128, a: v128, b: v128): v128 {
    return f32x4.sqrt(x);
  }
}

@unmanaged
class Rsqrt {
  @inline
  apply(x: v128, a: v128, b: v128): v128 {
    return f32x4.div(splat(1), f32x4.sqrt(x));
  }
}

@unmanaged
class Abs {
  @inline
  apply(x: v128, a: v128, b: v128): v128 {
    return f32x4.abs(x);
  }
}

/** Both comparisons are false for NaN, whose sign is 0 as in PyTorch. */
@unmanaged
class Sign {
  @inline
  apply(x: v128, a: v128, b: v128): v128 {
    const isPositive = v128.and(f32x4.gt(x, splat(0)), splat(1));
    return f32x4.sub(isPositive, v128.and(f32x4.lt(x, splat(0)), splat(1)));
  }
}

@unmanaged
class Relu {
  @inline
  apply(x: v128, a: v128, b: v128): v128 {
    return relu4(x);
  }
}

@unmanaged
class Silu {
  @inline
  apply(x: v128, a: v128, b: v128): v128 {
    return silu4(x);
  }
}

@unmanaged
class Sigmoid {
  @inline
  apply(x: v128, a: v128, b: v128): v128 {
    return sigmoid4(x);
  }
}

@unmanaged
class Tanh {
  @inline
  apply(x: v128, a: v128, b: v128): v128 {
    return tanh4(x);
  }
}

@unmanaged
class Reciprocal {
  @inline
  apply(x: v128, a: v128, b: v128): v128 {
    return f32x4.div(splat(1), x);
  }
}

@unmanaged
class Square {
  @inline
  apply(x: v128, a: v128, b: v128): v128 {
    return f32x4.mul(x, x);
  }
}

@unmanaged
class Sin {
  @inline
  apply(x: v128, a: v128, b: v128): v128 {
    return sinShifted4(x, 0);
  }
}

@unmanaged
class Cos {
  @inline
  apply(x: v128, a: v128, b: v128): v128 {
    return sinShifted4(x, 1);
  }
}

@unmanaged
class LeakyRelu {
  @inline
  apply(x: v128, a: v128, b: v128): v128 {
    return v128.bitselect(x, f32x4.mul(a, x), f32x4.gt(x, splat(0)));
  }
}

@unmanaged
class Elu {
  @inline
  apply(x: v128, a: v128, b: v128): v128 {
    return v128.bitselect(x, f32x4.mul(a, expm1(x)), f32x4.gt(x, splat(0)));
  }
}

@unmanaged
class Gelu {
  @inline
  apply(x: v128, a: v128, b: v128): v128 {
    return gelu4(x);
  }
}

@unmanaged
class GeluTanh {
  @inline
  apply(x: v128, a: v128, b: v128): v128 {
    return geluTanh4(x);
  }
}

@unmanaged
class Softplus {
  @inline
  apply(x: v128, a: v128, b: v128): v128 {
    const scaled = f32x4.mul(a, x);
    return v128.bitselect(x, f32x4.div(softplus4(scaled), a), f32x4.gt(scaled, b));
  }
}

@unmanaged
class Clamp {
  @inline
  apply(x: v128, a: v128, b: v128): v128 {
    return f32x4.min(f32x4.max(x, a), b);
  }
}

@unmanaged
class PowScalar {
  @inline
  apply(x: v128, a: v128, b: v128): v128 {
    return pow4(x, a);
  }
}

@unmanaged
class Affine {
  @inline
  apply(x: v128, a: v128, b: v128): v128 {
    return f32x4.add(f32x4.mul(x, a), b);
  }
}

@unmanaged
class Step {
  @inline
  apply(x: v128, a: v128, b: v128): v128 {
    return v128.and(f32x4.gt(x, a), splat(1));
  }
}

@unmanaged
class Inside {
  @inline
  apply(x: v128, a: v128, b: v128): v128 {
    return v128.and(v128.and(f32x4.le(a, x), f32x4.le(x, b)), splat(1));
  }
}

@unmanaged
class Erf {
  @inline
  apply(x: v128, a: v128, b: v128): v128 {
    return erf4(x);
  }
}

@unmanaged
class Erfc {
  @inline
  apply(x: v128, a: v128, b: v128): v128 {
    return erfc4(x);
  }
}

@unmanaged
class Log1p {
  @inline
  apply(x: v128, a: v128, b: v128): v128 {
    return log1p4(x);
  }
}

@unmanaged
class Floor {
  @inline
  apply(x: v128, a: v128, b: v128): v128 {
    return f32x4.floor(x);
  }
}

@unmanaged
class Ceil {
  @inline
  apply(x: v128, a: v128, b: v128): v128 {
    return f32x4.ceil(x);
  }
}

@unmanaged
class Round {
  @inline
  apply(x: v128, a: v128, b: v128): v128 {
    return f32x4.nearest(x);
  }
}

/** y = f(x) for `n` elements. */
function map<F>(x: usize, y: usize, n: i32, a: v128, b: v128): void {
  const f = changetype<F>(0);
  let rest = n;
  if (rest >= 4) {
    do {
      v128.store(y, f.apply(v128.load(x), a, b));
      x += 16;
      y += 16;
      rest -= 4;
    } while (rest >= 4);
  }
  if (rest > 0) storePart(y, f.apply(loadPart(x, rest), a, b), rest);
}

/** Tasks are elements. */
export function unary(params: UnaryParams, buffers: usize, begin: i32, end: i32): void {
  const a = params.a4;
  const b = params.b4;
  const offset = (<usize>begin) << 2;
  const x = <usize>load<u32>(buffers) + offset;
  const y = <usize>load<u32>(buffers, 4) + offset;
  const n = end - begin;
  switch (params.op) {
    case Unary.neg:
      return map<Neg>(x, y, n, a, b);
    case Unary.exp:
      return map<Exp>(x, y, n, a, b);
    case Unary.log:
      return map<Log>(x, y, n, a, b);
    case Unary.sqrt:
      return map<Sqrt>(x, y, n, a, b);
    case Unary.rsqrt:
      return map<Rsqrt>(x, y, n, a, b);
    case Unary.abs:
      return map<Abs>(x, y, n, a, b);
    case Unary.sign:
      return map<Sign>(x, y, n, a, b);
    case Unary.relu:
      return map<Relu>(x, y, n, a, b);
    case Unary.silu:
      return map<Silu>(x, y, n, a, b);
    case Unary.sigmoid:
      return map<Sigmoid>(x, y, n, a, b);
    case Unary.tanh:
      return map<Tanh>(x, y, n, a, b);
    case Unary.reciprocal:
      return map<Reciprocal>(x, y, n, a, b);
    case Unary.square:
      return map<Square>(x, y, n, a, b);
    case Unary.sin:
      return map<Sin>(x, y, n, a, b);
    case Unary.cos:
      return map<Cos>(x, y, n, a, b);
    case Unary.leakyRelu:
      return map<LeakyRelu>(x, y, n, a, b);
    case Unary.elu:
      return map<Elu>(x, y, n, a, b);
    case Unary.gelu:
      return map<Gelu>(x, y, n, a, b);
    case Unary.geluTanh:
      return map<GeluTanh>(x, y, n, a, b);
    case Unary.softplus:
      return map<Softplus>(x, y, n, a, b);
    case Unary.clamp:
      return map<Clamp>(x, y, n, a, b);
    case Unary.powScalar:
      return map<PowScalar>(x, y, n, a, b);
    case Unary.affine:
      return map<Affine>(x, y, n, a, b);
    case Unary.step:
      return map<Step>(x, y, n, a, b);
    case Unary.inside:
      return map<Inside>(x, y, n, a, b);
    case Unary.erf:
      return map<Erf>(x, y, n, a, b);
    case Unary.erfc:
      return map<Erfc>(x, y, n, a, b);
    case Unary.log1p:
      return map<Log1p>(x, y, n, a, b);
    case Unary.floor:
      return map<Floor>(x, y, n, a, b);
    case Unary.ceil:
      return map<Ceil>(x, y, n, a, b);
    case Unary.round:
      return map<Round>(x, y, n, a, b);
  }
}
