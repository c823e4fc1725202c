// Metrics of dmtl on a cohort, batch norm in inference mode: accuracy = correct / total, and the root mean squared depth
// error over all pixels and over digit pixels alone, in units of the depth map (0 to 1).
import { noGrad, scope, tensor } from '../../../engine/index.ts';
import type { UNet } from '../../../models/index.ts';
import type { ExtrudedDigits } from '../../data/extruded-digits.ts';
import { Mean } from '../../metrics/means.ts';
import { greyPng, itemOf, sampleOf, stretchedPng } from '../../report/pictures.ts';
import { evaluateInBatches, inference } from '../../runner/evaluation.ts';
import type { Picture } from '../../runner/paper.ts';
import type { Pause } from '../../runner/training.ts';
import type { Scores } from './course.ts';

/** Pixels of a forward pass: enough to be efficient, little enough for memory at 256 x 256. */
const PIXELS_AT_ONCE = 2 ** 18;
/** Images of this side of a forward pass. */
export const imagesAtOnce = (size: number): number => Math.max(1, Math.min(64, Math.floor(PIXELS_AT_ONCE / size ** 2)));

const range = (first: number, end: number): number[] => Array.from({ length: end - first }, (_, i) => first + i);

/** Runs the model over a cohort. With `withDepth` false the decoder is left alone. */
export async function evaluate(model: UNet, images: ExtrudedDigits, withDepth: boolean, pause: Pause): Promise<Scores> {
  const { size, count } = images;
  const [correct, squares, digitSquares] = [new Mean(), new Mean(), new Mean()];
  const cohort = {
    count,
    batch: imagesAtOnce(size),
    read: (first: number, end: number) => images.batch(range(first, end)),
  };
  await inference([model], () =>
    evaluateInBatches(
      cohort,
      ({ input, label }) => {
        const features = model.encode(tensor(input, [label.length, 1, size, size]));
        return { logits: model.classify(features), depth: withDepth ? model.decode(features) : undefined };
      },
      async ({ logits, depth }, truth) => {
        const guesses = await logits.argmax(1).array();
        truth.label.forEach((label, i) => correct.add(Number(guesses[i] === label)));
        const predicted = await depth?.array();
        predicted?.forEach((value: number, i: number) => {
          const square = (value - truth.depth[i]!) ** 2;
          squares.add(square);
          if (truth.depth[i]! > 0) digitSquares.add(square);
        });
      },
      pause,
    ),
  );
  const accuracy = correct.value!;
  if (!withDepth) return { accuracy };
  return {
    accuracy,
    depthRmse: Math.sqrt(squares.value!),
    digitDepthRmse: Math.sqrt(digitSquares.value ?? 0),
  };
}

/** Noisy input, predicted and true depth of the first images of a cohort. */
export async function pictureTriples(model: UNet, images: ExtrudedDigits, count = 3): Promise<Picture[]> {
  using _batch = scope();
  const { size } = images;
  const n = Math.min(count, images.count);
  const { input, depth, label } = images.batch(range(0, n));
  return await inference([model], async () => {
    const output = noGrad(() => model.forward(tensor(input, [n, 1, size, size])));
    const predicted = await output.depth.array();
    const guesses = await output.logits.argmax(1).array();
    const samples = range(0, n).map((i) =>
      sampleOf(`test image ${i}, digit ${label[i]}, taken for ${guesses[i]}`, {
        'noisy input': stretchedPng(itemOf(input, i, size ** 2), size),
        'predicted depth': greyPng(itemOf(predicted, i, size ** 2), size, 0, 1),
        'true depth': greyPng(itemOf(depth, i, size ** 2), size, 0, 1),
      }),
    );
    return Promise.all(samples);
  });
}
