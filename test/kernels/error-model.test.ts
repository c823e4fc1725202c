// The error model of kernels/shared/error-model.ts: convolutions of all kinds of data, and long sums. On wasm by Winograd's
// algorithm, also where its guards must step in, and by plain sums.
import t, { type Test } from 'tap';
import type { Device } from '../../engine/devices/device.ts';
import { createReferenceDevice } from '../../engine/devices/reference/reference.ts';
import { createWasmDevice } from '../../engine/devices/wasm/device.ts';
import {
  createDevice,
  crossEntropy,
  logSoftmax,
  matmul,
  mean,
  scope,
  softmax,
  sum,
  tensor,
  variance,
} from '../../engine/index.ts';
import { errorBound } from '../../kernels/shared/error-model.ts';
import { type Conv2dParams, conv2dWeightGradient } from '../../kernels/index.ts';
import { hasEightLanes } from '../../kernels/shared/webgpu-plan.ts';
import { testedOn, withWebGpu } from '../tested-on.ts';
import { launch } from './adjoint.ts';
import { convolution } from './convolutions.ts';
import { checkConvolution, convolutionKernels, kinds } from './error-model.ts';

t.setTimeout(540_000);

const same = (channels: [number, number], size: [number, number], dilation = 1, groups = 1): Conv2dParams =>
  convolution({
    ...{ batch: 1, inChannels: channels[0], outChannels: channels[1], inH: size[0], inW: size[1], groups },
    ...{ padH: dilation, padW: dilation, dilationH: dilation, dilationW: dilation },
  });

/** With tiles cut at both edges, dilated, in groups. */
const shapes = [same([16, 12], [18, 19]), same([8, 8], [21, 17], 2), same([8, 8], [16, 17], 1, 2)];

/** Each kind of data on either side, with normal data, with zeros and with itself on the other. */
const pairs = Object.keys(kinds).flatMap((kind): [string, string][] => [
  [kind, 'normal'],
  ['normal', kind],
  [kind, kind],
  ['relu', kind],
]);

/** `every`: one of so many cases, for slow adapters; `seed` chooses the data. Calls `tell` with the plan of every case. */
async function testConvolutions(
  t: Test,
  device: Device,
  seed: number,
  every = 1,
  tell: (plan: string) => void = () => undefined,
): Promise<void> {
  let count = 0;
  for (const kernel of convolutionKernels) {
    for (const params of shapes) {
      const problems: string[] = [];
      for (const names of pairs) {
        if (count++ % every) continue;
        const { plan, problem } = await checkConvolution(kernel, params, names, device, seed);
        tell(plan);
        if (problem) problems.push(`${names.join(' with ')}, ${plan}: ${problem}`);
      }
      const { inChannels, dilationH, groups } = params;
      t.strictSame(problems, [], `${kernel.name}, ${inChannels} channels, dilation ${dilationH}, groups ${groups}`);
    }
  }
}

/** Few elements in a window, which may all meet small taps: what a bound that holds on average lets through now and then. */
async function testSparseConvolutions(t: Test, device: Device, seeds: readonly number[]): Promise<void> {
  const params = { ...same([20, 12], [28, 27], 2), batch: 3 };
  for (const kernel of convolutionKernels) {
    const problems: string[] = [];
    for (const name of ['one in fifty is not zero', 'one in thirty is not zero', 'one in five is not zero']) {
      for (const seed of seeds) {
        const { problem } = await checkConvolution(kernel, params, [name, 'normal'], device, seed);
        if (problem) problems.push(`${name}, seed ${seed}: ${problem}`);
      }
    }
    t.strictSame(problems, [], kernel.name);
  }
}

/** Pairs of channels of which a weight gradient sums some plainly: other paddings, several images, odd sizes. */
async function testUnevenChannels(t: Test, device: Device, seeds: readonly number[]): Promise<void> {
  const names = ['channels of all densities', 'equal and sparse', 'a channel of 1e4', 'normal'];
  for (const [padH, padW, inH, inW] of [
    [0, 0, 9, 14],
    [1, 1, 4, 4],
    [2, 1, 11, 9],
    [3, 2, 16, 17],
  ] as const) {
    const params = convolution({ batch: 5, inChannels: 20, outChannels: 16, inH, inW, padH, padW });
    const problems: string[] = [];
    for (const seed of seeds) {
      for (const x of names) {
        for (const g of names) {
          const { plan, problem } = await checkConvolution(conv2dWeightGradient, params, [x, g], device, seed);
          if (problem) problems.push(`${x} with ${g}, seed ${seed}, ${plan}: ${problem}`);
        }
      }
    }
    t.strictSame(problems, [], `${inH} by ${inW}, padding ${padH} and ${padW}`);
  }
}

