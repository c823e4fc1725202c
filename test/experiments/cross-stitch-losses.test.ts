// Task weights and test batches of cross-stitch against the numbers of its specification, and what a device computes of them.
import t from 'tap';
import { createDevice } from '../../engine/index.ts';
import { weightingConstants, weightingOf } from '../../experiments/papers/cross-stitch/losses.ts';
import { networkNames, networkTasks } from '../../experiments/papers/cross-stitch/settings.ts';
import { lastTestBatch } from '../../experiments/papers/cross-stitch/test-batches.ts';
import { near, vectorChecks } from './cross-stitch-vectors.ts';

t.test('task weights by the equation: epochs, no priors', async (t) => {
  const { weighting } = weightingOf({ network: 'mtl', weighting: 'equation' }, ['binary', 'segmentation']);
  for (const losses of [
    [
      [0.5, 3],
      [1.5, 1],
    ],
    [
      [0.25, 1.9],
      [0.75, 1.7],
    ],
  ]) {
    t.same(await weighting.weights(), [1, 1]);
    losses.forEach((each) => weighting.observe(each));
    weighting.endEpoch();
  }
  const third = await weighting.weights();
  [0.900332, 1.099668].forEach((weight, k) => near(t, third[k]!, weight, 1e-6, 'the third epoch'));
  const resumed = weightingOf({ network: 'mtl', weighting: 'equation' }, ['binary', 'segmentation']).weighting;
  resumed.loadStateDict(await weighting.stateDict());
  t.same(await resumed.weights(), third, 'to the last bit');
  [weighting, resumed].forEach((each) => each.dispose());
});

t.test('task weights as the authors ran them: iterations, priors, anew in each epoch', async (t) => {
  const { priors } = weightingConstants.mtl;
  const { weighting } = weightingOf({ network: 'mtl', weighting: 'paperCode' }, networkTasks.mtl);
  t.same(await weighting.weights(), priors);
  weighting.observe([1, 2, 4]);
  t.same(await weighting.weights(), priors);
  weighting.observe([0.5, 2, 6]);
  const shares = [0.3 * Math.exp(0.25), Math.exp(0.5), 2 * Math.exp(0.75)];
  const total = shares.reduce((a, b) => a + b);
  (await weighting.weights()).forEach((weight, k) => near(t, weight, (3 * shares[k]!) / total, 1e-12));
  weighting.observe([0, 1, 1]);
  weighting.observe([0, 1, 1]);
  t.ok((await weighting.weights()).every(Number.isFinite), 'a task learnt to the last bit');
  weighting.endEpoch();
  t.same(await weighting.weights(), priors);
  weighting.dispose();
  for (const network of networkNames) {
    const tasks = network === 'oeq' ? ['binary', 'box'] : networkTasks[network];
    t.equal(weightingConstants[network].priors.length, tasks.length);
  }
});

t.test('the last test batch of the authors has ten of 738 images', (t) => {
  const ious = Array.from({ length: 738 }, (_, i) => (i % 10) / 10 + (i < 10 ? 0.05 : 0));
  const found = lastTestBatch(ious, 0);
  near(t, found['test boxIou, worst ten']!, 0.45, 1e-12);
  near(t, found['test boxIou, best ten']!, 0.5, 1e-12);
  const values = new Set(Array.from({ length: 30 }, (_, seed) => lastTestBatch(ious, seed)['test boxIou, last batch']));
  t.ok(
    [...values].every((value) => Math.abs(value! - 0.45) < 1e-9 || Math.abs(value! - 0.5) < 1e-9),
    'one chunk alone',
  );
  t.same(lastTestBatch([], 0), {});
  t.end();
});

for (const name of ['wasm', 'reference'] as const) {
  await t.test(name, async (t) => {
    const device = await createDevice(name, { threads: 1 });
    await vectorChecks(t, device);
    device.dispose();
  });
}
