// Elementwise functions of one tensor: y = f(x), each with its derivative beside it.
import {
  Cast,
  cast as castKernel,
  type DType,
  Ternary,
  ternary,
  unary as unaryKernel,
  Unary,
} from '../../kernels/index.ts';
import { numberWithin, oneOf } from '../checks.ts';
import { ConfigError } from '../errors.ts';
import { defineFunction, defineOperation } from '../operation.ts';
import { sizeOf } from '../shape.ts';
import { anyType, float, type HostParameter, number, optional, orNull, requiredOptions, text } from '../signature.ts';
import type { VjpContext } from '../tape.ts';
import type { Tensor } from '../tensor.ts';
import { add, leakyReluGrad, mul, reluGrad, sigmoidGrad, tanhGrad } from './binary.ts';

interface Constants {
  a: number;
  b: number;
}

/** The derivative as a function of gradient, x and y; it declares which of x and y it reads. */
interface Rule {
  reads: 'x' | 'y' | 'neither';
  /** Why there is none. */
  noGradient?: string;
  vjp?: (gradient: Tensor, value: Tensor, constants: Constants) => Tensor | undefined;
  /** The derivative by y, with fewer digits, for where x has been changed in place since. */
  fromY?: (gradient: Tensor, y: Tensor) => Tensor;
  /** The derivative by one kernel, where it is not differentiated again. */
  fused?: Ternary;
}

/** The gradient g of a curve with output y at x. */
const activationBackward = defineOperation<Ternary>({
  name: 'activationBackward',
  family: 'unary',
  noGradient: 'gradients of gradients of activations are made of other operations',
  arguments: ['g', 'y', 'x'],
  infer: ([g]) => [{ shape: g!.shape, dtype: 'float32' }],
  forward(inputs, [gx], op) {
    const n = gx!.size;
    const storages = inputs.map((t) => t.storage);
    if (n > 0) gx!.device.launch(ternary, storages, [gx!.storage], { n, op });
  },
});

/** `constants` names what the function takes beside the tensor: a, then b. */
function define(
  op: Unary,
  name: string,
  rule: Rule,
  constants: Readonly<Record<string, HostParameter>> = {},
): (x: Tensor, a?: number, b?: number) => Tensor {
  const { reads, vjp, fromY, fused, noGradient } = rule;
  const apply = defineOperation<Constants>({
    name,
    family: 'unary',
    ...(noGradient && { noGradient }),
    infer: ([x]) => [{ shape: x!.shape, dtype: 'float32' }],
    forward([x], [y], { a, b }) {
      const n = sizeOf(x!.shape);
      if (n > 0) x!.device.launch(unaryKernel, [x!.storage], [y!.storage], { n, op, a, b });
    },
    saves: {
      ...(reads === 'x' && { inputs: [0] }),
      ...((reads === 'y' || fromY) && { outputs: [0] }),
      ...(fromY && { either: true }),
    },
    ...(vjp && {
      vjp({ gradients: [g], inputs: [x], outputs: [y], attrs, createGraph }: VjpContext<Constants>) {
        if (fromY && !x) return [fromY(g!, y!)];
        const isFused = fused !== undefined && !createGraph && (y !== undefined || !fromY);
        if (isFused) return activationBackward([g, y ?? x, x], fused);
        return [vjp(g!, (reads === 'y' ? y : x)!, attrs)];
      },
    }),
  });
  const call = (x: Tensor, a = 0, b = 0): Tensor => apply([x], { a, b })[0]!;
  return defineFunction(name, call, { x: float, ...constants });
}

/** scale * x + offset */
export const affine = define(
  Unary.affine,
  'affine',
  { reads: 'neither', vjp: (g, _, { a }) => (a === 1 ? g : affine(g, a, 0)) },
  { scale: number, offset: optional(number) },
);
const scaled = (x: Tensor, factor: number): Tensor => affine(x, factor, 0);

