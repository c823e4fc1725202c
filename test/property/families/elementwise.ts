// Elementwise operations: functions of one tensor, and of two or three that broadcast along random axes.
import fc from 'fast-check';
import * as w from '../../../engine/index.ts';
import { sizeOf } from '../../../engine/shape.ts';
import { addScaled } from '../../../engine/ops/binary.ts';
import { powScalar } from '../../../engine/ops/unary.ts';
import { family, type Family, type PropertyCase, type PropertyInput, roundingsOf } from '../property.ts';
import { shapes, subsetOf } from '../sizes.ts';

type Unary = (x: w.Tensor) => w.Tensor;

interface UnaryRule {
  readonly f: Unary;
  readonly values?: 'positive';
  /** S of the gradient beyond |g| + |g f'(x)|, where f' is a difference of numbers that grow with x. */
  readonly slope?: Unary;
}

/** x^2, which the slopes of silu and gelu subtract from 1. */
const quadratic: Unary = (x) => w.square(x);

const unaryRules: Readonly<Record<string, UnaryRule>> = {
  neg: { f: w.neg },
  abs: { f: w.abs },
  square: { f: w.square },
  exp: { f: w.exp },
  log: { f: w.log, values: 'positive' },
  sqrt: { f: w.sqrt, values: 'positive' },
  rsqrt: { f: w.rsqrt, values: 'positive' },
  reciprocal: { f: w.reciprocal, values: 'positive' },
  sin: { f: w.sin },
  cos: { f: w.cos },
  erf: { f: w.erf },
  erfc: { f: w.erfc },
  relu: { f: w.relu },
  leakyRelu: { f: (x) => w.leakyRelu(x, 0.2) },
  elu: { f: (x) => w.elu(x, 1.3) },
  silu: { f: w.silu, slope: quadratic },
  sigmoid: { f: w.sigmoid },
  tanh: { f: w.tanh },
  gelu: { f: (x) => w.gelu(x), slope: quadratic },
  geluTanh: { f: (x) => w.gelu(x, 'tanh'), slope: (x) => powScalar(x, 4) },
  softplus: { f: (x) => w.softplus(x, 1.5) },
  clamp: { f: (x) => w.clamp(x, { min: -0.5, max: 0.75 }) },
  powScalar: { f: (x) => powScalar(x, 2.5), values: 'positive' },
  cube: { f: (x) => powScalar(x, 3) },
  affine: { f: (x) => w.affine(x, -1.5, 0.25) },
};

const unary = family(
  'unary',
  fc.record({ name: fc.constantFrom(...Object.keys(unaryRules)), shape: shapes({ min: 0, max: 4 }) }),
  ({ name, shape }) => {
    const { f, values, slope } = unaryRules[name]!;
    return {
      inputs: [{ shape, ...(values && { values }) }],
      f: f as PropertyCase['f'],
      roundings: roundingsOf(16),
      // Functions near 1, such as cos, are as precise as 1 is.
      magnitude: ({ inputs: [x], outputs: [y], cotangents: [g], gradients: [gx] }) => [
        w.abs(y!).add(1),
        w.abs(gx!).add(w.mul(g!, slope ? slope(x!).add(1) : 1)),
      ],
    };
  },
  Object.keys(unaryRules).map((name) => ({ name, shape: [3, 43] })),
);

const stepRules: Readonly<Record<string, Unary>> = { floor: w.floor, ceil: w.ceil, round: w.round, sign: w.sign };

/** Steps are exact, and flat: quarters have whole numbers, halves to round, and both signs among them. */
const steps = family(
  'steps',
  fc.record({ name: fc.constantFrom(...Object.keys(stepRules)), shape: shapes({ min: 0, max: 4 }) }),
  ({ name, shape }) => ({
    inputs: [{ shape, values: Array.from({ length: sizeOf(shape) }, (_, i) => (((7 * i) % 41) - 20) / 4) }],
    f: (x) => stepRules[name]!(x!),
    roundings: 0,
    magnitude: 'cotangents',
  }),
  Object.keys(stepRules).map((name) => ({ name, shape: [3, 43] })),
);

