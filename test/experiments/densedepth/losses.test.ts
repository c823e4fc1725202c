// Losses and metrics of DenseDepth against the worked numbers of its specification, and counts by hand.
import t from 'tap';
import { createDevice } from '../../../engine/index.ts';
import { DepthAndClassSums, rangeOf } from '../../../experiments/metrics/depth-and-class.ts';
import { lossVectors } from './loss-vectors.ts';

for (const kind of ['reference', 'wasm'] as const) {
  t.test(kind, async (t) => {
    const device = await createDevice(kind);
    await lossVectors(t, device);
    device.dispose();
  });
}

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
