// What a device computes of the DenseDepth specification's vectors (section 4.3): SSIM, the terms of the depth loss, the metric.
import type { Test } from 'tap';
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
import { batchScores } from '../../../experiments/metrics/depth-and-class.ts';
import { depthLoss, gradientLoss, taskLosses } from '../../../experiments/papers/densedepth/losses.ts';

const [H, W] = [96, 128];
const RANGE = 12.086;
const published = { ssim: 0.85, gradient: 0.9, mae: 0.1 };
const shape = [1, 1, H, W];

const map = (at: (i: number, j: number) => number): Float64Array =>
  Float64Array.from({ length: H * W }, (_, k) => at(Math.floor(k / W), k % W));
const ramp = map((i, j) => 1 + 0.01 * (i + 2 * j));
const wave = map((i, j) => 1.1 * (1 + 0.01 * (i + 2 * j)) + 0.05 * ((i + j) % 2));

export const near = (t: Test, found: number, wanted: number, tolerance: number, what: string): boolean =>
  t.ok(Math.abs(found - wanted) <= tolerance, `${what}: ${found} is near ${wanted}`);

/** All checks on one device; sums of float32 are within 5e-7 of the numbers of float64 but for the small variances of SSIM. */
export async function lossVectors(t: Test, device: Device): Promise<void> {
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
