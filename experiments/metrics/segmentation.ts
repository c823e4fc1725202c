// Metrics of two-class masks, boxes and classes: mIoU averaged over images and over the whole data set, mean box IoU, accuracy.
// Averages run over images, not over batches.
import { argmax, cast, mul, noGrad, stack, sum, type Tensor } from '../../engine/index.ts';
import type { PetBatch } from '../data/pets.ts';
import { mean } from '../runner/mean.ts';

/** Pixels of one image: predicted as foreground and foreground, predicted as foreground, foreground, all. */
export interface MaskCounts {
  readonly both: number;
  readonly predicted: number;
  readonly actual: number;
  readonly pixels: number;
}

/** Scores (N, 2, H, W) and masks (N, H, W) int32 to counts (3, N): both, predicted, actual. Exact below 2^24 pixels. */
export const maskCounts = (scores: Tensor, mask: Tensor): Tensor =>
  noGrad(() => {
    const predicted = cast(argmax(scores, 1), 'float32');
    const actual = cast(mask, 'float32');
    return stack([mul(predicted, actual), predicted, actual].map((map) => sum(map, [1, 2])));
  });

const ratio = (part: number, whole: number): number => (whole > 0 ? part / whole : 0);

/** Mean of the IoU of background and foreground. A class that is nowhere, neither in truth nor in prediction, counts as 0. */
export function meanIou({ both, predicted, actual, pixels }: MaskCounts): number {
  const union = predicted + actual - both;
  return (ratio(both, union) + ratio(pixels - union, pixels - both)) / 2;
}

/** [xmin, ymin, xmax, ymax] twice. A box with its corners in the wrong order is empty. */
export function boxIou(p: ArrayLike<number>, t: ArrayLike<number>): number {
  const area = (b: ArrayLike<number>): number => Math.max(0, b[2]! - b[0]!) * Math.max(0, b[3]! - b[1]!);
  const width = Math.max(0, Math.min(p[2]!, t[2]!) - Math.max(p[0]!, t[0]!));
  const height = Math.max(0, Math.min(p[3]!, t[3]!) - Math.max(p[1]!, t[1]!));
  return ratio(width * height, area(p) + area(t) - width * height);
}

/** Values that a batch adds to the metrics; what a network does not predict is left out. */
export interface BatchScores {
  readonly masks?: readonly MaskCounts[];
  readonly boxIous?: readonly number[];
  readonly correct?: readonly boolean[];
}

/** What a network says of a batch: scores (N, 2, H, W), boxes (N, 4) in pixels, scores (N, C). */
export interface PetPredictions {
  readonly segmentation?: Tensor | undefined;
  readonly box?: Tensor | undefined;
  readonly binary?: Tensor | undefined;
}

/** What the predictions for a batch add to the metrics. `mask` is the true one on the device, (N, H, W) int32. */
export async function scoresOf(
  { segmentation, box, binary }: PetPredictions,
  mask: Tensor,
  { count, size, boxes: truth, species }: Pick<PetBatch, 'count' | 'size' | 'boxes' | 'species'>,
): Promise<BatchScores> {
  const counts = segmentation && (await maskCounts(segmentation, mask).array());
  const boxes = await box?.array();
  const guesses = binary && (await noGrad(() => argmax(binary, 1)).array());
  const images = Array.from({ length: count }, (_, i) => i);
  const boxAt = (values: Float32Array | Float64Array | Int32Array, i: number) => values.subarray(4 * i, 4 * i + 4);
  return {
    ...(counts && {
      masks: images.map((i) => ({
        both: counts[i]!,
        predicted: counts[count + i]!,
        actual: counts[2 * count + i]!,
        pixels: size ** 2,
      })),
    }),
    ...(boxes && { boxIous: images.map((i) => boxIou(boxAt(boxes, i), boxAt(truth, i))) }),
    ...(guesses && { correct: images.map((i) => species[i] === guesses[i]) }),
  };
}

export interface PetMetrics {
  /** Mean over images of the mean IoU of the two classes. */
  readonly miou?: number;
  /** Mean IoU of the two classes over all pixels of the cohort. */
  readonly miouDataSet?: number;
  readonly boxIou?: number;
  readonly accuracy?: number;
  /** 1 if one of the two classes is predicted for less than a hundredth of the pixels, else 0. */
  readonly collapsed?: number;
}

/** Share of the pixels below which a class counts as not predicted at all. */
const COLLAPSED = 0.01;

/** Collects batches of one cohort. */
export class MetricSums {
  readonly #masks: MaskCounts[] = [];
  readonly #boxIous: number[] = [];
  readonly #correct: boolean[] = [];

  add({ masks = [], boxIous = [], correct = [] }: BatchScores): void {
    this.#masks.push(...masks);
    this.#boxIous.push(...boxIous);
    this.#correct.push(...correct);
  }

  /** Box IoU of each image, in the order of the batches. */
  get boxIous(): readonly number[] {
    return this.#boxIous;
  }

  metrics(): PetMetrics {
    const total = (key: keyof MaskCounts): number => this.#masks.reduce((whole, counts) => whole + counts[key], 0);
    const all = {
      both: total('both'),
      predicted: total('predicted'),
      actual: total('actual'),
      pixels: total('pixels'),
    };
    return {
      ...(this.#masks.length > 0
        ? {
            miou: mean(this.#masks.map(meanIou)),
            miouDataSet: meanIou(all),
            collapsed: Number(Math.min(all.predicted, all.pixels - all.predicted) < COLLAPSED * all.pixels),
          }
        : {}),
      ...(this.#boxIous.length > 0 ? { boxIou: mean(this.#boxIous) } : {}),
      ...(this.#correct.length > 0 ? { accuracy: mean(this.#correct.map(Number)) } : {}),
    };
  }
}
