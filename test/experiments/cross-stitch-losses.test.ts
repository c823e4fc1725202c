// The numbers of the cross-stitch specification: task weights and test batches, and what a device computes of them: boxes, left-out
// tasks, squashed cross-entropy, mIoU.
import t, { type Test } from 'tap';
import {
  crossEntropy,
  type Device,
  diouLoss,
  random,
  scope,
  setDefaultDevice,
  sigmoid,
  tensor,
} from '../../engine/index.ts';
import {
  SQUASHED_LOSS_FLOOR,
  taskLosses,
  weightedSum,
  weightingConstants,
  weightingOf,
} from '../../experiments/papers/cross-stitch/losses.ts';
import { boxIou, maskCounts, meanIou, MetricSums } from '../../experiments/metrics/segmentation.ts';
import { networkNames, networkTasks } from '../../experiments/papers/cross-stitch/settings.ts';
import { lastTestBatch } from '../../experiments/papers/cross-stitch/test-batches.ts';
import { onEach, testedOn } from '../tested-on.ts';

const near = (
  t: { ok(value: boolean, message: string): boolean },
  found: number,
  wanted: number,
  tolerance: number,
  what?: string,
): boolean => t.ok(Math.abs(found - wanted) <= tolerance, `${what ?? ''} ${found} is near ${wanted}`);

