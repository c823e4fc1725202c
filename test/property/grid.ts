// Launches whose grid is longer than one dimension takes: 65,535 workgroups, so that every kernel's shader has to unfold it
// (kernels/shared/webgpu-grid.ts). Sizes are the least that get there, with one workgroup or one element more than fits, and run
// on the wasm device for comparison: float64 loops over millions of elements would take minutes. The other plans and entry
// points of each kernel are folded at small sizes in test/devices/folded.test.ts.
import * as k from '../../kernels/index.ts';
import { exact, type KernelCase, kernelCase, type Tolerance } from '../kernels/cases.ts';

/** One past the limit. */
const MANY = 65_537;
/** One element past the limit for workgroups of 256 threads; not a multiple of 4, so that none takes four. */
const ELEMENTS = 2 ** 24 + 1;
/** The same for workgroups of 64. */
const QUARTER = 2 ** 22 + 1;

export interface GridCase {
  readonly tested: KernelCase;
  readonly kernel: string;
  readonly params: k.ParamValues;
  /** The plan to run; undefined for the one that is chosen. */
  readonly plan: string | undefined;
  /** Whether an adapter without eight lanes takes minutes, with every plan there is. */
  readonly needsLanes: boolean;
}

/** How far apart the contents of two operands start in the same list of numbers. */
const SHIFT = 1021;

/** Numbers from -1 to 1 without a period that a grid could share, drawn once for all cases. */
const numbers = (() => {
  const values = new Float32Array(ELEMENTS + 10_000_000 + 8 * SHIFT);
  for (let i = 0, word = 12345; i < values.length; i++) {
    word = (Math.imul(word, 1664525) + 1013904223) | 0;
    values[i] = word / 2 ** 31;
  }
  return values;
})();

type Draw = (length: number, operand: number) => ArrayLike<number>;

const floats = (length: number, operand = 0): Float32Array =>
  numbers.subarray(operand * SHIFT, operand * SHIFT + length);

const indices = (length: number, below: number): Int32Array =>
  Int32Array.from(floats(length), (value) => Math.min(below - 1, Math.floor(((value + 1) / 2) * below)));

/** Roundings of a few products and sums of numbers below 1. */
const rounded: Tolerance = { rtol: 1e-6, atol: 1e-6 };
/** Of tens of them. */
const summed: Tolerance = { rtol: 1e-5, atol: 1e-5 };

interface Choice {
  plan?: string;
  needsLanes?: boolean;
  tolerance?: Tolerance;
  /** Contents other than numbers between -1 and 1. */
  values?: Record<string, Draw>;
}

function grid<P extends k.ParamValues>(kernel: k.Kernel<P>, params: P, choice: Choice = {}): () => GridCase {
  return () => {
    const content = ({ name, dtype, shape }: k.Operand, operand: number) => {
      const length = k.sizeOf(shape);
      const type = dtype === 'word' ? ('float32' as const) : dtype;
      const draw: Draw = choice.values?.[name] ?? (type === 'float32' ? floats : (n) => indices(n, 2));
      return { name, dtype: type, values: draw(length, operand) };
    };
    const outputs = kernel.outputs(params).map((operand, i) => {
      if (operand.inPlace) return content(operand, 5 + i);
      return {
        ...content({ ...operand, shape: [0] }, 0),
        values: new Float32Array(k.sizeOf(operand.shape)).fill(-12345),
      };
    });
    const tested = kernelCase(kernel, params, kernel.inputs(params).map(content), outputs, choice.tolerance ?? rounded);
    return { tested, kernel: kernel.name, params, plan: choice.plan, needsLanes: choice.needsLanes ?? false };
  };
}

const flat = { shape: [ELEMENTS], rank: 1, n: ELEMENTS };
const run = {
  ...flat,
  inStrides: [1],
  outStrides: [1],
  inOffset: 0,
  outOffset: 0,
  inSize: ELEMENTS,
  outSize: ELEMENTS,
};
const side = 4099;
const matrix = { shape: [side, side], rank: 2, n: side * side };

