// Cases with NaN, infinities and signed zeros, which random data do not have. What is expected is what PyTorch does.
import {
  argReduce,
  ArgReduction,
  binary,
  Binary,
  conv2d,
  maxPool,
  prefixSum,
  reduce,
  Reduction,
  softmax,
  sort,
  ssim,
  ssimBackward,
  Unary,
  unary,
} from '../../kernels/index.ts';
import { exact, type KernelCase, kernelCase, type Tolerance } from './cases.ts';

const values = [NaN, Infinity, -Infinity, 0, -0, 1, -1, 100, -100, 3e38, -3e38];
const loose: Tolerance = { rtol: 2e-5, atol: 2e-6 };

const float = (name: string, content: readonly number[]) => ({ name, dtype: 'float32' as const, values: content });
const int = (name: string, length: number) => ({
  name,
  dtype: 'int32' as const,
  values: new Array<number>(length).fill(-7),
});
const bool = (name: string, length: number) => ({
  name,
  dtype: 'bool' as const,
  values: new Array<number>(length).fill(0),
});
const blank = (name: string, length: number) => float(name, new Array<number>(length).fill(-12345));

/** Functions whose limits at infinity are numbers, infinities or NaN on every device. */
const unaryOps: [Unary, number, number][] = [
  [Unary.neg, 0, 0],
  [Unary.abs, 0, 0],
  [Unary.sign, 0, 0],
  [Unary.relu, 0, 0],
  [Unary.leakyRelu, 0.25, 0],
  [Unary.clamp, -0.5, 2],
  [Unary.clamp, -Infinity, 0.5],
  [Unary.step, 0, 0],
  [Unary.inside, -1, 1],
  [Unary.exp, 0, 0],
  [Unary.log, 0, 0],
  [Unary.sqrt, 0, 0],
  [Unary.reciprocal, 0, 0],
  [Unary.square, 0, 0],
  [Unary.sigmoid, 0, 0],
  [Unary.tanh, 0, 0],
  [Unary.erf, 0, 0],
  [Unary.floor, 0, 0],
  [Unary.ceil, 0, 0],
  [Unary.round, 0, 0],
  [Unary.elu, 1, 0],
  [Unary.softplus, 1, 20],
  [Unary.powScalar, 0, 0],
  [Unary.powScalar, 2, 0],
  [Unary.powScalar, 0.5, 0],
];

const unaryCases = unaryOps.map(([op, a, b]) => {
  const n = values.length;
  return kernelCase(unary, { n, op, a, b }, [float('x', values)], [blank('y', n)], loose, ` ${Unary[op]}`);
});

/** Every value against every other. */
const pairs = values.flatMap((a) => values.map((b) => [a, b]));

const binaryCases = [
  Binary.add,
  Binary.sub,
  Binary.mul,
  Binary.div,
  Binary.maximum,
  Binary.minimum,
  Binary.eq,
  Binary.ne,
  Binary.lt,
  Binary.le,
  Binary.gt,
  Binary.ge,
  Binary.reluGrad,
  Binary.leakyReluGrad,
].map((op) => {
  const n = pairs.length;
  const params = { shape: [n], stridesA: [1], stridesB: [1], rank: 1, n, op, alpha: 0.25 };
  const inputs = [
    float(
      'a',
      pairs.map(([a]) => a),
    ),
    float(
      'b',
      pairs.map(([, b]) => b),
    ),
  ];
  const isFloat = op < Binary.eq || op > Binary.ge;
  return kernelCase(binary, params, inputs, [isFloat ? blank('y', n) : bool('y', n)], loose, ` ${Binary[op]}`);
});

/** Rows of five: NaN at different places, infinities of one and of both signs, ties, and all lowest. */
const rows = [
  [1, NaN, 3, NaN, 2],
  [NaN, 1, 2, 3, 4],
  [1, 2, 3, 4, NaN],
  [1, Infinity, 3, Infinity, 2],
  [1, -Infinity, 3, -Infinity, 2],
  [Infinity, -Infinity, 0, 0, 0],
  [-Infinity, -Infinity, -Infinity, -Infinity, -Infinity],
  [2, 5, 5, 1, 1],
];
const transposed = rows[0].map((_, k) => rows.map((row) => row[k]));

