// What the property tests and the table of special values have found, one named example each, on the reference device and
// on wasm. (Grids that were too long are in test/kernels/webgpu-plans.test.ts and grid.ts.)
import t from 'tap';
import * as w from '../../engine/index.ts';
import { powScalar } from '../../engine/ops/unary.ts';

const { Infinity: inf, NaN: nan } = globalThis;

for (const name of ['reference', 'wasm'] as const) {
  await t.test(name, async (t) => {
    const device = await w.createDevice(name);
    w.setDefaultDevice(device);
    using _ = w.scope();
    const leaf = (values: number[], shape: number[] = [values.length]) =>
      w.tensor(values, shape, { requiresGrad: true });
    const gradients = async (y: w.Tensor, ...inputs: w.Tensor[]) => {
      const all = w.grad(y, inputs, { gradOutputs: [w.onesLike(y)] });
      return Promise.all(all.map(async (g) => [...(await g.array())]));
    };

    await t.test('an empty batch of matrices times one matrix', async (t) => {
      const [a, b] = [leaf([], [0, 2, 3]), leaf([1, 2, 3], [3, 1])];
      const y = w.matmul(a, b);
      t.same(y.shape, [0, 2, 1]);
      t.same(await gradients(y, a, b), [[], [0, 0, 0]]);
    });

    await t.test('batch norm of no image has no gradient of its weights', async (t) => {
      const [x, weight, bias] = [leaf([], [0, 2, 3]), leaf([2, 1]), leaf([0, 1])];
      const y = w.batchNorm(x, { weight, bias, training: true });
      t.same(await gradients(y, x, weight, bias), [[], [0, 0], [0, 0]]);
    });

    await t.test('slopes of sigmoid and tanh keep their digits on the way to 0', async (t) => {
      const places = Array.from({ length: 4001 }, (_, i) => Math.fround((i - 2000) / 50));
      const slopeOf = (x: number) => Math.exp(-Math.abs(x)) / (1 + Math.exp(-Math.abs(x))) ** 2;
      for (const [name, curve, slope] of [
        ['sigmoid', w.sigmoid, slopeOf],
        ['tanh', w.tanh, (x: number) => 4 * slopeOf(2 * x)],
      ] as const) {
        const x = leaf(places);
        const [found] = await gradients(curve(x), x);
        const isOff = (v: number, i: number) => Math.abs(v / slope(places[i]!) - 1) > 1e-5;
        t.same(
          found!.flatMap((v, i) => (isOff(v, i) ? [`${v} at ${places[i]}`] : [])),
          [],
          name,
        );
      }
    });

    await t.test('relu lets the gradient through at NaN', async (t) => {
      const x = leaf([nan, -1, 0, 1]);
      t.same(await gradients(w.relu(x), x), [[1, 0, 0, 1]]);
    });

    await t.test('maximum and minimum give the gradient to both sides at NaN', async (t) => {
      const [a, b] = [leaf([nan, 1, 2, 1]), leaf([1, nan, 2, 2])];
      t.same(await gradients(w.maximum(a, b), a, b), [
        [1, 1, 0.5, 0],
        [1, 1, 0.5, 1],
      ]);
      t.same(await gradients(w.minimum(a, b), a, b), [
        [1, 1, 0.5, 1],
        [1, 1, 0.5, 0],
      ]);
    });

    await t.test('pow has no NaN slopes at 0', async (t) => {
      const [a, b] = [leaf([0, 0, -1]), leaf([0, 2, 0])];
      t.same(await gradients(w.pow(a, b), a, b), [
        [0, 0, 0],
        [0, 0, nan],
      ]);
    });

    await t.test('the square root of minus infinity as a power is NaN', async (t) => {
      t.same([...(await powScalar(w.tensor([-inf, 4]), 0.5).array())], [nan, 2]);
    });

    await t.test('Huber and smooth L1 losses have a slope at infinity', async (t) => {
      for (const loss of [w.huberLoss, w.smoothL1Loss]) {
        const [x, target] = [leaf([inf, 0.5, nan]), leaf([0, 0, 0])];
        t.same(await gradients(loss(x, target, { reduction: 'sum' }), x, target), [
          [1, 0.5, nan],
          [-1, -0.5, nan],
        ]);
      }
    });

    await t.test('the variance beside an infinity has an infinite slope, not NaN', async (t) => {
      const x = leaf([inf, 1, 2]);
      t.same(await gradients(w.variance(x), x), [[nan, -inf, -inf]]);
    });

    await t.test('the logarithm of no sum is minus infinity, and has no gradient', async (t) => {
      const x = leaf([], [2, 0]);
      const y = w.logSumExp(x, 1);
      t.same([...(await y.array())], [-inf, -inf]);
      t.same(await gradients(y, x), [[]]);
    });
    device.dispose();
  });
}
