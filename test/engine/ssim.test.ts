// SSIM: published values, agreement with a composition of convolutions, images whose mean is large beside their variance, empty
// batches, more planes than a grid is wide; its fused gradient against the composed one, and what it refuses.
import t, { type Test } from 'tap';
import * as w from '../../engine/index.ts';
import { hasEightLanes } from '../../kernels/shared/webgpu-plan.ts';
import { testedOn, withWebGpu } from '../tested-on.ts';
import { composedSsim } from './composed-ssim.ts';

/** Largest |actual - expected| over the root mean square of `expected`. */
async function distance(actual: w.Tensor, expected: w.Tensor): Promise<number> {
  const [a, b] = [await actual.array(), await expected.array()];
  let [worst, squares] = [0, 0];
  for (let i = 0; i < b.length; i++) {
    const difference = Math.abs(a[i]! - b[i]!);
    worst = Number.isNaN(difference) ? Infinity : Math.max(worst, difference);
    squares += b[i]! ** 2;
  }
  return worst / Math.sqrt(squares / b.length);
}

type Pair = [w.Tensor, w.Tensor];

/** An image of these values and a noisy copy, rounded to float32 so that all devices compute from the same numbers. */
function noisyPair(shape: readonly number[], offset: number, scale: number, device: w.Device): Pair {
  const size = shape.reduce((a, b) => a * b, 1);
  const draws = [0, 1].map((i) => w.random(5, 'ssim', i).uniformArray(size));
  const first = Float32Array.from(draws[0]!, (u) => offset + scale * u);
  const second = Float32Array.from(draws[1]!, (u, i) => offset + scale * (0.7 * draws[0]![i]! + 0.3 * u));
  const options = { device, requiresGrad: true };
  return [w.tensor(first, shape, options), w.tensor(second, shape, options)];
}

/** S at each position and both gradients of sum(g S). */
function mapAndGradients(map: (x: w.Tensor, y: w.Tensor) => w.Tensor, [x, y]: Pair): w.Tensor[] {
  const s = map(x, y);
  const g = w.tensor(w.random(6, 'cotangent').normalArray(s.size), s.shape, { device: x.device });
  return [s, ...w.grad(s, [x, y], { gradOutputs: [g] })];
}

