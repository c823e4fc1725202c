// Random cases of the elementwise kernels.
import fc from 'fast-check';
import {
  Binary,
  binary,
  type BinaryParams,
  Cast,
  cast,
  fill,
  fillBool,
  fillInt,
  isComparison,
  rowMajorStrides,
  sizeOf,
  Ternary,
  ternary,
  Unary,
  unary,
  type UnaryParams,
  where,
} from '../../../kernels/index.ts';
import { anySize, caseSource, drawn, exact, flag, floatBetween, type Tolerance } from '../cases.ts';

/** Numeric members of an enumeration. */
const codes = <T extends number>(names: Record<string, string | T>): T[] =>
  Object.values(names).filter((value) => typeof value === 'number');

const exactUnary = new Set([Unary.neg, Unary.abs, Unary.sign, Unary.relu, Unary.clamp, Unary.step, Unary.inside]);
/** Functions that need x > 0. */
const positive = new Set([Unary.log, Unary.log1p, Unary.sqrt, Unary.rsqrt, Unary.powScalar]);

function unaryTolerance({ op }: UnaryParams): Tolerance {
  if (exactUnary.has(op)) return exact;
  return { rtol: 2e-5, atol: 2e-6 };
}

const limits = fc.tuple(floatBetween(-2, 0), floatBetween(0, 2));

const unaryParams: fc.Arbitrary<UnaryParams> = fc
  .tuple(anySize, fc.constantFrom(...codes(Unary)), limits, floatBetween(0.25, 2))
  .map(([n, op, [low, high], scale]) => {
    if (op === Unary.softplus) return { n, op, a: scale, b: 20 };
    if (op === Unary.powScalar) return { n, op, a: Math.fround(low * 2), b: 0 };
    return { n, op, a: low, b: high };
  });

/** Every operation at one size. */
const eachUnary = codes(Unary).map((op): UnaryParams => {
  if (op === Unary.softplus) return { n: 1027, op, a: 1, b: 20 };
  return { n: 1027, op, a: -0.5, b: 0.75 };
});

export const unarySource = caseSource({
  kernel: unary,
  params: unaryParams,
  examples: [
    ...eachUnary,
    ...[-2, -1, 0, 1, 2, 3].map((a) => ({ n: 33, op: Unary.powScalar, a, b: 0 })),
    { n: 0, op: Unary.exp, a: 0, b: 0 },
    { n: 1, op: Unary.exp, a: 0, b: 0 },
    { n: 300_001, op: Unary.affine, a: 2, b: 1 },
  ],
  tolerance: unaryTolerance,
  values: (_name, { op, a }, draws, length) => {
    // A whole power takes negative bases too.
    const needsPositive = op === Unary.powScalar ? !Number.isInteger(a) : positive.has(op);
    if (needsPositive) return drawn(length, () => 0.05 + 4 * draws.uniform());
    return drawn(length, () => (op === Unary.reciprocal || op === Unary.powScalar ? 0.1 : 0) + 3 * draws.normal());
  },
});

/** A shape and, for every operand, the strides of a buffer that is repeated along random axes. */
const broadcast = (operands: number): fc.Arbitrary<{ shape: number[]; strides: number[][] }> =>
  fc
    .array(fc.oneof(fc.integer({ min: 1, max: 6 }), fc.constantFrom(0, 17, 33)), { minLength: 1, maxLength: 6 })
    .filter((shape) => sizeOf(shape) < 20_000)
    .chain((shape) =>
      fc
        .array(fc.array(fc.boolean(), { minLength: shape.length, maxLength: shape.length }), {
          minLength: operands,
          maxLength: operands,
        })
        .map((masks) => ({
          shape,
          strides: masks.map((repeated) => {
            const own = rowMajorStrides(shape.map((size, axis) => (repeated[axis] ? 1 : size)));
            return own.map((stride, axis) => (repeated[axis] ? 0 : stride));
          }),
        })),
    );

const binaryOf = (shape: number[], stridesA: number[], stridesB: number[], op: Binary): BinaryParams => ({
  shape,
  stridesA,
  stridesB,
  rank: shape.length,
  n: sizeOf(shape),
  op,
  alpha: 0.25,
});