/** -x */
export const neg = define(Unary.neg, 'neg', { reads: 'neither', vjp: (g) => neg(g) });
/** e^x */
export const exp = define(Unary.exp, 'exp', { reads: 'y', vjp: (g, y) => mul(g, y) });
/** Natural logarithm. */
export const log = define(Unary.log, 'log', { reads: 'x', vjp: (g, x) => mul(g, reciprocal(x)) });
/** Square root; NaN below 0. */
export const sqrt = define(Unary.sqrt, 'sqrt', { reads: 'y', vjp: (g, y) => mul(g, scaled(reciprocal(y), 0.5)) });
/** 1 / sqrt(x) */
export const rsqrt = define(Unary.rsqrt, 'rsqrt', {
  reads: 'y',
  vjp: (g, y) => mul(g, scaled(mul(square(y), y), -0.5)),
});
/** |x|; gradient 0 at 0. */
export const abs = define(Unary.abs, 'abs', { reads: 'x', vjp: (g, x) => mul(g, sign(x)) });
/** -1, 0 or 1; its gradient is 0 everywhere. */
export const sign = define(Unary.sign, 'sign', { reads: 'neither', vjp: () => undefined });
/** max(x, 0); gradient 0 at 0. */
export const relu = define(Unary.relu, 'relu', { reads: 'y', vjp: (g, y) => reluGrad(g, y) });
// The slopes of sigmoid and tanh are functions of x: in 1 - y nothing is left of large x, for which alone the kernel looks at it. By
// y they are what torch computes, which lets an optimiser change x before backward.
/** 1 / (1 + e^-x) */
export const sigmoid = define(Unary.sigmoid, 'sigmoid', {
  reads: 'x',
  vjp: (g, x) => sigmoidGrad(g, x),
  fused: Ternary.sigmoidBackward,
  fromY: (g, y) => mul(g, mul(y, affine(y, -1, 1))),
});
/** x sigmoid(x) */
export const silu = define(Unary.silu, 'silu', {
  reads: 'x',
  vjp: (g, x) => mul(g, add(sigmoid(x), sigmoidGrad(x, x))),
  fused: Ternary.siluBackward,
});
/** Hyperbolic tangent. */
export const tanh = define(Unary.tanh, 'tanh', {
  reads: 'x',
  vjp: (g, x) => tanhGrad(g, x),
  fused: Ternary.tanhBackward,
  fromY: (g, y) => mul(g, affine(square(y), -1, 1)),
});
/** 1 / x */
export const reciprocal = define(Unary.reciprocal, 'reciprocal', {
  reads: 'y',
  vjp: (g, y) => neg(mul(g, square(y))),
});
/** x^2 */
export const square = define(Unary.square, 'square', { reads: 'x', vjp: (g, x) => mul(g, scaled(x, 2)) });
/** Sine of radians. */
export const sin = define(Unary.sin, 'sin', { reads: 'x', vjp: (g, x) => mul(g, cos(x)) });
/** Cosine of radians. */
export const cos = define(Unary.cos, 'cos', { reads: 'x', vjp: (g, x) => neg(mul(g, sin(x))) });
/** The error function. */
export const erf = define(Unary.erf, 'erf', {
  reads: 'x',
  vjp: (g, x) => mul(g, scaled(exp(neg(square(x))), 2 / Math.sqrt(Math.PI))),
});
/** 1 - erf(x), with all its digits where erf(x) is near 1. */
export const erfc = define(Unary.erfc, 'erfc', {
  reads: 'x',
  vjp: (g, x) => mul(g, scaled(exp(neg(square(x))), -2 / Math.sqrt(Math.PI))),
});
/** log(1 + x), with all its digits for small x. */
export const log1p = define(Unary.log1p, 'log1p', { reads: 'x', vjp: (g, x) => mul(g, reciprocal(affine(x, 1, 1))) });
/** The largest whole number that is not above x; its gradient is 0 everywhere. */
export const floor = define(Unary.floor, 'floor', { reads: 'neither', vjp: () => undefined });
/** The smallest whole number that is not below x; its gradient is 0 everywhere. */
export const ceil = define(Unary.ceil, 'ceil', { reads: 'neither', vjp: () => undefined });
/** The nearest whole number, the even one of two; its gradient is 0 everywhere. */
export const round = define(Unary.round, 'round', { reads: 'neither', vjp: () => undefined });
const flat = 'piecewise constant';
const limits = { a: number, b: optional(number) };
/** 1 where x > a, else 0. */
const step = define(Unary.step, 'step', { reads: 'neither', noGradient: flat }, limits);
/** 1 where a <= x <= b, else 0. */
const inside = define(Unary.inside, 'inside', { reads: 'neither', noGradient: flat }, limits);

const leakyReluOp = define(Unary.leakyRelu, 'leakyRelu', {
  reads: 'x',
  vjp: (g, x, { a }) => leakyReluGrad(g, x, a),
});
/** x for x > 0, else negativeSlope * x. */
export const leakyRelu = defineFunction(
  'leakyRelu',
  (x: Tensor, negativeSlope = 0.01): Tensor =>
    leakyReluOp(x, numberWithin('leakyRelu', 'negativeSlope', negativeSlope)),
  { x: float, negativeSlope: optional(number) },
);

const eluOp = define(Unary.elu, 'elu', {
  reads: 'x',
  vjp: (g, x, { a }) => {
    const positive = step(x, 0);
    const slope = scaled(exp(clamp(x, { max: 0 })), a);
    return mul(g, add(positive, mul(affine(positive, -1, 1), slope)));
  },
});
/** x for x > 0, else alpha (e^x - 1). */
export const elu = defineFunction(
  'elu',
  (x: Tensor, alpha = 1): Tensor => eluOp(x, numberWithin('elu', 'alpha', alpha)),
  { x: float, alpha: optional(number) },
);

