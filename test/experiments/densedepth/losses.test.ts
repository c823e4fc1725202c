// Losses and metrics of DenseDepth: what each device computes of the worked numbers of its specification (section 4.3), and counts by
// hand.
import t, { type Test } from 'tap';
import {
  abs,
  type Device,
  full,
  mean,
  scope,
  setDefaultDevice,
  ssim,
  sub,
  tensor,
  zeros,
} from '../../../engine/index.ts';
import { batchScores, DepthAndClassSums, rangeOf } from '../../../experiments/metrics/depth-and-class.ts';
import { depthLoss, gradientLoss, taskLosses } from '../../../experiments/papers/densedepth/losses.ts';
import { onEach, testedOn } from '../../tested-on.ts';

const parts = testedOn('host', 'reference', 'wasm', 'webgpu');

const [H, W] = [96, 128];
const RANGE = 12.086;
const published = { ssim: 0.85, gradient: 0.9, mae: 0.1 };
const shape = [1, 1, H, W];

const map = (at: (i: number, j: number) => number): Float64Array =>
  Float64Array.from({ length: H * W }, (_, k) => at(Math.floor(k / W), k % W));
const ramp = map((i, j) => 1 + 0.01 * (i + 2 * j));
const wave = map((i, j) => 1.1 * (1 + 0.01 * (i + 2 * j)) + 0.05 * ((i + j) % 2));

const near = (t: Test, found: number, wanted: number, tolerance: number, what: string): boolean =>
  t.ok(Math.abs(found - wanted) <= tolerance, `${what}: ${found} is near ${wanted}`);

/** All checks on one device; sums of float32 are within 5e-7 of the numbers of float64 but for the small variances of SSIM. */
async function lossVectors(t: Test, device: Device): Promise<void> {
  setDefaultDevice(device);
  const exact = device.name === 'reference';
  const tolerance = exact ? 6e-8 : 2e-6;
  const similarity = exact ? 6e-8 : 2e-5;
  await t.test('constant maps', async (t) => {
    using _ = scope();
    const [prediction, target] = [full(shape, 3), full(shape, 2)];
    near(t, await ssim(prediction, target, { maxValue: RANGE }).item(), 0.9231633, tolerance, 'SSIM');
    near(t, await gradientLoss(prediction, target).item(), 0, 0, 'gradient');
    const loss = depthLoss(prediction, target, { weights: published, range: RANGE });
    near(t, await loss.item(), 0.1326556, tolerance, 'depth loss');
  });
  await t.test('a ramp and its wave', async (t) => {
    using _ = scope();
    const [prediction, target] = [tensor(wave, shape), tensor(ramp, shape)];
    near(t, await ssim(prediction, target, { maxValue: RANGE }).item(), 0.9898934, similarity, 'SSIM');
    near(t, await gradientLoss(prediction, target).item(), 0.0990885, tolerance, 'gradient');
    near(t, await mean(abs(sub(prediction, target))).item(), 0.2995001, Math.max(tolerance, 2e-7), 'MAE');
    const loss = depthLoss(prediction, target, { weights: published, range: RANGE });
    near(t, await loss.item(), 0.1234248, Math.max(similarity, 3e-7), 'depth loss');
    const logits = zeros([1, 3]);
    const metres = Float32Array.from(ramp);
    const scores = await batchScores({ depth: prediction, logits, target, metres, labels: Int32Array.of(1) }, RANGE);
    near(t, scores.ssim[0]!, 0.9496043, exact ? 1e-6 : 2e-5, 'SSIM by the range of the batch, 3.49 m');
    near(t, scores.ssimFixed[0]!, 0.9898934, similarity, 'SSIM by the fixed range');
  });
  await t.test('pixels without a measurement can be left out', async (t) => {
    using _ = scope();
    // A hole in the ramp: what is predicted there must not matter, and must get no gradient.
    const hole = map((i, j) => Number(!(i > 40 && i < 60 && j > 30 && j < 80)));
    const target = tensor(
      ramp.map((value, k) => value * hole[k]!),
      shape,
    );
    const valid = tensor(hole, shape);
    const labels = tensor(Int32Array.of(1));
    const options = { weights: published, range: RANGE };
    const losses: number[] = [];
    for (const inside of [0, 5]) {
      const depth = tensor(
        wave.map((value, k) => (hole[k] ? value : inside)),
        shape,
      ).requireGrad();
      const { loss, depthLoss, classesLoss } = taskLosses(
        { depth, logits: zeros([1, 3]) },
        { depth: target, labels, valid },
        options,
      );
      loss.backward();
      losses.push(await depthLoss.item());
      near(t, await classesLoss.item(), Math.log(3), 1e-6, 'classes at chance');
      const gradient = await depth.grad!.array();
      t.ok(hole.every((measured, k) => measured === 1 || gradient[k] === 0));
      t.ok(gradient.some((value) => value !== 0));
    }
    t.equal(losses[0], losses[1]);
    const [prediction] = [tensor(wave, shape)];
    const everywhere = await depthLoss(prediction, target, options).item();
    t.ok(everywhere > losses[0]!, 'as published they are a target of 0 m');
  });
}

await onEach(t, parts, lossVectors);

if (parts.has('host')) {
  const names = ['car', 'bin', 'bicycle'];
  /** Two pictures of 1 x 2 pixels in one batch. */
  const scoresOf = (labels: number[], probabilities: number[], depth: number[], metres: number[], ssim: number[]) => ({
    labels: Int32Array.from(labels),
    probabilities,
    depth,
    metres: Float32Array.from(metres),
    ssim,
    ssimFixed: ssim.map((value) => value / 2),
  });

  t.test('errors over all and over measured pixels, by class', (t) => {
    const sums = new DepthAndClassSums(names);
    sums.add(scoresOf([0, 2], [0.7, 0.2, 0.1, 0.1, 0.6, 0.3], [1, 2, 3, 4], [2, 0, 3, 6], [0.5, 0.75]));
    sums.add(scoresOf([2], [0.25, 0.3, 0.45], [1, 1], [0, 0], [0.25]));
    const found = sums.metrics();
    t.match(found, {
    'mae': (1 + 2 + 0 + 2 + 1 + 1) / 6,
    'maeValid': 1,
    'ssim': 0.5,
    'ssimFixed': 0.25,
    'accuracy': 2 / 3,
    'precision': 1 / 2,
    'recall': 1 / 3,
    'mae car': 1.5,
    'maeValid car': 1,
    'accuracy car': 1,
    'mae bicycle': 1,
    'maeValid bicycle': 1,
    'ssim bicycle': 0.5,
    'accuracy bicycle': 0.5,
  }); // prettier-ignore
    t.notOk('mae bin' in found, 'a class without a picture has no score');
    t.end();
  });

  t.test('on a plateau nothing is predicted', (t) => {
    const sums = new DepthAndClassSums(names);
    t.same(sums.metrics(), {}, 'nothing added, nothing said');
    sums.add(scoresOf([0, 1], [0.34, 0.33, 0.33, 0.3, 0.5, 0.2], [0, 0, 0, 0], [0, 0, 0, 0], [1, 1]));
    const { precision, recall, accuracy, maeValid } = sums.metrics();
    t.same([precision, recall, accuracy, maeValid], [0, 0, 1, undefined], '1/2 itself is not above it');
    t.end();
  });

  t.test('a batch without depth has no range', (t) => {
    t.equal(rangeOf(new Float32Array(4), 12.086), 12.086);
    t.equal(rangeOf(Float32Array.of(1, 4, 0), 12.086), 4);
    t.end();
  });
}
