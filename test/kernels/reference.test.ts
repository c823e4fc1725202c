// The reference kernels against values computed by hand, closed forms and published tables. Whatever agrees with the
// reference inherits these.
import t, { type Test } from 'tap';
import { createReferenceDevice } from '../../engine/devices/reference/reference.ts';
import {
  adaptiveAveragePool,
  adaptiveMaxPool,
  argReduce,
  ArgReduction,
  averagePool,
  batchNormApply,
  batchNormBackward,
  batchNormStatistics,
  binary,
  Binary,
  Cast,
  cast,
  conv2d,
  conv2dInputGradient,
  conv2dWeightGradient,
  copy,
  fill,
  fillInt,
  gather,
  invalidWord,
  type Kernel,
  matmul,
  NOTHING_OUTSIDE,
  maxPool,
  type ParamValues,
  reduce,
  Reduction,
  resize,
  resizeBackward,
  ResizeMode,
  scatter,
  scatterAdd,
  softmax,
  Unary,
  where,
} from '../../kernels/index.ts';
import { erf, unaryFunctions } from '../../kernels/elementwise/functions.ts';
import { launch } from './adjoint.ts';

const device = createReferenceDevice();

/** Output values of a launch as plain arrays. */
async function outputsOf<P extends ParamValues>(
  kernel: Kernel<P>,
  params: P,
  ...inputs: number[][]
): Promise<number[][]> {
  return (await launch(device, kernel, params, inputs)).map((values) => [...values]);
}

/** Asserts that two lists agree to `tolerance`, relative above 1. */
function close(t: Test, actual: readonly number[], expected: readonly number[], tolerance = 1e-14, name = ''): void {
  t.equal(actual.length, expected.length, `${name} length`);
  const wrong = expected.findIndex((e, i) => !(Math.abs(actual[i] - e) <= tolerance * Math.max(1, Math.abs(e))));
  t.equal(wrong, -1, `${name}: ${actual.join(' ')} is ${expected.join(' ')}`);
}

t.test('erf and the functions built on it', (t) => {
  // Abramowitz and Stegun, table 7.1, and further digits from the series in exact arithmetic.
  const table: [number, number][] = [
    [0, 0],
    [0.5, 0.5204998778130465],
    [1, 0.8427007929497149],
    [2, 0.9953222650189527],
    [3, 0.9999779095030014],
    [5, 0.9999999999984626],
    [7, 1],
    [Infinity, 1],
  ];
  close(
    t,
    table.map(([x]) => erf(x)),
    table.map(([, y]) => y),
    1e-15,
    'erf',
  );
  close(
    t,
    table.map(([x]) => erf(-x)),
    table.map(([, y]) => -y),
    1e-15,
    'erf of negatives',
  );
  t.ok(Number.isNaN(erf(NaN)), 'erf(NaN)');
  // Phi(1) and Phi(-1) of the normal distribution.
  close(
    t,
    [1, -1].map((x) => unaryFunctions[Unary.gelu](x, 0, 0)),
    [0.8413447460685429, -0.15865525393145707],
    1e-15,
  );
  t.end();
});

t.test('unary functions at chosen points', (t) => {
  const f = (op: Unary, x: number, a = 0, b = 0) => unaryFunctions[op](x, a, b);
  t.equal(f(Unary.relu, -2), 0);
  t.ok(Number.isNaN(f(Unary.relu, NaN)), 'relu(NaN)');
  t.equal(f(Unary.leakyRelu, -2, 0.25), -0.5);
  t.equal(f(Unary.clamp, 7, -1, 3), 3);
  t.equal(f(Unary.clamp, -7, -Infinity, 3), -7);
  t.equal(f(Unary.inside, 3, -1, 3), 1, 'limits are inside');
  t.equal(f(Unary.step, 0, 0), 0);
  t.equal(f(Unary.powScalar, -2, 3), -8);
  t.equal(f(Unary.powScalar, NaN, 0), 1);
  t.equal(f(Unary.powScalar, 1, NaN), 1);
  t.equal(f(Unary.affine, 3, 2, 1), 7);
  t.equal(f(Unary.sign, NaN), 0);
  close(t, [f(Unary.sigmoid, Math.log(3)), f(Unary.silu, Math.log(3))], [0.75, 0.75 * Math.log(3)]);
  close(t, [f(Unary.softplus, 0, 2, 20), f(Unary.softplus, 30, 1, 20)], [Math.LN2 / 2, 30]);
  close(t, [f(Unary.elu, -Math.LN2, 3), f(Unary.tanh, Math.log(2))], [-1.5, 0.6]);
  t.end();
});

