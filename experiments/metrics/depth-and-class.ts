// Scores of depth maps with a class for each picture, added up in float64 on the host: absolute error over all pixels and over
// measured ones, structural similarity, accuracy, precision and recall of probabilities above 1/2 as Keras counts them; all but the
// last two for each class too. A sum over a cohort does not depend on how it was cut into batches, except for SSIM by the batch's range.
import { noGrad, softmax, ssim, type Tensor } from '../../engine/index.ts';
import { Mean } from './means.ts';

/** What a network says of a batch, and the truth: metres (N, 1, H, W), 0 where nothing was measured, and classes. */
export interface DepthAndClass {
  readonly depth: Tensor;
  readonly logits: Tensor;
  readonly target: Tensor;
  /** The same as `target`, on the host. */
  readonly metres: Float32Array;
  readonly labels: Int32Array;
}

/** Numbers of one batch, on the host. */
export interface BatchScores {
  readonly depth: ArrayLike<number>;
  readonly probabilities: ArrayLike<number>;
  readonly metres: Float32Array;
  readonly labels: Int32Array;
  /** SSIM of each image by the range of the batch's depths, and by a fixed one. */
  readonly ssim: ArrayLike<number>;
  readonly ssimFixed: ArrayLike<number>;
}

/** Largest minus smallest depth of a batch; the fixed range where all are the same, for which SSIM is not defined. */
export function rangeOf(metres: Float32Array, fixed: number): number {
  let [low, high] = [Infinity, -Infinity];
  for (const value of metres) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return high > low ? high - low : fixed;
}

/** Reads what the scores are made of. `range` is the fixed one, in metres. */
export async function batchScores(batch: DepthAndClass, range: number): Promise<BatchScores> {
  const { depth, logits, target, metres, labels } = batch;
  const made = noGrad(() => ({
    probabilities: softmax(logits, 1),
    ssim: ssim(depth, target, { maxValue: rangeOf(metres, range) }),
    ssimFixed: ssim(depth, target, { maxValue: range }),
  }));
  return {
    metres,
    labels,
    depth: await depth.array(),
    probabilities: await made.probabilities.array(),
    ssim: await made.ssim.array(),
    ssimFixed: await made.ssimFixed.array(),
  };
}

/** The threshold of precision and recall. */
const PREDICTED = 0.5;

interface ClassMeans {
  readonly mae: Mean;
  readonly maeValid: Mean;
  readonly ssim: Mean;
  readonly accuracy: Mean;
}
const classMeans = (): ClassMeans => ({
  mae: new Mean(),
  maeValid: new Mean(),
  ssim: new Mean(),
  accuracy: new Mean(),
});

export class DepthAndClassSums {
  readonly #classes: readonly string[];
  readonly #all = classMeans();
  readonly #byClass: readonly ClassMeans[];
  readonly #ssimFixed = new Mean();
  #hits = 0;
  #predicted = 0;

  /** `classes` are their names, in the order of the labels. */
  constructor(classes: readonly string[]) {
    this.#classes = classes;
    this.#byClass = classes.map(classMeans);
  }

  add({ depth, probabilities, metres, labels, ssim, ssimFixed }: BatchScores): void {
    const [count, classes] = [labels.length, this.#classes.length];
    const pixels = metres.length / count;
    for (let n = 0; n < count; n++) {
      const label = labels[n]!;
      const own = [this.#all, this.#byClass[label]!];
      for (let i = n * pixels; i < (n + 1) * pixels; i++) {
        const error = Math.abs(depth[i]! - metres[i]!);
        for (const { mae, maeValid } of own) {
          mae.add(error);
          if (metres[i]! > 0) maeValid.add(error);
        }
      }
      let best = 0;
      for (let c = 0; c < classes; c++) {
        const probability = probabilities[n * classes + c]!;
        if (probability > probabilities[n * classes + best]!) best = c;
        if (!(probability > PREDICTED)) continue;
        this.#predicted++;
        if (c === label) this.#hits++;
      }
      for (const { ssim: structure, accuracy } of own) {
        structure.add(ssim[n]!);
        accuracy.add(Number(best === label));
      }
      this.#ssimFixed.add(ssimFixed[n]!);
    }
  }

  /** The scores by name; what has no pixel or image is left out. Precision is 0 where no class is predicted, as in Keras. */
  metrics(): Record<string, number> {
    const named = ({ mae, maeValid, ssim, accuracy }: ClassMeans, ending = '') => ({
      [`mae${ending}`]: mae.value,
      [`maeValid${ending}`]: maeValid.value,
      [`ssim${ending}`]: ssim.value,
      [`accuracy${ending}`]: accuracy.value,
    });
    const images = this.#all.accuracy.count;
    const all = Object.assign(
      named(this.#all),
      {
        ssimFixed: this.#ssimFixed.value,
        precision: this.#predicted > 0 ? this.#hits / this.#predicted : images > 0 ? 0 : undefined,
        recall: images > 0 ? this.#hits / images : undefined,
      },
      ...this.#byClass.map((means, c) => named(means, ` ${this.#classes[c]}`)),
    ) as Record<string, number | undefined>;
    return Object.fromEntries(Object.entries(all).filter((entry): entry is [string, number] => entry[1] !== undefined));
  }
}