export const binarySource = caseSource({
  kernel: binary,
  params: fc
    .tuple(broadcast(2), fc.constantFrom(...codes(Binary)))
    .map(([{ shape, strides }, op]) => binaryOf(shape, strides[0], strides[1], op)),
  examples: [
    ...codes(Binary).map((op) => binaryOf([1027], [1], [1], op)),
    binaryOf([0], [1], [1], Binary.add),
    binaryOf([1], [0], [0], Binary.add),
    binaryOf([1025], [1], [0], Binary.mul),
    binaryOf([1025], [0], [1], Binary.sub),
    binaryOf([3, 1025], [1025, 1], [0, 1], Binary.add),
    binaryOf([2, 65, 33], [65 * 33, 33, 1], [0, 1, 0], Binary.div),
    binaryOf([2, 3, 2, 2, 3, 2, 2, 2], [96, 0, 48, 24, 8, 4, 2, 1], [0, 1, 0, 3, 0, 6, 0, 12], Binary.sub),
  ],
  tolerance: ({ op }) => (isComparison(op) ? exact : { rtol: op === Binary.pow ? 4e-5 : 1e-6, atol: 1e-6 }),
  values: (name, { op }, draws, length) => {
    if (op === Binary.pow) return drawn(length, () => (name === 'a' ? 0.1 + 3 * draws.uniform() : 2 * draws.normal()));
    if (op === Binary.div && name === 'b') return drawn(length, () => 0.5 + draws.uniform());
    if (op === Binary.logRatio) return drawn(length, () => 0.5 + draws.uniform());
    return undefined;
  },
});

export const ternarySource = caseSource({
  kernel: ternary,
  params: fc.record({ n: anySize, op: fc.constantFrom(...codes(Ternary)) }),
  examples: [...codes(Ternary).map((op) => ({ n: 1027, op })), { n: 0, op: Ternary.bce }],
  tolerance: () => ({ rtol: 1e-5, atol: 2e-6 }),
  values(name, { op }, draws, length) {
    // Outputs of the curves, up to 1; weights of both signs.
    const isOutput = name === 'b' && (op === Ternary.sigmoidBackward || op === Ternary.tanhBackward);
    return isOutput ? drawn(length, draws.uniform.bind(draws)) : drawn(length, () => 3 * draws.normal());
  },
});

export const whereSource = caseSource({
  kernel: where,
  params: broadcast(3).map(({ shape, strides: [stridesC, stridesA, stridesB] }) => ({
    shape,
    stridesC,
    stridesA,
    stridesB,
    rank: shape.length,
    n: sizeOf(shape),
  })),
  examples: [
    { shape: [1025], stridesC: [1], stridesA: [1], stridesB: [0], rank: 1, n: 1025 },
    { shape: [1], stridesC: [0], stridesA: [0], stridesB: [0], rank: 1, n: 1 },
  ],
  tolerance: () => exact,
});

export const castSource = caseSource({
  kernel: cast,
  params: fc.record({ n: anySize, kind: fc.constantFrom(...codes(Cast)) }),
  examples: codes(Cast).map((kind) => ({ n: 1027, kind })),
  tolerance: () => exact,
  wordType: (name, { kind }) => {
    if (name === 'x') return kind === Cast.toFloat || kind === Cast.intToBool ? 'int32' : 'float32';
    if (kind === Cast.toFloat) return 'float32';
    return kind === Cast.toInt ? 'int32' : 'bool';
  },
  values: (name, { kind }, draws, length) => {
    if (kind === Cast.toFloat) return drawn(length, () => draws.integer(2 ** 25) - 2 ** 24);
    if (kind === Cast.toInt) return drawn(length, () => 1000 * draws.normal());
    return drawn(length, () => draws.integer(3) - 1);
  },
});

export const fillSource = caseSource({
  kernel: fill,
  params: fc.record({ n: anySize, value: floatBetween(-2, 2) }),
  examples: [
    { n: 1027, value: 0.5 },
    { n: 0, value: 1 },
    { n: 3, value: 0 },
    { n: 3, value: -0 },
    { n: 5, value: NaN },
    // More than one row of workgroups.
    { n: 4_200_001, value: 7 },
  ],
  tolerance: () => exact,
});

export const fillIntSource = caseSource({
  kernel: fillInt,
  params: fc.record({ n: anySize, value: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }) }),
  examples: [-(2 ** 31), -1, 255, 2 ** 31 - 1].map((value) => ({ n: 1027, value })),
  tolerance: () => exact,
});

export const fillBoolSource = caseSource({
  kernel: fillBool,
  params: fc.record({ n: anySize, value: flag }),
  examples: [0, 1].map((value) => ({ n: 1028, value })),
  tolerance: () => exact,
});