t.test('binary broadcasts by strides of 0', async (t) => {
  const shape = [2, 3];
  const params = { shape, stridesA: [1, 0], stridesB: [0, 1], rank: 2, n: 6, alpha: 10 };
  const run = (op: Binary) => outputsOf(binary, { ...params, op }, [1, 2], [3, 4, 5]);
  t.same(await run(Binary.sub), [[-2, -3, -4, -1, -2, -3]]);
  t.same(await run(Binary.addScaled), [[31, 41, 51, 32, 42, 52]]);
  t.same(await run(Binary.pow), [[1, 1, 1, 8, 16, 32]]);
});

t.test('where, cast and fill', async (t) => {
  const chosen = device.allocate(2, 'bool');
  device.write(chosen, [1, 0]);
  const [a, b, y] = [0, 1, 2].map(() => device.allocate(2, 'float32'));
  device.write(a, [1, 2]);
  device.write(b, [3, NaN]);
  const strides = { stridesC: [1], stridesA: [1], stridesB: [1] };
  device.launch(where, [chosen, a, b], [y], { shape: [2], ...strides, rank: 1, n: 2 });
  t.same([...(await device.read(y))], [1, NaN]);

  const x = device.allocate(5, 'float32');
  const whole = device.allocate(5, 'int32');
  device.write(x, [1.9, -1.9, NaN, 1e20, -1e20]);
  device.launch(cast, [x], [whole], { n: 5, kind: Cast.toInt });
  t.same([...(await device.read(whole))], [1, -1, 0, 2147483647, -2147483648]);
  device.launch(fill, [], [x], { n: 5, value: 2.5 });
  t.same([...(await device.read(x))], [2.5, 2.5, 2.5, 2.5, 2.5]);
  t.throws(() => device.launch(fill, [], [whole], { n: 5, value: 2.5 }), /wrong element type/);
  device.launch(fillInt, [], [whole], { n: 5, value: -7 });
  t.same([...(await device.read(whole))], [-7, -7, -7, -7, -7]);
});

t.test('reductions over the middle axis', async (t) => {
  const line = { outer: 2, n: 3, inner: 2 };
  const x = [1, 2, 3, 4, 5, 7, -1, 0, -4, 0, 3, NaN];
  t.same(await outputsOf(reduce, { ...line, op: Reduction.sum }, x), [[9, 13, -2, NaN]]);
  t.same(await outputsOf(reduce, { ...line, op: Reduction.max }, x), [[5, 7, 3, NaN]]);
  t.same(await outputsOf(argReduce, { ...line, op: ArgReduction.max }, x), [[2, 2, 2, 2]]);
  t.same(await outputsOf(argReduce, { ...line, op: ArgReduction.min }, x), [[0, 0, 1, 2]]);
  const empty = { outer: 1, n: 0, inner: 2 };
  t.same(await outputsOf(reduce, { ...empty, op: Reduction.sum }, []), [[0, 0]]);
  t.same(await outputsOf(reduce, { ...empty, op: Reduction.mean }, []), [[NaN, NaN]]);
});

t.test('softmax does not overflow', async (t) => {
  const line = { outer: 1, n: 3, inner: 1 };
  const x = [1000, 1000 + Math.LN2, -Infinity];
  close(t, (await outputsOf(softmax, { ...line, log: 0 }, x))[0], [1 / 3, 2 / 3, 0], 1e-13);
  close(t, (await outputsOf(softmax, { ...line, log: 1 }, x))[0].slice(0, 2), [-Math.log(3), Math.log(2 / 3)], 1e-13);
});

t.test('copy transposes, flips, and writes a part', async (t) => {
  const x = [1, 2, 3, 4, 5, 6];
  const base = { rank: 2, n: 6, inOffset: 0, outOffset: 0, inSize: 6, outSize: 6 };
  const transpose = { ...base, shape: [3, 2], inStrides: [1, 3], outStrides: [2, 1] };
  t.same(await outputsOf(copy, transpose, x), [[1, 4, 2, 5, 3, 6]]);
  const flip = {
    ...base,
    shape: [6],
    inStrides: [-1],
    outStrides: [1],
    rank: 1,
    inOffset: 5,
    outOffset: 1,
    outSize: 8,
  };
  t.same(await outputsOf(copy, flip, x), [[0, 6, 5, 4, 3, 2, 1, 0]]);
});