const elementwise = [
  grid(k.unary, { n: ELEMENTS, op: k.Unary.affine, a: 2, b: 1 }),
  grid(k.binary, { ...flat, stridesA: [1], stridesB: [1], op: k.Binary.sub, alpha: 0 }),
  grid(k.binary, { ...matrix, stridesA: [side, 1], stridesB: [1, 0], op: k.Binary.mul, alpha: 0 }),
  grid(
    k.ternary,
    { n: ELEMENTS, op: k.Ternary.sigmoidBackward },
    { values: { a: (n) => floats(n).map(Math.abs) }, tolerance: summed },
  ),
  grid(k.where, { ...flat, stridesC: [1], stridesA: [1], stridesB: [0] }, { tolerance: exact }),
  grid(k.cast, { n: ELEMENTS, kind: k.Cast.floatToBool }, { tolerance: exact }),
  grid(k.fills.float32, { n: ELEMENTS, value: 0.5 }, { tolerance: exact }),
  grid(k.fills.int32, { n: ELEMENTS, value: -7 }, { tolerance: exact }),
  grid(k.fills.bool, { n: ELEMENTS, value: 1 }, { tolerance: exact }),
];

const movement = [
  grid(k.copy, { ...run, inStrides: [-1], inOffset: ELEMENTS - 1 }, { tolerance: exact }),
  grid(
    k.copy,
    { ...run, ...matrix, inStrides: [1, side], outStrides: [side, 1], inSize: matrix.n, outSize: matrix.n },
    { tolerance: exact },
  ),
  grid(
    k.gather,
    { outer: 1, size: 300, count: ELEMENTS, inner: 1, outside: k.NOTHING_OUTSIDE },
    { tolerance: exact, values: { index: (n) => indices(n, 300) } },
  ),
  grid(
    k.scatter,
    { outer: 2 ** 21 + 1, size: 2, count: 2, inner: 1, outside: k.NOTHING_OUTSIDE },
    { tolerance: exact },
  ),
  grid(k.scatterAdd, { outer: 2 ** 21 + 1, size: 2, count: 3, inner: 1, outside: k.NOTHING_OUTSIDE }),
];

/** Rows of `n` numbers that are positive and add up to 1. */
const shares =
  (n: number): Draw =>
  (length) => {
    if (n === 1) return new Float32Array(length).fill(1);
    const values = floats(length).map((value) => 1.5 + value);
    for (let row = 0; row < length; row += n) {
      const line = values.subarray(row, row + n);
      const total = line.reduce((sum, value) => sum + value, 0);
      line.forEach((value, i) => (line[i] = value / total));
    }
    return values;
  };

const lines = { outer: MANY, n: 65, inner: 1 };
const shortLines = { outer: QUARTER, n: 1, inner: 4 };
const longLine = { outer: 1, n: ELEMENTS, inner: 1 };

const reductions = [
  ...[lines, shortLines].flatMap((at) => {
    const plan = at === lines ? 'perWorkgroup' : 'perThread';
    return [
      grid(k.reduce, { ...at, op: k.Reduction.sum }, { plan, tolerance: summed }),
      grid(k.argReduce, { ...at, op: k.ArgReduction.max }, { plan }),
      grid(k.softmax, { ...at, log: 0 }, { plan }),
      grid(k.softmaxBackward, { ...at, log: 0 }, { plan, values: { y: shares(at.n) }, tolerance: summed }),
    ];
  }),
];

const product = { batch: 1, m: 1, n: 1, k: 3, transposeA: 0, transposeB: 0, batchedA: 1, batchedB: 1, bias: 0 };
const products = [
  grid(k.matmul, { ...product, m: 2 ** 21 + 1, n: 2, batchedA: 0, batchedB: 0 }, { plan: 'direct' }),
  grid(k.matmul, { ...product, batch: MANY, m: 4, n: 9 }, { plan: 'lanes' }),
  grid(k.matmul, { ...product, batch: MANY, m: 3, n: 5, k: 9 }, { plan: 'tiles64' }),
  grid(k.matmul, { ...product, m: MANY, n: 1, k: 70 }, { plan: 'dot', tolerance: summed }),
];

/** Convolution of images of one channel with a square kernel, at stride 1 unless told otherwise. */
function convolution(batch: number, size: number, kernel: number, pad: number, more: Partial<k.Conv2dParams> = {}) {
  const { strideH = 1, strideW = 1 } = more;
  const out = (stride: number) => Math.floor((size + 2 * pad - kernel) / stride) + 1;
  return {
    ...{ batch, inChannels: 1, outChannels: 1, groups: 1, bias: 0 },
    ...{ inH: size, inW: size, outH: out(strideH), outW: out(strideW), kernelH: kernel, kernelW: kernel },
    ...{ strideH: 1, strideW: 1, padH: pad, padW: pad, dilationH: 1, dilationW: 1 },
    ...more,
  };
}