/** The same lines along the last axis and along the first. */
const layouts = [
  { content: rows.flat(), outer: rows.length, n: 5, inner: 1 },
  { content: transposed.flat(), outer: 1, n: 5, inner: rows.length },
];

const lineCases = layouts.flatMap(({ content, ...line }) => [
  ...[Reduction.sum, Reduction.mean, Reduction.max, Reduction.min].map((op) =>
    kernelCase(reduce, { ...line, op }, [float('x', content)], [blank('y', rows.length)], loose),
  ),
  ...[ArgReduction.max, ArgReduction.min].map((op) =>
    kernelCase(argReduce, { ...line, op }, [float('x', content)], [int('y', rows.length)], exact),
  ),
  ...[0, 1].map((log) =>
    kernelCase(softmax, { ...line, log }, [float('x', content)], [blank('y', content.length)], loose),
  ),
  ...[0, 1].flatMap((backwards) => [
    kernelCase(prefixSum, { ...line, reverse: backwards }, [float('x', content)], [blank('y', content.length)], loose),
    kernelCase(
      sort,
      { ...line, descending: backwards },
      [float('x', content)],
      [blank('values', content.length), int('indices', content.length)],
      exact,
    ),
  ]),
]);

const side = { kernelH: 3, kernelW: 3, strideH: 1, strideW: 1, padH: 1, padW: 1, dilationH: 1, dilationW: 1 };
const square = { inH: 5, inW: 5, outH: 5, outW: 5, ...side };

/** One NaN, one infinity of each sign; no window holds two NaN. */
const image = Array.from({ length: 25 }, (_, i) => ({ 0: NaN, 4: Infinity, 22: -Infinity })[i] ?? Math.sin(i));

const imageCases = [image, new Array<number>(25).fill(-Infinity)].flatMap((content) => [
  kernelCase(
    maxPool,
    { planes: 1, ...square, countPadding: 0 },
    [float('x', content)],
    [blank('y', 25), int('indices', 25)],
    exact,
  ),
  kernelCase(
    conv2d,
    { batch: 1, inChannels: 1, outChannels: 1, ...square, groups: 1, bias: 0 },
    [float('x', content), float('w', [1, 2, 3, 4, 5, 6, 7, 8, 9])],
    [blank('y', 25)],
    loose,
  ),
]);

/** A pixel that is not finite spoils the windows that hold it and no other, also where it would be the centre (3, 3). */
const ssimCases = [0, 24, 27].flatMap((at) =>
  [NaN, Infinity].flatMap((value) => {
    const params = { planes: 1, inH: 7, inW: 7, outH: 7, outW: 7, windowH: 3, windowW: 3, padH: 1, padW: 1 };
    const p = { ...params, c1: 1e-4, c2: 9e-4 };
    const x = Array.from({ length: 49 }, (_, i) => (i === at ? value : 0.5 + 0.4 * Math.sin(i)));
    const y = Array.from({ length: 49 }, (_, i) => 0.5 + 0.4 * Math.cos(i));
    const inputs = [float('x', x), float('y', y), float('window', [0.25, 0.5, 0.25, 0.25, 0.5, 0.25])];
    const note = ` ${value} at ${at}`;
    const outputs = [blank('gx', 49), blank('gy', 49)];
    return [
      kernelCase(ssim, p, inputs, [blank('map', 49)], { rtol: 1e-4, atol: 1e-5 }, note),
      kernelCase(ssimBackward, p, [...inputs, float('g', y)], outputs, { rtol: 1e-4, atol: 1e-3 }, note),
    ];
  }),
);

export const specialCases: readonly KernelCase[] = [
  ...unaryCases,
  ...binaryCases,
  ...lineCases,
  ...imageCases,
  ...ssimCases,
];