type Binary = (a: w.Tensor, b: w.Tensor) => w.Tensor;

interface BinaryRule extends Pick<PropertyCase, 'magnitude'> {
  readonly f: Binary;
  readonly absolute?: Binary;
  readonly values?: readonly [PropertyInput['values'], PropertyInput['values']];
  readonly linear?: readonly (readonly number[])[];
}

const binaryRules: Readonly<Record<string, BinaryRule>> = {
  add: { f: w.add, linear: [[0, 1]] },
  sub: { f: w.sub, absolute: w.add, linear: [[0, 1]] },
  mul: { f: w.mul, linear: [[0], [1]] },
  div: { f: w.div, values: ['normal', 'positive'], linear: [[0]] },
  // Of bases above 1 all logarithms are positive.
  pow: { f: w.pow, values: ['aboveOne', 'normal'] },
  maximum: { f: w.maximum, values: ['whole', 'whole'], magnitude: 'cotangents' },
  minimum: { f: w.minimum, values: ['whole', 'whole'], magnitude: 'cotangents' },
  addScaled: { f: (a, b) => addScaled(a, b, 0.75), linear: [[0, 1]] },
  eq: { f: w.eq, values: ['whole', 'whole'] },
  ne: { f: w.ne, values: ['whole', 'whole'] },
  lt: { f: w.lt, values: ['whole', 'whole'] },
  le: { f: w.le, values: ['whole', 'whole'] },
  gt: { f: w.gt, values: ['whole', 'whole'] },
  ge: { f: w.ge, values: ['whole', 'whole'] },
};

/** `shape` with ones on some axes, and its first axes left out if those are ones. */
function repeated(shape: readonly number[], isRepeated: readonly boolean[], dropped: boolean): number[] {
  const kept = shape.map((n, axis) => (isRepeated[axis] ? 1 : n));
  const first = kept.findIndex((n) => n !== 1);
  return dropped ? kept.slice(first < 0 ? kept.length : first) : kept;
}

/** A shape and what is left of it for each of several operands. */
const broadcasts = (operands: number) =>
  shapes({ min: 0, max: 5 }, 3000).chain((shape) =>
    fc
      .array(fc.tuple(subsetOf(shape), fc.boolean()), { minLength: operands, maxLength: operands })
      .map((choices) => choices.map(([isRepeated, dropped]) => repeated(shape, isRepeated, dropped))),
  );

const binary = family(
  'binary',
  fc.record({ name: fc.constantFrom(...Object.keys(binaryRules)), operands: broadcasts(2) }),
  ({ name, operands: [a, b] }) => {
    const { f, values = [], ...rest } = binaryRules[name]!;
    const input = (shape: readonly number[], k: number): PropertyInput => ({
      shape,
      ...(values[k] && { values: values[k] }),
    });
    return {
      ...rest,
      inputs: [input(a!, 0), input(b!, 1)],
      f: f as PropertyCase['f'],
      absolute: rest.absolute as PropertyCase['f'],
      roundings: roundingsOf(Math.max(sizeOf(a!), sizeOf(b!), 64)),
    };
  },
  Object.keys(binaryRules).flatMap((name) => [
    {
      name,
      operands: [
        [5, 1, 33],
        [7, 1],
      ],
    },
    {
      name,
      operands: [
        [3, 64],
        [3, 64],
      ],
    },
  ]),
);

const where = family(
  'where',
  broadcasts(3),
  ([condition, a, b]) => ({
    inputs: [
      { shape: condition!, values: 'bool' },
      { shape: a!, values: 'whole' },
      { shape: b!, values: 'whole' },
    ],
    f: (c, x, y) => w.where(c!, x!, y!),
    roundings: 0,
    linear: [[1, 2]],
  }),
  [[[65], [1], [3, 65]]],
);

export const elementwise: readonly Family[] = [unary, steps, binary, where];
