// Metrics of a network on a whole cohort, with the statistics of each batch in batch norm, as the authors evaluated, or with the
// running ones (section 6 of the specification); no image is left out. Pictures of masks and boxes for figure 3.
import { nn, noGrad, scope, type Tensor, tensor } from '../../../engine/index.ts';
import type { PetOutputs } from '../../../models/index.ts';
import { batchInOrder, type PetBatch, type PetSamples, speciesNames } from '../../data/pets.ts';
import { colourPng, greyPng, outlineBox } from '../../report/pictures.ts';
import type { Picture } from '../../runner/paper.ts';
import type { Targets } from './losses.ts';
import { type BatchScores, boxIou, maskCounts, type MaskCounts, MetricSums } from '../../metrics/segmentation.ts';

export type Normalization = 'batch' | 'running';

export const inputOf = ({ images, count, size }: PetBatch): Tensor => tensor(images, [count, 3, size, size]);

export const targetsOf = ({ masks, boxes, species, count, size }: PetBatch): Targets => ({
  mask: tensor(masks, [count, size, size]),
  box: tensor(boxes, [count, 4]),
  species: tensor(species, [count]),
});

/** What the predictions for a batch add to the metrics. */
export async function scoresOf(outputs: PetOutputs, targets: Targets, batch: PetBatch): Promise<BatchScores> {
  const { segmentation, box, binary } = outputs;
  const { count, size } = batch;
  const scores: { -readonly [key in keyof BatchScores]: BatchScores[key] } = {};
  if (segmentation) {
    const counts = await maskCounts(segmentation, targets.mask).array();
    scores.masks = Array.from({ length: count }, (_, i): MaskCounts => {
      return { both: counts[i]!, predicted: counts[count + i]!, actual: counts[2 * count + i]!, pixels: size ** 2 };
    });
  }
  if (box) {
    const boxes = await box.array();
    const at = (values: ArrayLike<number>, i: number): number[] => [0, 1, 2, 3].map((k) => values[4 * i + k]!);
    scores.boxIous = Array.from({ length: count }, (_, i) => boxIou(at(boxes, i), at(batch.boxes, i)));
  }
  if (binary) {
    const guesses = await noGrad(() => binary.argmax(1)).array();
    scores.correct = Array.from(batch.species, (species, i) => species === guesses[i]);
  }
  return scores;
}

/**
 * Runs `body` with batch statistics and leaves the running ones as they were, or runs it with the running ones. Modules are in
 * training mode afterwards.
 */
export async function withNormalization<T>(
  modules: readonly nn.Module[],
  normalization: Normalization,
  body: () => Promise<T>,
): Promise<T> {
  if (normalization === 'running') {
    modules.forEach((module) => module.eval());
    try {
      return await body();
    } finally {
      modules.forEach((module) => module.train());
    }
  }
  const state = modules.flatMap((module) => [...module.namedState()].map(([, value]) => value));
  const running = state.filter((value) => value instanceof nn.Buffer);
  const before = await Promise.all(running.map((value) => value.array()));
  const counters = state.filter((value) => value instanceof nn.Counter);
  const counts = counters.map(({ value }) => value);
  modules.forEach((module) => module.train());
  try {
    return await body();
  } finally {
    running.forEach((value, i) => value.device.write(value.storage, before[i]!));
    counters.forEach((counter, i) => (counter.value = counts[i]!));
  }
}

/** The metrics of a cohort, in batches of `batch` images in their own order. */
export async function evaluate(
  forward: (x: Tensor) => PetOutputs,
  samples: PetSamples,
  batch: number,
  pause: () => Promise<void>,
): Promise<MetricSums> {
  const sums = new MetricSums();
  for (let first = 0; first < samples.count; first += batch) {
    using _batch = scope();
    const images = batchInOrder(samples, first, Math.min(samples.count, first + batch));
    const outputs = noGrad(() => forward(inputOf(images)));
    sums.add(await scoresOf(outputs, targetsOf(images), images));
    await pause();
  }
  return sums;
}

const TRUE_BOX = [0, 200, 0] as const;
const PREDICTED_BOX = [230, 0, 0] as const;

/** Picture with both boxes, true mask and predicted mask of the first images of a cohort: a column of figure 3. */
export async function picturePanel(
  forward: (x: Tensor) => PetOutputs,
  samples: PetSamples,
  batch: number,
  count = 4,
): Promise<Picture[]> {
  using _batch = scope();
  const images = batchInOrder(samples, 0, Math.min(samples.count, batch));
  const { size } = images;
  const pixels = size ** 2;
  const outputs = noGrad(() => forward(inputOf(images)));
  const boxes = await outputs.box?.array();
  const masks = await outputs.segmentation?.argmax(1).array();
  const guesses = await outputs.binary?.argmax(1).array();
  const block = samples.read(0, images.count);
  return Array.from({ length: Math.min(count, images.count) }, (_, i): Picture => {
    const rgb = block.images.slice(3 * pixels * i, 3 * pixels * (i + 1));
    outlineBox(rgb, size, Array.from(images.boxes.subarray(4 * i, 4 * i + 4)), TRUE_BOX);
    if (boxes) outlineBox(rgb, size, Array.from(boxes.subarray(4 * i, 4 * i + 4)), PREDICTED_BOX);
    const of = (values: ArrayLike<number>): number[] =>
      Array.from({ length: pixels }, (_, pixel) => values[i * pixels + pixel]!);
    const guess = guesses ? `, taken for a ${speciesNames[guesses[i]!]}` : '';
    return {
      label: `test image ${i}, ${speciesNames[block.species[i]!]}${guess}`,
      images: [
        {
          caption: boxes ? 'true (green) and predicted (red) box' : 'picture and true box',
          png: colourPng(rgb, size),
        },
        { caption: 'true mask', png: greyPng(of(images.masks), size, 0, 1) },
        ...(masks ? [{ caption: 'predicted mask', png: greyPng(of(masks), size, 0, 1) }] : []),
      ],
    };
  });
}
