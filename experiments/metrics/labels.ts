// Scores of maps of classes, of whole numbers on the host: intersection over union of each class, averaged as three protocols have it.
//   MTI-Net      one confusion matrix of the whole set; the mean over all classes, of which one that is nowhere counts as 0
//   Cityscapes   the same matrix; the mean over the classes that are anywhere, in truth or prediction
//   per picture  a matrix for each picture, the mean over the classes that are anywhere in it, and the mean over pictures
// Pixels without a true class count in none of them. Leaves out instances.
import { DataError } from '../../engine/index.ts';
import { Mean } from './means.ts';

/** How classes are written in maps. */
export interface LabelCode {
  /** How many classes there are. */
  readonly classes: number;
  /** The value of pixels without a class: with 255 the classes are 0 to C - 1, with 0 they are 1 to C. Default 255. */
  readonly void?: 0 | 255;
}

/** Pixels by true class (rows) and predicted class (columns), and those without a predicted class. */
export class ConfusionMatrix {
  readonly classes: number;
  readonly #first: number;
  readonly #void: number;
  /** One column more than classes, for predictions that are void. */
  readonly #counts: Float64Array;

  constructor({ classes, void: none = 255 }: LabelCode) {
    this.classes = classes;
    this.#void = none;
    this.#first = none === 0 ? 1 : 0;
    this.#counts = new Float64Array(classes * (classes + 1));
  }

  #classOf(value: number, what: string, pixel: number): number {
    const label = value - this.#first;
    if (Number.isInteger(label) && label >= 0 && label < this.classes) return label;
    throw new DataError(`pixel ${pixel} of the ${what} is of no class`, {
      expected: `${this.#first} to ${this.classes - 1 + this.#first}, ${this.#void} for void`,
      given: String(value),
    });
  }

  /** Adds a picture. A prediction of void is wrong wherever there is a true class. Throws DataError for values that are no class. */
  add(predicted: ArrayLike<number>, truth: ArrayLike<number>): void {
    if (predicted.length !== truth.length) {
      throw new DataError('the prediction has another size than the truth', {
        expected: `${truth.length} pixels`,
        given: `${predicted.length}`,
      });
    }
    for (let pixel = 0; pixel < truth.length; pixel++) {
      if (truth[pixel] === this.#void) continue;
      const row = this.#classOf(truth[pixel]!, 'truth', pixel);
      const isVoid = predicted[pixel] === this.#void;
      const column = isVoid ? this.classes : this.#classOf(predicted[pixel]!, 'prediction', pixel);
      this.#counts[row * (this.classes + 1) + column]!++;
    }
  }

  /** Adds everything that another matrix of as many classes has counted. */
  addAll(other: ConfusionMatrix): void {
    other.#counts.forEach((count, i) => (this.#counts[i]! += count));
  }

  /** Pixels of a true class with a predicted one. */
  at(truth: number, predicted: number): number {
    return this.#counts[truth * (this.classes + 1) + predicted]!;
  }

  /** Pixels with a true class. */
  get pixels(): number {
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }

  /** Share of the pixels with a true class that are right; undefined without such pixels. */
  get accuracy(): number | undefined {
    const classes = Array.from({ length: this.classes }, (_, c) => c);
    return this.pixels > 0 ? classes.reduce((sum, c) => sum + this.at(c, c), 0) / this.pixels : undefined;
  }

  /** TP / (TP + FP + FN) of each class; undefined for one that is nowhere, neither in truth nor in prediction. */
  ious(): (number | undefined)[] {
    const classes = Array.from({ length: this.classes }, (_, c) => c);
    return classes.map((c) => {
      const actual = classes.reduce((sum, k) => sum + this.at(c, k), this.at(c, this.classes));
      const guessed = classes.reduce((sum, k) => sum + this.at(k, c), 0);
      const union = actual + guessed - this.at(c, c);
      return union > 0 ? this.at(c, c) / union : undefined;
    });
  }
}

/** Mean of the classes that are anywhere, or undefined where there is none. */
function meanOfPresent(ious: readonly (number | undefined)[]): number | undefined {
  const present = new Mean();
  for (const iou of ious) if (iou !== undefined) present.add(iou);
  return present.value;
}

/** Collects the pictures of a cohort, one by one. */
export class LabelScores {
  readonly matrix: ConfusionMatrix;
  readonly #code: LabelCode;
  readonly #perPicture = new Mean();

  constructor(code: LabelCode) {
    this.#code = code;
    this.matrix = new ConfusionMatrix(code);
  }

  /** Adds one picture. Throws DataError as `ConfusionMatrix.add`. */
  add(predicted: ArrayLike<number>, truth: ArrayLike<number>): void {
    const own = new ConfusionMatrix(this.#code);
    own.add(predicted, truth);
    this.matrix.addAll(own);
    const mean = meanOfPresent(own.ious());
    if (mean !== undefined) this.#perPicture.add(mean);
  }

  /** mIoU by its protocol's name, and accuracy of pixels, all in percent; empty where no pixel has a true class. */
  metrics(): Record<string, number> {
    if (this.matrix.pixels === 0) return {};
    const ious = this.matrix.ious();
    return {
      'mIoU (MTI-Net)': (100 * ious.reduce<number>((sum, iou = 0) => sum + iou, 0)) / this.matrix.classes,
      'mIoU (Cityscapes)': 100 * meanOfPresent(ious)!,
      'mIoU (per picture)': 100 * this.#perPicture.value!,
      'pixel accuracy': 100 * this.matrix.accuracy!,
    };
  }
}
