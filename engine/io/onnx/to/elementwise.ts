// Elementwise operations as nodes.
import type { DType } from '../../../../kernels/index.ts';
import type { Call, Translate } from './call.ts';

interface Constants {
  a: number;
  b: number;
}

const plain =
  (op: string): Translate =>
  (c) =>
    c.out(
      c.node(
        op,
        Array.from({ length: c.count }, (_, i) => c.in(i)),
      ),
    );

/** A function of one input x with the constants a and b. */
const of =
  (make: (c: Call, x: string, constants: Constants) => string): Translate =>
  (c) =>
    c.out(make(c, c.in(), c.attrs<Constants>()));

function affine(c: Call, x: string, scale: number, offset: number): string {
  if (scale === -1 && offset === 0) return c.node('Neg', [x]);
  if (scale === -1) return c.node('Sub', [c.floats(offset), x]);
  const scaled = scale === 1 ? x : c.node('Mul', [x, c.floats(scale)]);
  if (offset === 0) return scaled === x ? c.node('Identity', [x]) : scaled;
  return c.node('Add', [scaled, c.floats(offset)]);
}

/** x sigmoid(2 sqrt(2 / pi) (x + 0.044715 x^3)), which is gelu's approximation by tanh. */
function geluTanh(c: Call, x: string): string {
  if (c.opset >= 20) return c.node('Gelu', [x], { approximate: 'tanh' });
  const inner = affine(c, c.node('Mul', [x, x]), 0.044715, 1);
  const z = affine(c, c.node('Mul', [x, inner]), Math.sqrt(8 / Math.PI), 0);
  return c.node('Mul', [x, c.node('Sigmoid', [z])]);
}

function gelu(c: Call, x: string): string {
  if (c.opset >= 20) return c.node('Gelu', [x]);
  const distribution = affine(c, c.node('Erf', [affine(c, x, Math.SQRT1_2, 0)]), 0.5, 0.5);
  return c.node('Mul', [x, distribution]);
}

/** From here on log(1 + e^x) is x in float32. */
const LINEAR_FROM = 17;

function softplus(c: Call, x: string, { a: beta, b: threshold }: Constants): string {
  const scaled = beta === 1 ? x : affine(c, x, beta, 0);
  const curve = c.node('Softplus', [scaled]);
  const y = beta === 1 ? curve : affine(c, curve, 1 / beta, 0);
  return threshold >= LINEAR_FROM ? y : c.node('Where', [c.node('Greater', [scaled, c.floats(threshold)]), x, y]);
}

function clamp(c: Call, x: string, { a, b }: Constants): string {
  const min = a === -Infinity ? '' : c.floats(a);
  if (b !== Infinity) return c.node('Clip', [x, min, c.floats(b)]);
  return min === '' ? c.node('Identity', [x]) : c.node('Clip', [x, min]);
}

/** True or false as 1 or 0. */
const indicator = (c: Call, condition: string): string => c.cast(condition, 'float32');

export const elementwise: Readonly<Record<string, Translate>> = {
  neg: plain('Neg'),
  exp: plain('Exp'),
  log: plain('Log'),
  sqrt: plain('Sqrt'),
  abs: plain('Abs'),
  sign: plain('Sign'),
  relu: plain('Relu'),
  sigmoid: plain('Sigmoid'),
  tanh: plain('Tanh'),
  reciprocal: plain('Reciprocal'),
  sin: plain('Sin'),
  cos: plain('Cos'),
  erf: plain('Erf'),
  floor: plain('Floor'),
  ceil: plain('Ceil'),
  round: plain('Round'),
  affine: of((c, x, { a, b }) => affine(c, x, a, b)),
  square: of((c, x) => c.node('Mul', [x, x])),
  rsqrt: of((c, x) => c.node('Reciprocal', [c.node('Sqrt', [x])])),
  silu: of((c, x) => c.node('Mul', [x, c.node('Sigmoid', [x])])),
  erfc: of((c, x) => affine(c, c.node('Erf', [x]), -1, 1)),
  log1p: of((c, x) => c.node('Log', [affine(c, x, 1, 1)])),
  step: of((c, x, { a }) => indicator(c, c.node('Greater', [x, c.floats(a)]))),
  inside: of((c, x, { a, b }) => {
    const bounds = [c.node('GreaterOrEqual', [x, c.floats(a)]), c.node('LessOrEqual', [x, c.floats(b)])];
    return indicator(c, c.node('And', bounds));
  }),
  leakyRelu: of((c, x, { a }) => c.node('LeakyRelu', [x], { alpha: { float: a } })),
  elu: of((c, x, { a }) => c.node('Elu', [x], { alpha: { float: a } })),
  gelu: of(gelu),
  geluTanh: of(geluTanh),
  softplus: of(softplus),
  clamp: of(clamp),
  powScalar: of((c, x, { a }) => c.node('Pow', [x, c.floats(a)])),
  cast: (c) => c.out(c.cast(c.in(), c.attrs<DType>())),

  add: plain('Add'),
  sub: plain('Sub'),
  mul: plain('Mul'),
  div: plain('Div'),
  maximum: plain('Max'),
  minimum: plain('Min'),
  pow: plain('Pow'),
  eq: plain('Equal'),
  ne: (c) => c.out(c.node('Not', [c.node('Equal', [c.in(0), c.in(1)])])),
  lt: plain('Less'),
  le: plain('LessOrEqual'),
  gt: plain('Greater'),
  ge: plain('GreaterOrEqual'),
  where: plain('Where'),
  logRatio: (c) => c.out(c.node('Log', [c.node('Div', [c.in(0), c.in(1)])])),
  addScaled: (c) => c.out(c.node('Add', [c.in(0), affine(c, c.in(1), c.attrs<number>(), 0)])),
};