t.test('gather and its opposites', async (t) => {
  const p = { outer: 1, size: 3, count: 4, inner: 1, outside: NOTHING_OUTSIDE };
  const index = [2, 0, 2, 3];
  t.same(await outputsOf(gather, p, [5, 6, 7], index), [[7, 5, 7, 0]]);
  t.same(await outputsOf(scatterAdd, p, [1, 2, 4, 8], index), [[2, 0, 5]]);
  t.same(await outputsOf(scatter, p, [1, 2, 4, 8], index), [[2, 0, 4]]);
  const fromEnd = [-1, -3, 2, -4];
  t.same(await outputsOf(gather, p, [5, 6, 7], fromEnd), [[7, 5, 7, 0]]);
  t.same(await outputsOf(scatterAdd, p, [1, 2, 4, 8], fromEnd), [[2, 0, 5]]);
  t.same(await outputsOf(scatter, p, [1, 2, 4, 8], fromEnd), [[2, 0, 4]]);
  const marked = { ...p, outside: invalidWord('float32') };
  t.same(await outputsOf(gather, marked, [5, 6, 7], fromEnd), [[7, 5, 7, NaN]]);
  t.same(await outputsOf(scatterAdd, marked, [1, 2, 4, 8], fromEnd), [[NaN, NaN, NaN]]);
});

t.test('matmul', async (t) => {
  const p = { batch: 1, m: 2, n: 2, k: 3, transposeA: 0, transposeB: 0, batchedA: 1, batchedB: 1, bias: 0 };
  const a = [1, 2, 3, 4, 5, 6];
  const b = [7, 8, 9, 10, 11, 12];
  t.same(await outputsOf(matmul, p, a, b), [[58, 64, 139, 154]]);
  t.same(await outputsOf(matmul, { ...p, transposeA: 1 }, [1, 4, 2, 5, 3, 6], b), [[58, 64, 139, 154]]);
  t.same(await outputsOf(matmul, { ...p, transposeB: 1, bias: 1 }, a, [7, 9, 11, 8, 10, 12], [1, -1]), [
    [59, 63, 140, 153],
  ]);
  t.same(await outputsOf(matmul, { ...p, batch: 2, batchedB: 0 }, [...a, ...a.map((x) => -x)], b), [
    [58, 64, 139, 154, -58, -64, -139, -154],
  ]);
});

const plane = { inH: 3, inW: 3, kernelH: 2, kernelW: 2, strideH: 1, strideW: 1, padH: 0, padW: 0 };
const nine = [1, 2, 3, 4, 5, 6, 7, 8, 9];

t.test('conv2d is a cross-correlation', async (t) => {
  const p = { batch: 1, inChannels: 1, outChannels: 1, ...plane, outH: 2, outW: 2, dilationH: 1, dilationW: 1 };
  const w = [1, 10, 100, 1000];
  t.same(await outputsOf(conv2d, { ...p, groups: 1, bias: 1 }, nine, w, [0.5]), [[5421.5, 6532.5, 8754.5, 9865.5]]);
  const one = [1, 0, 0, 0];
  t.same(await outputsOf(conv2dInputGradient, { ...p, groups: 1, bias: 0 }, one, w), [
    [1, 10, 0, 100, 1000, 0, 0, 0, 0],
  ]);
  t.same(await outputsOf(conv2dWeightGradient, { ...p, groups: 1, bias: 0 }, nine, one), [[1, 2, 4, 5]]);
});

t.test('conv2d with stride, padding, dilation and groups', async (t) => {
  const p = {
    batch: 1,
    inChannels: 2,
    outChannels: 2,
    ...plane,
    outH: 2,
    outW: 1,
    dilationH: 2,
    dilationW: 1,
    groups: 2,
  };
  // Rows p - 1 and p + 1, columns 2 q - 1 and 2 q: the left tap of the only column is padding.
  const params = { ...p, strideW: 2, padH: 1, padW: 1, bias: 0 };
  const y = await outputsOf(conv2d, params, [...nine, ...nine.map((x) => 10 * x)], [1, 2, 3, 4, 1, 1, 1, 1]);
  t.same(y, [[4 * 4, 2 * 1 + 4 * 7, 40, 10 + 70]]);
});

