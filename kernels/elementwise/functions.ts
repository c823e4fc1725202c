// The scalar functions of the elementwise kernels in float64, one per code: the definition of each operation.
// NaN and infinities follow IEEE and PyTorch. Each keeps its relative accuracy as far as float64 reaches: no sum below takes
// the difference of nearly equal terms. Leaves out speed: the other devices have their own versions.
import { Binary, mostPlainSlope, Ternary, Unary } from './codes.ts';

/**
 * The error function 2 / sqrt(pi) integral from 0 to x of e^(-t^2) dt, by its series with positive terms only,
 * erf(x) = 2 / sqrt(pi) e^(-x^2) sum over k of 2^k x^(2k+1) / (1 3 5 ... (2k+1)), in which nothing cancels.
 */
export function erf(x: number): number {
  // 1 - erf(6) is below half an ulp of 1; NaN stays NaN.
  if (!(Math.abs(x) < 6)) return Math.sign(x);
  let term = x;
  let sum = 0;
  for (let k = 0; sum + term !== sum; k++) {
    sum += term;
    term *= (2 * x * x) / (2 * k + 3);
  }
  const value = (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
  // Rounding of x^2 leaves an error near 5e-16, which must not lead past the limits.
  return Math.max(-1, Math.min(1, value));
}

/**
 * 1 - erf(x). From 1 on by the continued fraction e^(-x^2) / sqrt(pi) / (x + 1/2 / (x + 1 / (x + 3/2 / (x + ...)))), from its
 * far end; the number of its terms is what 16 digits need.
 */
function erfc(x: number): number {
  if (!(x >= 1)) return 1 - erf(x);
  if (x > 30) return 0;
  let fraction = x;
  for (let k = Math.ceil(200 / (x * x)) + 10; k > 0; k--) fraction = x + k / 2 / fraction;
  return Math.exp(-x * x) / (Math.sqrt(Math.PI) * fraction);
}

/** 1 / (1 + e^-x), for negative x as e^x / (1 + e^x), whose exponential cannot overflow. */
function sigmoid(x: number): number {
  if (!(x < 0)) return 1 / (1 + Math.exp(-x));
  const e = Math.exp(x);
  return e / (1 + e);
}

/** sigmoid(x) sigmoid(-x) */
function sigmoidSlope(x: number): number {
  const e = Math.exp(-Math.abs(x));
  return e / (1 + e) ** 2;
}

/** log(a / b). For neighbours by their difference, which is exact; where the quotient leaves float64, by two logarithms. */
function logRatio(a: number, b: number): number {
  if (!(a > 0 && b > 0)) return Math.log(a) - Math.log(b);
  if (Math.abs(a - b) <= b / 4) return Math.log1p((a - b) / b);
  const quotient = a / b;
  return quotient > 2 ** -1022 && quotient < Infinity ? Math.log(quotient) : Math.log(a) - Math.log(b);
}

/** C's pow, which differs from JavaScript's in that 1^NaN and (-1)^infinity are 1. */
function pow(x: number, y: number): number {
  if (x === 1 || (x === -1 && Math.abs(y) === Infinity)) return 1;
  return Math.pow(x, y);
}

/** The nearest whole number, of two equally near ones the even. The sign of a zero is that of x. */
function roundToEven(x: number): number {
  const below = Math.floor(x);
  const rest = x - below;
  // Whole numbers, infinities and NaN.
  if (!(rest > 0)) return x;
  if (rest === 0.5) return 2 * Math.round(x / 2);
  return Math.round(x);
}

/** f(x) with the constants a and b of the launch. */
type UnaryFunction = (x: number, a: number, b: number) => number;

export const unaryFunctions: Readonly<Record<Unary, UnaryFunction>> = {
  [Unary.neg]: (x) => -x,
  [Unary.exp]: (x) => Math.exp(x),
  [Unary.log]: (x) => Math.log(x),
  [Unary.sqrt]: (x) => Math.sqrt(x),
  [Unary.rsqrt]: (x) => 1 / Math.sqrt(x),
  [Unary.abs]: (x) => Math.abs(x),
  // As in PyTorch the sign of NaN is 0.
  [Unary.sign]: (x) => (x > 0 ? 1 : 0) - (x < 0 ? 1 : 0),
  // Written so that NaN, which compares false, passes through.
  [Unary.relu]: (x) => (x <= 0 ? 0 : x),
  [Unary.silu]: (x) => x * sigmoid(x),
  [Unary.sigmoid]: sigmoid,
  [Unary.tanh]: (x) => Math.tanh(x),
  [Unary.reciprocal]: (x) => 1 / x,
  [Unary.square]: (x) => x * x,
  [Unary.sin]: (x) => Math.sin(x),
  [Unary.cos]: (x) => Math.cos(x),
  [Unary.leakyRelu]: (x, a) => (x > 0 ? x : a * x),
  [Unary.elu]: (x, a) => (x > 0 ? x : a * Math.expm1(x)),
  [Unary.gelu]: (x) => 0.5 * x * erfc(-x / Math.SQRT2),
  // (1 + tanh u) / 2 = sigmoid(2 u)
  [Unary.geluTanh]: (x) => x * sigmoid(Math.sqrt(8 / Math.PI) * (x + 0.044715 * x * x * x)),
  [Unary.softplus]: (x, a, b) => (a * x > b ? x : Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(a * x))) / a),
  [Unary.clamp]: (x, a, b) => Math.min(Math.max(x, a), b),
  [Unary.powScalar]: (x, a) => pow(x, a),
  [Unary.affine]: (x, a, b) => x * a + b,
  [Unary.step]: (x, a) => (x > a ? 1 : 0),
  [Unary.inside]: (x, a, b) => (a <= x && x <= b ? 1 : 0),
  [Unary.erf]: erf,
  [Unary.erfc]: erfc,
  [Unary.log1p]: (x) => Math.log1p(x),
  [Unary.floor]: Math.floor,
  [Unary.ceil]: Math.ceil,
  [Unary.round]: roundToEven,
};