/** `tolerance` is relative to the values' root mean square. `skipMany`: why a grid of 65,600 workgroups is too much. */
async function testSsim(t: Test, device: w.Device, tolerance: number, skipMany: string | false = false): Promise<void> {
  const oracle = await w.createDevice('reference');

  await t.test('values of tf.image.ssim', async (t) => {
    using _ = w.scope();
    const image = (f: (i: number, j: number) => number) => {
      const values = Array.from({ length: 96 * 128 }, (_, k) => f(Math.floor(k / 128), k % 128));
      return w.tensor(values, [1, 1, 96, 128], { device });
    };
    const ramp = (i: number, j: number): number => 1 + 0.01 * (i + 2 * j);
    const [y, z] = [image(ramp), image((i, j) => 1.1 * ramp(i, j) + 0.05 * ((i + j) % 2))];
    const flat = w.ssim(
      image(() => 2),
      image(() => 3),
      { maxValue: 12.086 },
    );
    t.ok(Math.abs((await flat.item()) - 0.9231633) < 1e-6, 'two constants');
    t.ok(Math.abs((await w.ssim(y, z, { maxValue: 12.086 }).item()) - 0.9898937) < 1e-6, 'a ramp');
    // Published in float32, whose large means cancel: the same sums in float64 are 0.9496043.
    t.ok(Math.abs((await w.ssim(y, z, { maxValue: 3.49 }).item()) - 0.949611) < 1e-5, 'the same in its own range');
  });

  await t.test('map and gradients agree with the composition in float64', async (t) => {
    for (const [size, padding, maxValue] of [
      [11, 'valid', 1],
      [11, 'same', 255],
      [7, 'same', 10],
    ] as const) {
      using _ = w.scope();
      const shape = [2, 3, 37, 45];
      const pad = padding === 'same' ? (size - 1) / 2 : 0;
      const expected = mapAndGradients(
        (x, y) => composedSsim(x, y, size, pad, maxValue),
        noisyPair(shape, 0, maxValue, oracle),
      );
      const options = { filterSize: size, padding, maxValue };
      const actual = mapAndGradients((x, y) => w.ssimMap(x, y, options), noisyPair(shape, 0, maxValue, device));
      for (const [i, name] of ['map', 'gx', 'gy'].entries()) {
        const far = await distance(actual[i]!, expected[i]!);
        t.ok(far <= tolerance, `${name}, window ${size}, ${padding}, range ${maxValue}: ${far}`);
      }
    }
  });

  await t.test('a mean of 1000 and a spread of 1', async (t) => {
    using _ = w.scope();
    const shape = [1, 2, 40, 50];
    const map = (x: w.Tensor, y: w.Tensor) => w.ssimMap(x, y, { maxValue: 1 });
    const expected = mapAndGradients(map, noisyPair(shape, 1000, 1, oracle));
    const actual = mapAndGradients(map, noisyPair(shape, 1000, 1, device));
    const composed = composedSsim(...noisyPair(shape, 1000, 1, device), 11, 0, 1);
    for (const [i, name] of ['map', 'gx', 'gy'].entries()) {
      const far = await distance(actual[i]!, expected[i]!);
      t.ok(far <= Math.max(tolerance, 1e-8), `${name}: ${far}`);
    }
    const [ours, theirs] = [await distance(actual[0]!, expected[0]!), await distance(composed, expected[0]!)];
    if (device.name !== 'reference') t.ok(100 * ours < theirs, `${ours}; where the large means cancel: ${theirs}`);
  });

  await t.test('no images, and one pixel', async (t) => {
    using _ = w.scope();
    const none = w.zeros([0, 2, 16, 16], { device, requiresGrad: true });
    const value = w.ssim(none, none);
    t.same(value.shape, [0]);
    const [gradient] = w.grad(w.sum(value), [none]);
    t.same(gradient!.shape, [0, 2, 16, 16]);
    const one = w.tensor([0.25], [1, 1, 1, 1], { device });
    t.ok(Math.abs((await w.ssim(one, one, { filterSize: 1 }).item()) - 1) < 1e-6);
  });

  await t.test('more planes than a grid is wide', { skip: skipMany }, async (t) => {
    using _ = w.scope();
    const shape = [1, 65_600, 3, 3];
    const map = (x: w.Tensor, y: w.Tensor) => w.ssimMap(x, y, { filterSize: 3 });
    const expected = mapAndGradients(map, noisyPair(shape, 0, 1, oracle));
    const actual = mapAndGradients(map, noisyPair(shape, 0, 1, device));
    for (const [i, values] of actual.entries()) {
      const far = await distance(values, expected[i]!);
      t.ok(far <= 100 * tolerance, `result ${i}: ${far}`);
    }
  });
}

