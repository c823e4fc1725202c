// Operation codes shared by TypeScript, AssemblyScript and WGSL (which gets them as constants before the module).
// The order is part of the parameter block's meaning: append, never reorder.

export enum Unary {
  neg = 0,
  exp = 1,
  log = 2,
  sqrt = 3,
  rsqrt = 4,
  abs = 5,
  sign = 6,
  relu = 7,
  silu = 8,
  sigmoid = 9,
  tanh = 10,
  reciprocal = 11,
  square = 12,
  sin = 13,
  cos = 14,
  /** x > 0 ? x : a x */
  leakyRelu = 15,
  /** x > 0 ? x : a (e^x - 1) */
  elu = 16,
  /** x Phi(x) with the exact error function */
  gelu = 17,
  /** the tanh approximation of gelu */
  geluTanh = 18,
  /** log(1 + e^(a x)) / a, and x itself where a x > b */
  softplus = 19,
  /** min(max(x, a), b); a limit that is absent is an infinity */
  clamp = 20,
  /** x^a, with the sign of negative bases for whole a as in C's pow */
  powScalar = 21,
  /** x * a + b */
  affine = 22,
  /** x > a ? 1 : 0, as float32 */
  step = 23,
  /** a <= x && x <= b ? 1 : 0, as float32 */
  inside = 24,
  /** the error function */
  erf = 25,
  /** 1 - erf(x) */
  erfc = 26,
  /** log(1 + x) */
  log1p = 27,
  floor = 28,
  ceil = 29,
  /** to the nearest whole number, halves to the even one */
  round = 30,
}

export enum Binary {
  add = 0,
  sub = 1,
  mul = 2,
  div = 3,
  maximum = 4,
  minimum = 5,
  /** a^b for a > 0 */
  pow = 6,
  eq = 7,
  ne = 8,
  lt = 9,
  le = 10,
  gt = 11,
  ge = 12,
  /** b <= 0 ? 0 : a, the gradient a of relu where its input or output is b; a where that is NaN */
  reluGrad = 13,
  /** b > 0 ? a : alpha a */
  leakyReluGrad = 14,
  /** a sigmoid(b) sigmoid(-b): the gradient a of sigmoid where its input is b */
  sigmoidGrad = 15,
  /** a (1 - tanh(b)^2): the gradient a of tanh where its input is b */
  tanhGrad = 16,
  /** a + alpha b */
  addScaled = 17,
  /** log(a / b) */
  logRatio = 18,
}

export enum Ternary {
  /** a times the slope of sigmoid with output b and input c: b (1 - b), or by c where 1 - b has lost digits */
  sigmoidBackward = 0,
  /** a times the slope of tanh with output b and input c: 1 - b^2, or by c where that has lost digits */
  tanhBackward = 1,
  /** a times the slope of silu at c */
  siluBackward = 2,
  /** a times the slope of gelu at c, with the exact error function */
  geluBackward = 3,
  /** a log(1 + e^c) + b log(1 + e^-c) */
  bce = 4,
  /** a sigmoid(c) - b sigmoid(-c) */
  bceSlope = 5,
}

/** Of an output y of sigmoid or tanh up to this 1 - y keeps its digits: where y is off by a bit, it is off by 2^-18 of itself. */
export const mostPlainSlope = 0.984375;

/** Codes of comparisons, whose output is `bool`. */
export const isComparison = (op: Binary): boolean => op >= Binary.eq && op <= Binary.ge;

/** Conversions: which way a word is re-read. */
export enum Cast {
  /** int32 or bool to float32 */
  toFloat = 0,
  /** float32 to int32, truncating toward zero */
  toInt = 1,
  /** float32 to bool: x != 0 (NaN is true) */
  floatToBool = 2,
  /** int32 to bool: x != 0 */
  intToBool = 3,
}