const longData: Readonly<Record<string, (i: number) => number>> = {
  // Equal terms round the same way each time.
  'a tenth': () => 0.1,
  'between 0 and 1': (i) => (Math.imul(i + 1, 2654435761) >>> 0) / 2 ** 32,
  'about 1000': (i) => 1000 + (Math.imul(i + 1, 2654435761) >>> 0) / 2 ** 32,
  'of both signs': (i) => (Math.imul(i + 1, 2654435761) >>> 0) / 2 ** 31 - 1,
};

/** Sum, mean and variance of so many numbers. */
async function testLongSums(t: Test, device: Device, lengths: readonly number[]): Promise<void> {
  for (const n of lengths) {
    for (const [name, value] of Object.entries(longData)) {
      const values = Float32Array.from({ length: n }, (_, i) => value(i));
      let [total, magnitude, squares] = [0, 0, 0];
      for (const each of values) {
        total += each;
        magnitude += Math.abs(each);
      }
      for (const each of values) squares += (each - total / n) ** 2;
      const x = tensor(values, [n], { device });
      const [s, m, v] = [sum(x), mean(x), variance(x, undefined, { correction: 0 })];
      // A tenth of what products may be off by.
      const bound = errorBound(magnitude, n) / 10;
      t.ok(Math.abs((await s.item()) - total) <= bound, `sum of ${n}, ${name}`);
      t.ok(Math.abs((await m.item()) - total / n) <= bound / n, `mean of ${n}, ${name}`);
      // The squares are about a mean that is off by the bound at most.
      const allowed = errorBound(squares, n) / 10 / n + (bound / n) ** 2;
      t.ok(Math.abs((await v.item()) - squares / n) <= allowed, `variance of ${n}, ${name}`);
      for (const each of [x, s, m, v]) each.dispose();
    }
  }
}

/** [m, k] by [k, n] with k along the rows of the second, as in a linear layer, or along its columns. */
const products = [
  { m: 1, n: 1, transposed: false },
  { m: 2, n: 3, transposed: true },
  { m: 4, n: 4, transposed: false },
  { m: 13, n: 9, transposed: true },
  { m: 13, n: 9, transposed: false },
];

/** Products of matrices with long inner dimensions. */
async function testLongProducts(t: Test, device: Device, lengths: readonly number[], sizes = products): Promise<void> {
  for (const k of lengths) {
    for (const { m, n, transposed } of sizes) {
      for (const [name, value] of Object.entries(longData)) {
        using _ = scope();
        const a = Float32Array.from({ length: m * k }, (_, i) => value(i));
        const b = Float32Array.from({ length: n * k }, (_, i) => value(i + 7));
        const [x, y] = [tensor(a, [m, k], { device }), tensor(b, transposed ? [n, k] : [k, n], { device })];
        const got = await matmul(x, y, { transposeB: transposed }).array();
        const errors = Array.from({ length: m * n }, (_, at) => {
          const [row, column] = [Math.floor(at / n), at % n];
          let [exact, magnitude] = [0, 0];
          for (let l = 0; l < k; l++) {
            const product = a[row * k + l]! * b[transposed ? column * k + l : l * n + column]!;
            exact += product;
            magnitude += Math.abs(product);
          }
          return Math.abs(got[at]! - exact) / errorBound(magnitude, k);
        });
        t.ok(Math.max(...errors) <= 1, `[${m}, ${k}] by [${k}, ${n}]${transposed ? ' transposed' : ''}, ${name}`);
      }
    }
  }
}

/** Weight gradients that add up over the pixels of many images. */
async function testManyImages(t: Test, device: Device, plan: string): Promise<void> {
  const side = { inH: 2, inW: 2, kernelH: 1, kernelW: 1, padH: 0, padW: 0 };
  const params = convolution({ batch: 65_537, inChannels: 2, outChannels: 3, ...side });
  const pixels = 4;
  for (const [name, value] of Object.entries(longData)) {
    const x = Float32Array.from({ length: params.batch * 2 * pixels }, (_, i) => value(i));
    const g = Float32Array.from({ length: params.batch * 3 * pixels }, (_, i) => value(i + 7));
    const [weights] = await launch(device, conv2dWeightGradient, params, [x, g]);
    const errors = Array.from(weights!, (got, at) => {
      const [out, channel] = [Math.floor(at / 2), at % 2];
      let [exact, magnitude] = [0, 0];
      for (let i = 0; i < params.batch * pixels; i++) {
        const [image, pixel] = [Math.floor(i / pixels), i % pixels];
        const product = x[(image * 2 + channel) * pixels + pixel]! * g[(image * 3 + out) * pixels + pixel]!;
        exact += product;
        magnitude += Math.abs(product);
      }
      return Math.abs(got - exact) / errorBound(magnitude, params.batch * pixels);
    });
    t.ok(Math.max(...errors) <= 1, `${plan} over ${params.batch} images, ${name}`);
  }
}