const geluOp = define(Unary.gelu, 'gelu', {
  reads: 'x',
  vjp: (g, x) => {
    const distribution = scaled(erfc(scaled(x, -Math.SQRT1_2)), 0.5);
    const density = scaled(exp(scaled(square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
    return mul(g, add(distribution, mul(x, density)));
  },
  fused: Ternary.geluBackward,
});
const geluTanhOp = define(Unary.geluTanh, 'geluTanh', {
  reads: 'x',
  // x sigmoid(z). Beyond the limits sigmoid is 0 or 1 and its slope 0, while the powers of x grow.
  vjp: (g, x) => {
    const k = Math.sqrt(8 / Math.PI);
    const near = clamp(x, { min: -100, max: 100 });
    const squared = square(near);
    const z = mul(scaled(near, k), affine(squared, 0.044715, 1));
    const slope = affine(squared, 3 * 0.044715 * k, k);
    return mul(g, add(sigmoid(z), sigmoidGrad(mul(near, slope), z)));
  },
});
/** x Phi(x), exactly or by the tanh approximation. */
export const gelu = defineFunction(
  'gelu',
  (x: Tensor, approximate: 'none' | 'tanh' = 'none'): Tensor => {
    oneOf('gelu', 'approximate', approximate, ['none', 'tanh']);
    return approximate === 'tanh' ? geluTanhOp(x) : geluOp(x);
  },
  { x: float, approximate: optional(text) },
);

const softplusOp = define(Unary.softplus, 'softplus', {
  reads: 'x',
  vjp: (g, x, { a, b }) => {
    const slope = sigmoid(a === 1 ? x : scaled(x, a));
    if (b === Infinity) return mul(g, slope);
    const linear = step(x, b / a);
    return mul(g, add(linear, mul(affine(linear, -1, 1), slope)));
  },
});
/** log(1 + e^(beta x)) / beta, and x itself where beta x > threshold. */
export const softplus = defineFunction(
  'softplus',
  (x: Tensor, beta = 1, threshold = 20): Tensor =>
    softplusOp(x, numberWithin('softplus', 'beta', beta, { above: 0 }), threshold),
  { x: float, beta: optional(number), threshold: optional(number) },
);

const clampOp = define(Unary.clamp, 'clamp', { reads: 'x', vjp: (g, x, { a, b }) => mul(g, inside(x, a, b)) });
/** Limits of `clamp`; null or nothing for none. */
export interface ClampLimits {
  min?: number | null;
  max?: number | null;
}

/** Limits to [min, max]; the gradient is 1 inside and on the limits. */
export const clamp = defineFunction(
  'clamp',
  (x: Tensor, limits: ClampLimits): Tensor => {
    const [min, max] = [limits.min ?? -Infinity, limits.max ?? Infinity];
    for (const [argument, limit] of Object.entries({ min, max })) {
      if (typeof limit === 'number' && !Number.isNaN(limit)) continue;
      throw new ConfigError('not a limit', {
        operation: 'clamp',
        argument,
        expected: 'a number',
        given: String(limit),
      });
    }
    return clampOp(x, min, max);
  },
  { x: float, limits: requiredOptions<ClampLimits>({ min: orNull(number), max: orNull(number) }) },
);

const powScalarOp = define(Unary.powScalar, 'powScalar', {
  reads: 'x',
  vjp: (g, x, { a }) => (a === 0 ? undefined : mul(g, scaled(powScalar(x, a - 1), a))),
});
/** x ^ exponent, which may be infinite or NaN. Half is the square root, as in PyTorch: (-infinity)^0.5 is NaN. */
export const powScalar = defineFunction(
  'powScalar',
  (x: Tensor, exponent: number): Tensor => (exponent === 0.5 ? sqrt(x) : powScalarOp(x, exponent)),
  { x: float, exponent: number },
);

const castOp = defineOperation<DType>({
  name: 'cast',
  family: 'unary',
  noGradient: 'changes the element type; the result is off the tape',
  dtypes: [['float32', 'int32', 'bool']],
  infer: ([x], dtype) => [{ shape: x!.shape, dtype }],
  forward([x], [y], dtype) {
    const kind = castKind(x!.dtype, dtype);
    const n = sizeOf(x!.shape);
    if (n > 0) x!.device.launch(castKernel, [x!.storage], [y!.storage], { n, kind });
  },
});

function castKind(from: DType, to: DType): Cast {
  if (to === 'float32') return Cast.toFloat;
  if (from === 'float32') return to === 'int32' ? Cast.toInt : Cast.floatToBool;
  return Cast.intToBool;
}

const relabel = defineOperation<DType>({
  name: 'relabel',
  family: 'unary',
  noGradient: 'bool read as int32',
  dtypes: [['bool']],
  infer: ([x], dtype) => [{ shape: x!.shape, dtype }],
});

/** The values as another type; the result is off the tape (a float32 tensor cast to float32 is itself). */
export const cast = defineFunction(
  'cast',
  (x: Tensor, dtype: DType): Tensor => {
    if (x.dtype === dtype) return x;
    oneOf('cast', 'dtype', dtype, anyType.dtypes);
    return x.dtype === 'bool' && dtype === 'int32' ? relabel([x], dtype)[0]! : castOp([x], dtype)[0]!;
  },
  { x: anyType, dtype: text },
);
