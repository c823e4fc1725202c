// SSIM on `reference` and `wasm`, its fused gradient against the composed one, and what it refuses.
import t from 'tap';
import * as w from '../../engine/index.ts';
import { composedSsim, distance, ssimChecks } from './ssim.ts';

const reference = await w.createDevice('reference');
await t.test('reference', async (t) => ssimChecks(t, reference, 1e-10));
for (const relaxedSimd of [false, true]) {
  await t.test(relaxedSimd ? 'wasm, relaxed SIMD' : 'wasm, plain SIMD', async (t) => {
    const wasm = await w.createDevice('wasm', { threads: 2, relaxedSimd });
    await ssimChecks(t, wasm, 1e-4);
    wasm.dispose();
  });
}

w.setDefaultDevice(reference);
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

t.test('what SSIM refuses', (t) => {
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