/** Softmax, its logarithm and cross-entropy over so many classes, by relative error. */
async function testLongSoftmax(t: Test, device: Device, lengths: readonly number[]): Promise<void> {
  for (const n of lengths) {
    for (const [name, value] of Object.entries(longData)) {
      using _ = scope();
      const values = Float32Array.from({ length: n }, (_, i) => value(i));
      const largest = values.reduce((a, b) => Math.max(a, b));
      const total = Math.log(values.reduce((sum, each) => sum + Math.exp(each - largest), 0));
      const logarithms = Array.from(values, (each) => each - largest - total);
      const worst = (got: ArrayLike<number>, truth: (at: number) => number): number =>
        logarithms.reduce((most, _, at) => Math.max(most, Math.abs(got[at]! / truth(at) - 1)), 0);
      for (const shape of [
        [1, n],
        [n, 1],
      ]) {
        const axis = shape.indexOf(n);
        const x = tensor(values, shape, { device });
        const along = `of ${n}, ${name}, axis ${axis}`;
        const shares = await softmax(x, axis).array();
        t.ok(worst(shares, (at) => Math.exp(logarithms[at]!)) <= 2e-6, `softmax ${along}`);
        const logs = await logSoftmax(x, axis).array();
        t.ok(worst(logs, (at) => logarithms[at]!) <= 1e-6, `logSoftmax ${along}`);
      }
      const x = tensor(values, [1, n], { device });
      const loss = await crossEntropy(x, tensor(Int32Array.of(5), [1], { device })).item();
      t.ok(Math.abs(loss / -logarithms[5]! - 1) <= 1e-6, `crossEntropy of ${n}, ${name}`);
    }
  }
}

async function testWasm(t: Test): Promise<void> {
  await t.test('wasm', async (t) => {
    const device = await createWasmDevice({ threads: 2 });
    const plans = new Map<string, number>();
    await testConvolutions(t, device, 1, 1, (plan) => plans.set(plan, 1 + (plans.get(plan) ?? 0)));
    t.ok((plans.get('winograd') ?? 0) > 300, 'most of them by Winograd');
    await testSparseConvolutions(t, device, [1, 2, 3, 28684]);
    await testUnevenChannels(t, device, [1, 2]);
    await testLongSums(t, device, [1, 1000, 2 ** 20 + 3, 2 ** 23]);
    await testLongProducts(t, device, [2047, 2 ** 14 + 5, 2 ** 18 + 3]);
    await testLongSoftmax(t, device, [2 ** 20 + 3]);
    device.dispose();
  });

  await t.test('wasm without relaxed SIMD', async (t) => {
    const device = await createWasmDevice({ threads: 1, relaxedSimd: false });
    await testConvolutions(t, device, 3, 3);
    device.dispose();
  });

  await t.test('plain sums only', async (t) => {
    const device = await createDevice('wasm', { threads: 2, plainSums: true });
    t.equal(device.facts.plainSums, true, 'the facts say so');
    const plans = new Set<string>();
    await testConvolutions(t, device, 4, 2, (plan) => plans.add(plan));
    t.notOk(plans.has('winograd'), `plans ${[...plans].join(', ')}`);
    const usual = await createDevice('wasm', { threads: 2 });
    t.notOk('plainSums' in usual.facts, 'and nothing of it otherwise');
    for (const each of [device, usual]) each.dispose();
  });
}

const devices = testedOn('wasm', 'reference', 'webgpu');
if (devices.has('wasm')) await testWasm(t);
if (devices.has('reference')) await t.test('reference', (t) => testConvolutions(t, createReferenceDevice(), 5, 5));
if (devices.has('webgpu')) {
  await withWebGpu(t, async (device, prefer) => {
    // An adapter without eight lanes (SwiftShader) is very slow with barriers.
    const isSlow = !hasEightLanes(device.planFacts);
    const variants = [
      ...[undefined, 'direct', 'directSplitK'],
      ...(isSlow ? ['tiles64', 'fewSplitK'] : ['tiles64', 'tiles64SplitK', 'fewChannels', 'fewSplitK']),
      ...(isSlow ? [] : ['tiles128', 'tiles128SplitK']),
    ];
    for (const [i, plan] of variants.entries()) {
      prefer(plan);
      await testConvolutions(t, device, 6 + i, i < 3 ? 7 : isSlow ? 56 : 14);
    }
    if (!isSlow) {
      prefer('tiles128');
      await testLongProducts(t, device, [2047]);
      // In parts, which a second pass adds up.
      prefer('tiles64');
      await testLongProducts(t, device, [2 ** 18 + 3], products.slice(0, 3));
      for (const plan of ['tiles64SplitK', 'tiles128SplitK', 'fewSplitK']) {
        prefer(plan);
        await testManyImages(t, device, plan);
      }
    }
    prefer();
    await testLongSums(t, device, [2 ** 20 + 3, 2 ** 22]);
    if (!isSlow) await testLongSums(t, device, [2 ** 25]);
    await testLongProducts(t, device, [2047, 2 ** 14 + 5]);
    await testLongSoftmax(t, device, [2 ** 20 + 3]);
  });
}
