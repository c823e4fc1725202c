// Elementwise functions of two tensors with broadcasting, comparisons and `where`. A plain number may stand for a tensor.
import { binary as binaryKernel, Binary, isComparison, where as whereKernel } from '../../kernels/index.ts';
import { full } from '../creation.ts';
import { elementOf } from '../elements.ts';
import { DTypeError } from '../errors.ts';
import { defineFunction, defineOperation } from '../operation.ts';
import { eachReadsOther, type Read } from '../saved.ts';
import { broadcastShapes, broadcastStrides, mergeAxes, rowMajorStrides, sameShape, sizeOf } from '../shape.ts';
import { anyType, bool, float, number, optional, orNumber, type Signature } from '../signature.ts';
import type { Gradients, VjpContext } from '../tape.ts';
import { Tensor } from '../tensor.ts';
import { sumTo } from './expand.ts';
import { affine, cast, log, neg, powScalar, reciprocal, square, tanh } from './unary.ts';

type Operands = Tensor | number;
type Rule = (context: {
  g: Tensor;
  a: Tensor;
  b: Tensor;
  alpha: number;
  needs: readonly boolean[];
}) => [(() => Tensor | undefined)?, (() => Tensor | undefined)?];

/** `constants` names what the function takes beside the tensors: alpha. */
function define(op: Binary, name: string, reads: readonly Read[], rule?: Rule, constants: Signature = {}) {
  const apply = defineOperation<number>({
    name,
    family: 'binary',
    ...(!rule && { noGradient: 'gives true or false' }),
    infer: ([a, b]) => [
      { shape: broadcastShapes(name, a!.shape, b!.shape), dtype: isComparison(op) ? 'bool' : 'float32' },
    ],
    forward([a, b], [y], alpha) {
      const n = sizeOf(y!.shape);
      if (n === 0) return;
      const { shape, strides } = sameShape(a!.shape, b!.shape)
        ? { shape: [n], strides: [[1], [1]] }
        : mergeAxes(name, y!.shape, broadcastStrides(a!.shape, y!.shape), broadcastStrides(b!.shape, y!.shape));
      const [stridesA, stridesB] = strides as [number[], number[]];
      const params = { shape, stridesA, stridesB, rank: shape.length, n, op, alpha };
      y!.device.launch(binaryKernel, [a!.storage, b!.storage], [y!.storage], params);
    },
    saves: { inputs: reads },
    ...(rule && {
      vjp: ({ gradients, inputs, inputShapes, needs, attrs }: VjpContext<number>): Gradients => {
        const parts = rule({ g: gradients[0]!, a: inputs[0]!, b: inputs[1]!, alpha: attrs, needs });
        return parts.map((part, i) => {
          const gradient = needs[i] ? part?.() : undefined;
          return gradient && sumTo(gradient, inputShapes[i]!);
        });
      },
    }),
  });
  const call = (a: Tensor, b: Tensor, alpha = 0): Tensor => apply([a, b], alpha)[0]!;
  return defineFunction(name, call, { a: float, b: float, ...constants });
}

const addOp = define(Binary.add, 'add', [], ({ g }) => [() => g, () => g]);
const subOp = define(Binary.sub, 'sub', [], ({ g }) => [() => g, () => neg(g)]);
const mulOp = define(Binary.mul, 'mul', eachReadsOther, ({ g, a, b }) => [() => mulOp(g, b), () => mulOp(g, a)]);
const divOp = define(Binary.div, 'div', [{ index: 0, for: [1] }, 1], ({ g, a, b }) => [
  () => divOp(g, b),
  () => neg(mulOp(g, divOp(divOp(a, b), b))),
]);
/** Nothing to the side that loses, half on a tie, and all to both sides where one is NaN. */
const share = (g: Tensor, loses: Tensor, ties: Tensor): Tensor => where(ties, affine(g, 0.5, 0), where(loses, 0, g));
const maximumOp = define(Binary.maximum, 'maximum', [0, 1], ({ g, a, b }) => [
  () => share(g, ltOp(a, b), eqOp(a, b)),
  () => share(g, ltOp(b, a), eqOp(a, b)),
]);
const minimumOp = define(Binary.minimum, 'minimum', [0, 1], ({ g, a, b }) => [
  () => share(g, gtOp(a, b), eqOp(a, b)),
  () => share(g, gtOp(b, a), eqOp(a, b)),
]);
// As in PyTorch the slopes are 0 where they would be 0 times infinity: a^0 is 1 for every a, and 0^b is 0 for every b >= 0.
const powOp = define(Binary.pow, 'pow', [0, 1], ({ g, a, b }) => [
  () => where(eq(b, 0), 0, mulOp(g, mulOp(b, powOp(a, affine(b, 1, -1))))),
  () => {
    const slope = mulOp(g, mulOp(powOp(a, b), log(a)));
    return where(eq(a, 0), where(geOp(b, a), 0, slope), slope);
  },
]);
const eqOp = define(Binary.eq, 'eq', []);
const neOp = define(Binary.ne, 'ne', []);
const ltOp = define(Binary.lt, 'lt', []);
const leOp = define(Binary.le, 'le', []);
const gtOp = define(Binary.gt, 'gt', []);
const geOp = define(Binary.ge, 'ge', []);