const both = (params: k.Conv2dParams, plan: string) => [
  grid(k.conv2d, params, { plan }),
  grid(k.conv2dInputGradient, params, { plan }),
];
/** A depthwise convolution with more groups than a dimension has workgroups. */
const depthwise = { inChannels: MANY, outChannels: MANY, groups: MANY };

const dilated = { strideH: 257, strideW: 256, dilationH: 257, dilationW: 256, inH: 600, inW: 600, outH: 1, outW: 2 };
const phases = convolution(1, 600, 2, 0, { ...dilated, bias: 1 });

const convolutions = [
  ...both(convolution(QUARTER, 1, 3, 1), 'rows3x3'),
  grid(k.conv2d, convolution(ELEMENTS, 1, 1, 0), { plan: 'lanes' }),
  grid(k.conv2d, convolution(QUARTER, 1, 1, 0), { plan: 'tiles64' }),
  ...both(convolution(1, 16, 3, 1, depthwise), 'direct'),
  // More phases than a dimension has workgroups. The bias shows that each is written; taps a stride apart, that it is quick.
  grid(k.conv2dInputGradient, phases),
  grid(k.conv2dWeightGradient, convolution(1, 8, 8, 1, depthwise), { tolerance: summed }),
];

const pool = {
  ...{ planes: ELEMENTS, inH: 1, inW: 1, outH: 1, outW: 1, kernelH: 1, kernelW: 1, strideH: 1, strideW: 1 },
  ...{ padH: 0, padW: 0, dilationH: 1, dilationW: 1, countPadding: 0 },
};
const whole = { ...pool, planes: MANY, inH: 8, inW: 9, kernelH: 8, kernelW: 9 };
const resized = { planes: MANY, inH: 16, inW: 16, outH: 16, outW: 17 };
const noIndex = { indices: (n: number) => new Int32Array(n) };

const images = [
  grid(k.maxPool, pool, { tolerance: exact }),
  grid(k.maxPoolBackward, pool, { tolerance: exact, values: noIndex }),
  grid(k.averagePool, pool),
  grid(k.averagePool, whole, { plan: 'perWorkgroup' }),
  grid(k.averagePoolBackward, pool),
  grid(k.adaptiveAveragePool, resized),
  grid(k.adaptiveAveragePool, { ...resized, outH: 1, outW: 1 }, { plan: 'perWorkgroup' }),
  grid(k.adaptiveAveragePoolBackward, { ...resized, inW: 17, outW: 5 }),
  grid(k.adaptiveMaxPool, resized, { tolerance: exact }),
  ...[k.resize, k.resizeBackward].map((kernel) => {
    const sizes = kernel === k.resize ? resized : { ...resized, inW: 17, outW: 9 };
    const scale = { scaleH: sizes.inH / sizes.outH, scaleW: Math.fround(sizes.inW / sizes.outW) };
    return grid(kernel, { ...sizes, ...scale, mode: k.ResizeMode.bilinear, alignCorners: 0 }, { tolerance: summed });
  }),
];

const pyramid = { bins: [1, 2], count: 2, planes: MANY, inH: 3, inW: 5, rule: k.PyramidRule.adaptive };
const pyramids = [
  grid(k.pyramidPool, pyramid, { plan: 'perPlane' }),
  grid(k.pyramidPool, { ...pyramid, rule: k.PyramidRule.fixedKernel }, { plan: 'perCell' }),
  grid(k.pyramidPoolBackward, pyramid, { plan: 'perPlane' }),
  grid(
    k.pyramidPoolBackward,
    { ...pyramid, planes: ELEMENTS, inH: 1, inW: 1, bins: [1], count: 1 },
    { plan: 'perPosition' },
  ),
];

const scored = {
  ...{ batch: MANY, classes: 66, spatial: 1, weighted: 0, smoothing: 0.125, ignoreIndex: 3 },
  reduction: k.PixelReduction.mean,
};
const labelled = { target: (n: number) => indices(n, 66) };
const classified = [
  grid(k.crossEntropy, scored, { plan: 'perLine', values: labelled, tolerance: summed }),
  grid(k.crossEntropyBackward, scored, { plan: 'perLine', values: labelled, tolerance: summed }),
];

