// Metrics of a network on a whole cohort, with the statistics of each batch in batch norm, as the authors evaluated, or with the
// running ones (section 6 of the specification); no image is left out. Pictures of masks and boxes for figure 3.
import { type nn, noGrad, scope, type Tensor, tensor } from '../../../engine/index.ts';
import type { PetOutputs } from '../../../models/index.ts';
import { batchInOrder, type PetBatch, type PetSamples, speciesNames } from '../../data/pets.ts';
import { MetricSums, scoresOf } from '../../metrics/segmentation.ts';
import { colourPng, greyPng, itemOf, outlineBox, sampleOf } from '../../report/pictures.ts';
import { evaluateInBatches, inference, withBatchStatistics } from '../../runner/evaluation.ts';
import type { Picture } from '../../runner/paper.ts';
import type { Pause } from '../../runner/training.ts';
import type { Targets } from './losses.ts';

export type Normalization = 'batch' | 'running';

export const inputOf = ({ images, count, size }: PetBatch): Tensor => tensor(images, [count, 3, size, size]);

export const targetsOf = ({ masks, boxes, species, count, size }: PetBatch): Targets => ({
  mask: tensor(masks, [count, size, size]),
  box: tensor(boxes, [count, 4]),
  species: tensor(species, [count]),
});

/**
 * Runs `body` with batch statistics and leaves the running ones as they were, or runs it with the running ones. Modules are in
 * training mode afterwards.
 */
export const withNormalization = <T>(
  modules: readonly nn.Module[],
  normalization: Normalization,
  body: () => Promise<T>,
): Promise<T> => (normalization === 'batch' ? withBatchStatistics : inference)(modules, body);

/** The metrics of a cohort, in batches of `batch` images in their own order. */
export async function evaluate(
  forward: (x: Tensor) => PetOutputs,
  samples: PetSamples,
  batch: number,
  pause: Pause,
): Promise<MetricSums> {
  const sums = new MetricSums();
  const cohort = {
    count: samples.count,
    batch,
    read: (first: number, end: number) => batchInOrder(samples, first, end),
  };
  await evaluateInBatches(
    cohort,
    (images) => forward(inputOf(images)),
    async (outputs, images) => sums.add(await scoresOf(outputs, targetsOf(images).mask, images)),
    pause,
  );
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
  const pictures = Array.from({ length: Math.min(count, images.count) }, (_, i) => {
    const rgb = itemOf(block.images, i, 3 * pixels).slice();
    outlineBox(rgb, size, itemOf(images.boxes, i, 4), TRUE_BOX);
    if (boxes) outlineBox(rgb, size, itemOf(boxes, i, 4), PREDICTED_BOX);
    const guess = guesses ? `, taken for a ${speciesNames[guesses[i]!]}` : '';
    return sampleOf(`test image ${i}, ${speciesNames[block.species[i]!]}${guess}`, {
      [boxes ? 'true (green) and predicted (red) box' : 'picture and true box']: colourPng(rgb, size),
      'true mask': greyPng(itemOf(images.masks, i, pixels), size, 0, 1),
      'predicted mask': masks && greyPng(itemOf(masks, i, pixels), size, 0, 1),
    });
  });
  return Promise.all(pictures);
}