/** What does not depend on a device, in float64. */
async function testDerivatives(t: Test, device: w.Device): Promise<void> {
  w.setDefaultDevice(device);
  const image = (seed: number, shape = [2, 2, 9, 10]) =>
    w.tensor(w.random(seed, 'image').uniformArray(shape.reduce((a, b) => a * b, 1)), shape, { requiresGrad: true });

  await t.test('the gradient is the same with createGraph and without', async (t) => {
    for (const options of [
      { filterSize: 5 },
      { filterSize: [3, 7], padding: 'same', maxValue: 10 },
      { filterSize: [4, 1], window: 'uniform' },
    ] as const) {
      using _ = w.scope();
      const [x, y] = [image(1), image(2)];
      const map = w.ssimMap(x, y, options);
      const gradOutputs = [w.tensor(w.random(3, 'cotangent').normalArray(map.size), map.shape)];
      const composed = w.grad(map, [x, y], { gradOutputs, createGraph: true });
      const fused = w.grad(map, [x, y], { gradOutputs });
      for (const [i, gradient] of fused.entries()) {
        t.ok((await distance(gradient, composed[i]!)) < 1e-10, `${JSON.stringify(options)}, input ${i}`);
        t.ok(composed[i]!.tracked);
        t.notOk(gradient.tracked);
      }
    }
  });

  await t.test('second derivatives agree with those of the composition', async (t) => {
    using _ = w.scope();
    const [x, y] = [image(1), image(2)];
    const second = (map: (x: w.Tensor, y: w.Tensor) => w.Tensor): w.Tensor[] => {
      const gradients = w.grad(w.sum(w.square(map(x, y))), [x, y], { createGraph: true });
      return w.grad(w.sum(w.add(w.square(gradients[0]!), gradients[1]!)), [x, y]);
    };
    const ours = second((x, y) => w.ssimMap(x, y, { filterSize: 5 }));
    const theirs = second((x, y) => composedSsim(x, y, 5, 0, 1));
    for (const [i, gradient] of ours.entries()) t.ok((await distance(gradient, theirs[i]!)) < 1e-10, `input ${i}`);
  });

  await t.test('a uniform window has the moments of its pixels', async (t) => {
    using _ = w.scope();
    const [x, y] = [image(4, [1, 1, 2, 3]), image(5, [1, 1, 2, 3])];
    const moment = (a: w.Tensor, b: w.Tensor): w.Tensor => w.sub(w.mean(w.mul(a, b)), w.mul(w.mean(a), w.mean(b)));
    const means = w.mul(w.mean(x), w.mean(y));
    const squares = w.add(w.square(w.mean(x)), w.square(w.mean(y)));
    const luminance = w.div(w.affine(means, 2, 1e-4), w.affine(squares, 1, 1e-4));
    const contrast = w.div(w.affine(moment(x, y), 2, 9e-4), w.affine(w.add(moment(x, x), moment(y, y)), 1, 9e-4));
    const expected = w.reshape(w.mul(luminance, contrast), [1]);
    t.ok((await distance(w.ssim(x, y, { filterSize: [2, 3], window: 'uniform' }), expected)) < 1e-12);
  });

  await t.test('what SSIM refuses', (t) => {
    using _ = w.scope();
    const x = w.zeros([1, 1, 8, 12]);
    t.throws(() => w.ssim(x, x), w.ShapeError, 'an image smaller than the window');
    t.throws(() => w.ssim(x, w.zeros([1, 1, 12, 8]), { filterSize: 3 }), w.ShapeError);
    t.throws(() => w.ssim(w.zeros([8, 12]), w.zeros([8, 12]), { filterSize: 3 }), w.ShapeError);
    t.throws(() => w.ssim(x, x, { filterSize: 4, padding: 'same' }), { name: 'ConfigError', message: /odd/ });
    t.throws(() => w.ssim(x, x, { filterSize: 129, padding: 'same' }), { name: 'ConfigError', message: /127/ });
    t.throws(() => w.ssim(x, x, { filterSize: 3.5 }), w.ConfigError);
    t.throws(() => w.ssim(x, x, { filterSize: 3, sigma: 0 }), { name: 'ConfigError', message: /sigma/ });
    t.same(w.ssimMap(x, x, { padding: 'same' }).shape, [1, 1, 8, 12], 'zeros make room for the window');
    t.same(w.ssimMap(x, x, { filterSize: [3, 6] }).shape, [1, 1, 6, 7]);
    t.end();
  });
}

const devices = testedOn('reference', 'wasm', 'webgpu');
if (devices.has('reference')) {
  const reference = await w.createDevice('reference');
  await t.test('reference', (t) => testSsim(t, reference, 1e-10));
  await t.test('derivatives', (t) => testDerivatives(t, reference));
}
for (const relaxedSimd of devices.has('wasm') ? [false, true] : []) {
  await t.test(relaxedSimd ? 'wasm, relaxed SIMD' : 'wasm, plain SIMD', async (t) => {
    const wasm = await w.createDevice('wasm', { threads: 2, relaxedSimd });
    await testSsim(t, wasm, 1e-4);
    wasm.dispose();
  });
}
if (devices.has('webgpu')) {
  await withWebGpu(t, (device) => {
    // An adapter without eight lanes (SwiftShader) takes minutes for as many barriers.
    const slow = !hasEightLanes(device.planFacts) && 'too slow on an adapter without subgroups of eight';
    return testSsim(t, device, 1e-4, slow);
  });
}