t.test('pooling', async (t) => {
  const p = { planes: 1, ...plane, outH: 2, outW: 2, dilationH: 1, dilationW: 1, countPadding: 0 };
  t.same(await outputsOf(maxPool, p, [1, 5, 5, 4, 5, 0, -1, NaN, 2]), [
    [5, 5, NaN, NaN],
    [1, 1, 7, 7],
  ]);
  t.same(await outputsOf(averagePool, p, nine), [[3, 4, 6, 7]]);
  const padded = { ...p, strideH: 2, strideW: 2, padH: 1, padW: 1 };
  t.same(await outputsOf(averagePool, padded, nine), [[1, 2.5, 5.5, 7]]);
  t.same(await outputsOf(averagePool, { ...padded, countPadding: 1 }, nine), [[0.25, 1.25, 2.75, 7]]);
  t.same(
    await outputsOf(
      maxPool,
      padded,
      nine.map((x) => -x),
    ),
    [
      [-1, -2, -4, -5],
      [0, 1, 3, 4],
    ],
  );
});

t.test('adaptive pooling covers the plane with windows that may overlap', async (t) => {
  const p = { planes: 1, inH: 1, inW: 5, outH: 1, outW: 3 };
  // Columns 0-1, 1-3, 3-4.
  t.same(await outputsOf(adaptiveAveragePool, p, [1, 3, 4, 8, 2]), [[2, 5, 5]]);
  t.same(await outputsOf(adaptiveMaxPool, p, [1, 3, 4, 8, 2]), [
    [3, 8, 8],
    [1, 3, 3],
  ]);
});

t.test('resize', async (t) => {
  const p = {
    planes: 1,
    inH: 1,
    inW: 2,
    outH: 1,
    outW: 4,
    mode: ResizeMode.nearest,
    alignCorners: 0,
    scaleH: 1,
    scaleW: 0.5,
  };
  t.same(await outputsOf(resize, p, [1, 5]), [[1, 1, 5, 5]]);
  const bilinear = { ...p, mode: ResizeMode.bilinear };
  t.same(await outputsOf(resize, bilinear, [1, 5]), [[1, 2, 4, 5]]);
  const aligned = { ...bilinear, alignCorners: 1, scaleH: 0, scaleW: Math.fround(1 / 3) };
  close(t, (await outputsOf(resize, aligned, [1, 4]))[0], [1, 2, 3, 4], 1e-7);
  t.same(await outputsOf(resizeBackward, bilinear, [1, 0, 0, 8]), [[1, 8]]);
  t.same(await outputsOf(resizeBackward, bilinear, [0, 4, 0, 0]), [[3, 1]]);
});

t.test('batch norm gives mean 0 and variance 1, and its gradient is orthogonal to both', async (t) => {
  const p = { batch: 2, channels: 1, spatial: 3, eps: 0, relu: 0 };
  const x = [1e6 + 1, 1e6 + 2, 1e6 + 3, 1e6 + 4, 1e6 + 5, 1e6 + 9];
  const [[mean], [variance], [inverse]] = await outputsOf(batchNormStatistics, p, x);
  close(t, [mean, variance, inverse], [1e6 + 4, 40 / 6, Math.sqrt(6 / 40)], 1e-14, 'statistics');
  const [h] = await outputsOf(batchNormApply, p, x, [mean], [inverse], [1], [0]);
  const total = (values: number[]) => values.reduce((sum, value) => sum + value, 0);
  close(t, [total(h), total(h.map((value) => value * value))], [0, 6], 1e-13, 'normalised');
  const g = [1, -2, 0.5, 3, 0, 1];
  const [gx, gw, gb] = await outputsOf(batchNormBackward, p, x, g, [mean], [inverse], [2]);
  close(t, [total(gx), total(gx.map((value, i) => value * h[i]))], [0, 0], 1e-13, 'gradient');
  close(t, [...gw, ...gb], [total(g.map((value, i) => value * h[i])), 3.5], 1e-13, 'affine gradients');
});