/** f(a, b) with the constant alpha of the launch. Comparisons give 0 or 1. */
type BinaryFunction = (a: number, b: number, alpha: number) => number;

export const binaryFunctions: Readonly<Record<Binary, BinaryFunction>> = {
  [Binary.add]: (a, b) => a + b,
  [Binary.sub]: (a, b) => a - b,
  [Binary.mul]: (a, b) => a * b,
  [Binary.div]: (a, b) => a / b,
  // JavaScript's max and min give NaN if either side is NaN, as PyTorch's do.
  [Binary.maximum]: (a, b) => Math.max(a, b),
  [Binary.minimum]: (a, b) => Math.min(a, b),
  [Binary.pow]: (a, b) => pow(a, b),
  [Binary.eq]: (a, b) => Number(a === b),
  [Binary.ne]: (a, b) => Number(a !== b),
  [Binary.lt]: (a, b) => Number(a < b),
  [Binary.le]: (a, b) => Number(a <= b),
  [Binary.gt]: (a, b) => Number(a > b),
  [Binary.ge]: (a, b) => Number(a >= b),
  [Binary.reluGrad]: (a, b) => (b <= 0 ? 0 : a),
  [Binary.leakyReluGrad]: (a, b, alpha) => (b > 0 ? a : alpha * a),
  [Binary.sigmoidGrad]: (a, b) => a * sigmoidSlope(b),
  // 1 - tanh(b)^2 = 4 sigmoid(2 b) sigmoid(-2 b)
  [Binary.tanhGrad]: (a, b) => a * (4 * sigmoidSlope(2 * b)),
  [Binary.addScaled]: (a, b, alpha) => a + alpha * b,
  [Binary.logRatio]: logRatio,
};

/** log(1 + e^x) */
const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/** f(a, b, c) */
type TernaryFunction = (a: number, b: number, c: number) => number;

export const ternaryFunctions: Readonly<Record<Ternary, TernaryFunction>> = {
  [Ternary.sigmoidBackward]: (g, y, x) => g * (y > mostPlainSlope ? sigmoidSlope(x) : y * (1 - y)),
  [Ternary.tanhBackward]: (g, y, x) =>
    g * (Math.abs(y) > mostPlainSlope ? 4 * sigmoidSlope(2 * x) : (1 - Math.abs(y)) * (1 + Math.abs(y))),
  [Ternary.siluBackward]: (g, _, x) => g * sigmoid(x) * (1 + x * sigmoid(-x)),
  [Ternary.geluBackward]: (g, _, x) =>
    g * (0.5 * erfc(-x / Math.SQRT2) + (x * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI)),
  [Ternary.bce]: (a, b, x) => a * softplus(x) + b * softplus(-x),
  [Ternary.bceSlope]: (a, b, x) => a * sigmoid(x) - b * sigmoid(-x),
};