const norm = { batch: 4, channels: MANY, spatial: 65, eps: Math.fround(1e-3), relu: 0 };
const positive = (n: number) => floats(n).map((value) => 1.5 + value);
const norms = [
  grid(k.batchNormStatistics, norm, { tolerance: summed }),
  grid(k.batchNormApply, norm, { values: { inverse: positive }, tolerance: summed }),
  grid(k.batchNormInference, norm, { values: { variance: positive }, tolerance: summed }),
  grid(
    k.batchNormBackward,
    { ...norm, relu: 1 },
    { values: { inverse: positive }, tolerance: { rtol: 1e-5, atol: 1e-4 } },
  ),
];

const scanned = { outer: QUARTER, n: 1, inner: 4, reverse: 1 };
const pairs = { outer: 2 ** 22 + 1, n: 2, inner: 2, descending: 1 };
const scans = [
  // Past the limit, the sums of the other plan's blocks are longer than the binding that every adapter has.
  grid(k.prefixSum, scanned, { plan: 'lines' }),
  grid(k.recurrence, scanned),
  grid(k.sort, pairs, { tolerance: exact }),
];

const n = [ELEMENTS];
const steps = [
  grid(k.sgdStep, { n, learningRate: 0.125, momentum: 0.5, gain: 1, weightDecay: 0, nesterov: 0, first: 0 }),
  grid(
    k.adamStep,
    {
      ...{ n, stepSize: 0.125, beta1: 0.5, beta2: 0.75, oneMinusBeta1: 0.5, oneMinusBeta2: 0.25, eps: 0.125 },
      ...{ weightDecay: 0, shrink: 1, correction: 0.25, amsgrad: 0 },
    },
    { values: { v0: positive } },
  ),
  grid(
    k.rmspropStep,
    { n, learningRate: 0.125, alpha: 0.5, oneMinusAlpha: 0.5, eps: 0.125, weightDecay: 0, momentum: 0, centered: 0 },
    { values: { v0: positive } },
  ),
  grid(k.runningAverage, { n: ELEMENTS, count: 2, keep: 0.75, gain0: 0.25, gain1: 0.5 }),
];

/** Not past a grid, but past what one accumulator could add up. */
export const longCases: readonly (() => GridCase)[] = [
  grid(k.conv2dWeightGradient, convolution(MANY, 8, 3, 1), { tolerance: { rtol: 1e-5, atol: 2e-3 } }),
  grid(k.reduce, { ...longLine, op: k.Reduction.mean }),
  grid(k.reduce, { ...longLine, op: k.Reduction.max }, { tolerance: exact }),
  grid(k.softmax, { ...longLine, log: 1 }, { tolerance: summed }),
];

const window = { windowH: 3, windowW: 3, padH: 1, padW: 1, c1: Math.fround(0.01), c2: Math.fround(0.03) };
const compared = { planes: MANY, inH: 4, inW: 5, outH: 4, outW: 5, ...window };
const similar = {
  needsLanes: true,
  values: { window: (n: number) => new Float32Array(n).fill(1 / 3) },
  tolerance: { rtol: 1e-3, atol: 1e-3 },
};
const similarities = [grid(k.ssim, compared, similar), grid(k.ssimBackward, compared, similar)];

const chains = [grid(k.multiplyAdds, { n: ELEMENTS, rounds: 3 }, { tolerance: summed })];

/**
 * One of each way in which a shader goes through its grid: a thread per item, per two axes, per tile, per phase, a workgroup per line,
 * per part of a channel, several passes.
 */
export const usualCases: readonly (() => GridCase)[] = [
  elementwise[0]!,
  elementwise[2]!,
  movement[1]!,
  reductions[0]!,
  products[1]!,
  products[2]!,
  convolutions[0]!,
  convolutions[1]!,
  convolutions[6]!,
  norms[3]!,
  scans[2]!,
  steps[0]!,
];

/** Every kernel. Each case is made when it runs: all together would fill the memory. */
export const gridCases: readonly (() => GridCase)[] = [
  ...elementwise,
  ...movement,
  ...reductions,
  ...products,
  ...convolutions,
  ...images,
  ...pyramids,
  ...classified,
  ...norms,
  ...scans,
  ...steps,
  ...similarities,
  ...chains,
];
