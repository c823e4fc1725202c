// Metrics of dmtl on a cohort, batch norm in inference mode: accuracy = correct / total, and the root mean squared depth
// error over all pixels and over digit pixels alone, in units of the depth map (0 to 1).
import { noGrad, scope, tensor } from '../../../engine/index.ts';
import type { UNet } from '../../../models/index.ts';
import type { ExtrudedDigits } from '../../data/extruded-digits.ts';
import { greyPng, stretchedPng } from '../../report/pictures.ts';
import type { Picture } from '../../runner/paper.ts';

export interface Evaluation {
  accuracy: number;
  depthRmse?: number;
  digitDepthRmse?: number;
}

/** Images per forward pass: enough to be efficient, little enough for memory at 256 x 256. */
const pixelsAtOnce = 2 ** 18;

const range = (first: number, end: number): number[] => Array.from({ length: end - first }, (_, i) => first + i);

/** Runs the model over a cohort. With `depth` false the decoder is left alone. */
export async function evaluate(
  model: UNet,
  images: ExtrudedDigits,
  depth: boolean,
  pause: () => Promise<void>,
): Promise<Evaluation> {
  model.eval();
  const { size, count } = images;
  const chunk = Math.max(1, Math.min(64, Math.floor(pixelsAtOnce / size ** 2)));
  let correct = 0;
  const all = { squares: 0, pixels: 0 };
  const digit = { squares: 0, pixels: 0 };
  for (let at = 0; at < count; at += chunk) {
    using _batch = scope();
    const batch = images.batch(range(at, Math.min(count, at + chunk)));
    const n = batch.label.length;
    const output = noGrad(() => {
      const features = model.encode(tensor(batch.input, [n, 1, size, size]));
      return { logits: model.classify(features), depth: depth ? model.decode(features) : undefined };
    });
    const guesses = await output.logits.argmax(1).array();
    batch.label.forEach((label, i) => (correct += Number(guesses[i] === label)));
    if (output.depth) {
      const predicted = await output.depth.array();
      batch.depth.forEach((truth, i) => {
        const square = (predicted[i]! - truth) ** 2;
        all.squares += square;
        all.pixels++;
        if (truth > 0) {
          digit.squares += square;
          digit.pixels++;
        }
      });
    }
    await pause();
  }
  model.train();
  const accuracy = correct / count;
  if (!depth) return { accuracy };
  return {
    accuracy,
    depthRmse: Math.sqrt(all.squares / all.pixels),
    digitDepthRmse: Math.sqrt(digit.squares / Math.max(1, digit.pixels)),
  };
}

/** Noisy input, predicted and true depth of the first images of a cohort. */
export async function pictureTriples(model: UNet, images: ExtrudedDigits, count = 3): Promise<Picture[]> {
  using _batch = scope();
  const { size } = images;
  const n = Math.min(count, images.count);
  const batch = images.batch(range(0, n));
  model.eval();
  const output = noGrad(() => model.forward(tensor(batch.input, [n, 1, size, size])));
  const predicted = await output.depth.array();
  const guesses = await output.logits.argmax(1).array();
  model.train();
  return range(0, n).map((i) => {
    const of = (values: ArrayLike<number>): Float32Array =>
      Float32Array.from({ length: size ** 2 }, (_, pixel) => values[i * size ** 2 + pixel]!);
    return {
      label: `test image ${i}, digit ${batch.label[i]}, taken for ${guesses[i]}`,
      images: [
        { caption: 'noisy input', png: stretchedPng(of(batch.input), size) },
        { caption: 'predicted depth', png: greyPng(of(predicted), size, 0, 1) },
        { caption: 'true depth', png: greyPng(of(batch.depth), size, 0, 1) },
      ],
    };
  });
}