/** All checks on one device. */
async function vectorChecks(t: Test, device: Device): Promise<void> {
  setDefaultDevice(device);
  await t.test('distance IoU, squared and as printed', async (t) => {
    using _ = scope();
    const cases: [number[], number[], squared: number, printed: number][] = [
      [[1, 2, 5, 7], [1, 2, 5, 7], 0, 0],
      [[0, 0, 2, 2], [1, 1, 3, 3], 0.968254, 1 - 1 / 7 + Math.SQRT2 / 18],
      [[0, 0, 1, 1], [3, 4, 4, 5], 1.609756, 1 + 5 / 41],
    ]; // prettier-ignore
    for (const [p, target, squared, printed] of cases) {
      const [x, y] = [tensor(p, [1, 4]), tensor(target, [1, 4])];
      near(t, await diouLoss(x, y, { clampSides: true }).item(), squared, 1e-6);
      near(t, await diouLoss(x, y, { clampSides: true, centerDistance: 'norm' }).item(), printed, 1e-6);
      near(t, boxIou(p, target), target === p ? 1 : [1, 1 / 7, 0][cases.findIndex(([each]) => each === p)]!, 1e-12);
    }
  });

  await t.test('corners in the wrong order: an empty box, and a gradient that pulls it back', async (t) => {
    using _ = scope();
    const turned = [8, 1, 2, 5]; // xmin above xmax: an area of -24 without the guard
    const target = tensor([0, 0, 4, 4], [1, 4]);
    const x = tensor(turned, [1, 4]).requireGrad();
    const loss = diouLoss(x, target, { clampSides: true });
    // Centres (5, 3) and (2, 2), enclosing box from (0, 0) to (4, 5).
    near(t, await loss.item(), 1 + 10 / 41, 1e-6);
    loss.backward();
    const gradient = await x.grad!.array();
    t.ok(gradient[0]! > 0 && gradient[1]! > 0, 'the centre moves towards the target');
    t.equal(boxIou(turned, [0, 0, 4, 4]), 0);
    near(
      t,
      await diouLoss(tensor([5, 5, 5, 5], [1, 4]), tensor([5, 5, 5, 5], [1, 4]), { clampSides: true }).item(),
      1,
      1e-6,
    );
  });

  await t.test('a task below its threshold is left out; the equation drops none', async (t) => {
    using _ = scope();
    const { termWeights } = weightingOf({ network: 'mtl', weighting: 'paperCode' }, networkTasks.mtl);
    const weights = [2, 3, 4];
    t.same(termWeights([0.2, 0.2, 0], weights), weights);
    t.same(termWeights([0.19, 0.5, 0], weights), [undefined, 3, 4]);
    t.same(termWeights([0.5, 0.1, 0], weights), [2, undefined, 4]);
    const auxiliary = weightingOf({ network: 'oeq', weighting: 'paperCode' }, ['binary', 'box']);
    t.same(auxiliary.termWeights([0.15, 0], [0.7, 1.3]), [0.7, 1.3]);
    t.same(auxiliary.termWeights([0.05, 0], [0.7, 1.3]), [undefined, 1], 'the weight of the box goes too');
    const equation = weightingOf({ network: 'mtl', weighting: 'equation' }, networkTasks.mtl);
    t.same(equation.termWeights([0, 0, 0], weights), weights);
    const losses = [tensor(1), tensor(10), tensor(100)];
    t.equal(await weightedSum(losses, [2, undefined, 4])!.item(), 402);
    t.equal(weightedSum(losses, [undefined, undefined, undefined]), undefined);
  });

  await t.test('the squashed pixel loss starts at ln 2 and cannot fall below ln(1 + 1 / e)', async (t) => {
    using _ = scope();
    near(t, SQUASHED_LOSS_FLOOR, 0.3133, 1e-4);
    const mask = tensor(Int32Array.of(0, 1, 1, 0), [1, 2, 2]);
    const right = tensor([40, -40, -40, 40, -40, 40, 40, -40], [1, 2, 2, 2]);
    near(t, await crossEntropy(sigmoid(right), mask).item(), SQUASHED_LOSS_FLOOR, 1e-6);
    near(t, await crossEntropy(sigmoid(right.mul(0)), mask).item(), Math.LN2, 1e-6);
    const losses = taskLosses(
      { segmentation: right, box: tensor([0, 0, 2, 2], [1, 4]), binary: tensor([[0, Math.log(3)]]) },
      { mask, box: tensor([1, 1, 3, 3], [1, 4]), species: tensor(Int32Array.of(1), [1]) },
      ['binary', 'box', 'segmentation'],
    );
    const wanted = [Math.log(4 / 3), 0.968254, 0];
    for (const [k, loss] of losses.entries()) near(t, await loss.item(), wanted[k]!, 1e-6);
  });

  await t.test('mIoU per image and of the data set', async (t) => {
    using _ = scope();
    const [n, h, w] = [3, 5, 7];
    const scores = random(0, 'scores').normalArray(n * 2 * h * w);
    const mask = Int32Array.from(random(0, 'mask').uniformArray(n * h * w), (u) => Number(u < 0.3));
    const counts = await maskCounts(tensor(scores, [n, 2, h, w]), tensor(mask, [n, h, w])).array();
    for (let i = 0; i < n; i++) {
      const wanted = [0, 0, 0];
      for (let k = 0; k < h * w; k++) {
        const [predicted, actual] = [
          Number(scores[(2 * i + 1) * h * w + k]! > scores[2 * i * h * w + k]!),
          mask[i * h * w + k]!,
        ];
        [predicted * actual, predicted, actual].forEach((value, j) => (wanted[j]! += value));
      }
      t.same(
        [0, 1, 2].map((j) => counts[j * n + i]),
        wanted,
      );
    }
    near(t, meanIou({ both: 2, predicted: 3, actual: 4, pixels: 10 }), (2 / 5 + 5 / 8) / 2, 1e-12);
    t.equal(meanIou({ both: 0, predicted: 0, actual: 0, pixels: 10 }), 0.5, 'a pet that is nowhere counts as 0');
    const sums = new MetricSums();
    sums.add({
      masks: [
        { both: 2, predicted: 3, actual: 4, pixels: 10 },
        { both: 0, predicted: 0, actual: 0, pixels: 10 },
      ],
      boxIous: [0.5],
    });
    sums.add({ boxIous: [1, 0], correct: [true, false] });
    const metrics = sums.metrics();
    near(t, metrics.miou!, ((2 / 5 + 5 / 8) / 2 + 0.5) / 2, 1e-12);
    near(t, metrics.miouDataSet!, (2 / 5 + 15 / 18) / 2, 1e-12);
    t.same([metrics.boxIou, metrics.accuracy, metrics.collapsed], [0.5, 0.5, 0]);
    const flat = new MetricSums();
    flat.add({ masks: [{ both: 0, predicted: 0, actual: 400, pixels: 1000 }] });
    t.equal(flat.metrics().collapsed, 1);
  });
}

async function testWeights(t: Test): Promise<void> {
  await t.test('task weights by the equation: epochs, no priors', async (t) => {
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

  await t.test('task weights as the authors ran them: iterations, priors, anew in each epoch', async (t) => {
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

  await t.test('the last test batch of the authors has ten of 738 images', (t) => {
    const ious = Array.from({ length: 738 }, (_, i) => (i % 10) / 10 + (i < 10 ? 0.05 : 0));
    const found = lastTestBatch(ious, 0);
    near(t, found['test boxIou, worst ten']!, 0.45, 1e-12);
    near(t, found['test boxIou, best ten']!, 0.5, 1e-12);
    const values = new Set(
      Array.from({ length: 30 }, (_, seed) => lastTestBatch(ious, seed)['test boxIou, last batch']),
    );
    t.ok(
      [...values].every((value) => Math.abs(value! - 0.45) < 1e-9 || Math.abs(value! - 0.5) < 1e-9),
      'one chunk alone',
    );
    t.same(lastTestBatch([], 0), {});
    t.end();
  });
}

const parts = testedOn('host', 'wasm', 'reference', 'webgpu');
if (parts.has('host')) await testWeights(t);
await onEach(t, parts, vectorChecks);