/** b <= 0 ? 0 : a, the gradient of relu; linear in a. NaN lets it through, as in PyTorch. */
export const reluGrad = define(Binary.reluGrad, 'reluGrad', [{ index: 1, for: [0] }], ({ g, b }) => [
  () => reluGrad(g, b),
]);
/** b > 0 ? a : alpha a, the gradient of leakyRelu. */
export const leakyReluGrad = define(
  Binary.leakyReluGrad,
  'leakyReluGrad',
  [{ index: 1, for: [0] }],
  ({ g, b, alpha }) => [() => leakyReluGrad(g, b, alpha)],
  { alpha: optional(number) },
);
/** a sigmoid(b) sigmoid(-b), the gradient of sigmoid at input b; its own slope is -sigmoid' tanh(b / 2). */
export const sigmoidGrad = define(Binary.sigmoidGrad, 'sigmoidGrad', [{ index: 0, for: [1] }, 1], ({ g, a, b }) => [
  () => sigmoidGrad(g, b),
  () => neg(sigmoidGrad(mulOp(mulOp(g, a), tanh(affine(b, 0.5, 0))), b)),
]);
/** a (1 - tanh(b)^2), the gradient of tanh at input b. */
export const tanhGrad = define(Binary.tanhGrad, 'tanhGrad', [{ index: 0, for: [1] }, 1], ({ g, a, b }) => [
  () => tanhGrad(g, b),
  () => affine(tanhGrad(mulOp(mulOp(g, a), tanh(b)), b), -2, 0),
]);
/** log(a / b), with all its digits where a and b are neighbours. */
export const logRatio = define(
  Binary.logRatio,
  'logRatio',
  [
    { index: 0, for: [0] },
    { index: 1, for: [1] },
  ],
  ({ g, a, b }) => [() => divOp(g, a), () => neg(divOp(g, b))],
);
/** a + alpha b */
export const addScaled = define(
  Binary.addScaled,
  'addScaled',
  [],
  ({ g, alpha }) => [() => g, () => affine(g, alpha, 0)],
  { alpha: optional(number) },
);

/** A number beside a tensor becomes a scalar tensor on its device. */
const lift = (value: Operands, like: Operands): Tensor =>
  value instanceof Tensor ? value : full([], value, { device: (like as Tensor).device });

/** An operand of arithmetic. */
const operand = orNumber(float);

/** A public function of two operands, of which one at least is a tensor. */
function operator(
  name: string,
  apply: (a: Operands, b: Operands) => Tensor,
  signature: Signature = { a: operand, b: operand },
) {
  const call = (a: Operands, b: Operands): Tensor => {
    if (typeof a !== 'number' || typeof b !== 'number') return apply(a, b);
    throw new DTypeError('neither operand is a tensor', {
      operation: name,
      argument: 'a',
      expected: 'a tensor',
      given: 'number',
      hint: 'Make one with tensor(values, shape)',
    });
  };
  return defineFunction(name, call, signature);
}

/** a + b, broadcasting; either may be a number. */
export const add = operator('add', (a, b) => {
  if (typeof b === 'number') return affine(a as Tensor, 1, b);
  return typeof a === 'number' ? affine(b, 1, a) : addOp(a, b);
});

/** a - b, broadcasting; either may be a number. */
export const sub = operator('sub', (a, b) => {
  if (typeof b === 'number') return affine(a as Tensor, 1, -b);
  return typeof a === 'number' ? affine(b, -1, a) : subOp(a, b);
});

/** a b, broadcasting; either may be a number. */
export const mul = operator('mul', (a, b) => {
  if (typeof b === 'number') return affine(a as Tensor, b, 0);
  if (typeof a === 'number') return affine(b, a, 0);
  return a.isAliasOf(b) ? square(a) : mulOp(a, b);
});

