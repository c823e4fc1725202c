// What must hold of SSIM on every device: published values, agreement with a composition of convolutions, images whose mean
// is large beside their variance, empty batches, more planes than a grid is wide.
import type { Test } from 'tap';
import * as w from '../../engine/index.ts';

/** SSIM as convolutions with the outer product of two Gaussians of deviation 1.5, for images (N, C, H, W). */
export function composedSsim(x: w.Tensor, target: w.Tensor, size: number, padding: number, maxValue: number): w.Tensor {
  const line = Array.from({ length: size }, (_, i) => Math.exp(-((i - (size - 1) / 2) ** 2) / 4.5));
  const total = line.reduce((a, b) => a + b, 0);
  const outer = line.flatMap((a) => line.map((b) => (a * b) / total ** 2));
  const groups = x.shape[1]!;
  const window = w.expand(w.tensor(outer, [1, 1, size, size], { device: x.device }), [groups, 1, size, size]);
  const blur = (image: w.Tensor): w.Tensor => w.conv2d(image, window, undefined, { groups, padding });
  const [c1, c2] = [(0.01 * maxValue) ** 2, (0.03 * maxValue) ** 2];
  const [meanX, meanY] = [blur(x), blur(target)];
  const product = w.mul(meanX, meanY);
  const squares = w.add(w.square(meanX), w.square(meanY));
  const covariance = w.sub(blur(w.mul(x, target)), product);
  const variances = w.sub(blur(w.add(w.square(x), w.square(target))), squares);
  const luminance = w.div(w.affine(product, 2, c1), w.affine(squares, 1, c1));
  return w.mul(luminance, w.div(w.affine(covariance, 2, c2), w.affine(variances, 1, c2)));
}

/** Largest |actual - expected| over the root mean square of `expected`. */
export async function distance(actual: w.Tensor, expected: w.Tensor): Promise<number> {
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
export async function ssimChecks(
  t: Test,
  device: w.Device,
  tolerance: number,
  skipMany: string | false = false,
): Promise<void> {
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