/** a / b, broadcasting; either may be a number. */
export const div = operator('div', (a, b) => {
  if (typeof a === 'number' && a === 1) return reciprocal(b as Tensor);
  return divOp(lift(a, b), lift(b, a));
});

const lifted =
  (apply: (a: Tensor, b: Tensor) => Tensor) =>
  (a: Operands, b: Operands): Tensor =>
    apply(lift(a, b), lift(b, a));

/** Elementwise maximum; on a tie each side gets half of the gradient. NaN wins. */
export const maximum = operator('maximum', lifted(maximumOp));
/** Elementwise minimum; on a tie each side gets half of the gradient. NaN wins. */
export const minimum = operator('minimum', lifted(minimumOp));
/** a ^ b: for a plain number b any a, with the sign of a negative a for whole b; for a tensor b a > 0. */
export const pow = operator('pow', (a, b) =>
  a instanceof Tensor && typeof b === 'number' ? powScalar(a, b) : powOp(lift(a, b), lift(b, a)),
);

const compared = (name: string, apply: (a: Tensor, b: Tensor) => Tensor) =>
  operator(name, (a, b) => apply(cast(lift(a, b), 'float32'), cast(lift(b, a), 'float32')), {
    a: orNumber(anyType),
    b: orNumber(anyType),
  });

/** Comparisons give bool. Whole numbers are compared as float32, exact up to 2^24. */
export const eq = compared('eq', eqOp);
/** a != b */
export const ne = compared('ne', neOp);
/** a < b */
export const lt = compared('lt', ltOp);
/** a <= b */
export const le = compared('le', leOp);
/** a > b */
export const gt = compared('gt', gtOp);
/** a >= b */
export const ge = compared('ge', geOp);

const whereOp = defineOperation({
  name: 'where',
  family: 'binary',
  dtypes: [['bool'], ['float32', 'int32', 'bool']],
  infer: ([c, a, b]) => [{ shape: broadcastShapes('where', a!.shape, b!.shape, c!.shape), dtype: a!.dtype }],
  forward([c, a, b], [y]) {
    const n = sizeOf(y!.shape);
    if (n === 0) return;
    const all = [c!, a!, b!].map((operand) =>
      sameShape(operand.shape, y!.shape) ? rowMajorStrides(y!.shape) : broadcastStrides(operand.shape, y!.shape),
    );
    const { shape, strides } = mergeAxes('where', y!.shape, ...all);
    const [stridesC, stridesA, stridesB] = strides as [number[], number[], number[]];
    const params = { shape, stridesC, stridesA, stridesB, rank: shape.length, n };
    y!.device.launch(whereKernel, [c!.storage, a!.storage, b!.storage], [y!.storage], params);
  },
  saves: { inputs: [0] },
  vjp({ gradients, inputs, inputShapes, needs }) {
    const [g, c] = [gradients[0]!, inputs[0]!];
    const zero = full([], 0, { device: g.device });
    return [
      undefined,
      needs[1] ? sumTo(where(c, g, zero), inputShapes[1]!) : undefined,
      needs[2] ? sumTo(where(c, zero, g), inputShapes[2]!) : undefined,
    ];
  },
});

type Pair = [Tensor, Tensor];

/** a where `condition` (bool), else b; all three broadcast. Both are float32, or neither is. */
export const where = defineFunction(
  'where',
  (condition: Tensor, a: Operands, b: Operands): Tensor => {
    const like = a instanceof Tensor ? a : b instanceof Tensor ? b : undefined;
    // A number takes the type of the tensor beside it.
    const dtype = like?.dtype ?? 'float32';
    const [x, y] = Object.entries({ a, b }).map(([argument, choice]) => {
      if (choice instanceof Tensor) return choice;
      return full([], elementOf(choice, dtype, { operation: 'where', argument }), { device: condition.device, dtype });
    }) as Pair;
    if ((x.dtype === 'float32') !== (y.dtype === 'float32')) {
      throw new DTypeError('the two choices differ in element type', {
        operation: 'where',
        argument: 'b',
        expected: x.dtype,
        given: y.dtype,
        hint: 'Convert one of them with cast(x, dtype)',
      });
    }
    return whereOp([condition, x, y])[0]!;
  },
  { condition: bool, a: orNumber(anyType), b: orNumber(anyType) },
);
