// Errors of maps of metric depth, added up in float64 on the host: root of the mean squared error in metres, and of its logarithm, pooled
// over all pixels of a set with a measurement as MTI-Net has it, and as the mean over pictures. Leaves out scale-invariant errors.
import { DataError } from '../../engine/index.ts';
import { Mean } from './means.ts';

/** Metres: a prediction below counts as this where its logarithm is taken. */
export const SMALLEST_DEPTH = 1e-3;

/** Collects the pictures of a cohort, one by one. */
export class DepthErrors {
  readonly #squares = new Mean();
  readonly #logSquares = new Mean();
  readonly #perPicture = new Mean();
  readonly #logPerPicture = new Mean();
  #clamped = 0;

  /** Adds one picture: metres, and the true metres, 0 where nothing was measured. */
  add(predicted: ArrayLike<number>, truth: ArrayLike<number>): void {
    if (predicted.length !== truth.length) {
      throw new DataError('the predicted depth has another size than the truth', {
        expected: `${truth.length} pixels`,
        given: `${predicted.length}`,
      });
    }
    const [own, ownLog] = [new Mean(), new Mean()];
    for (let pixel = 0; pixel < truth.length; pixel++) {
      const [metres, actual] = [predicted[pixel]!, truth[pixel]!];
      if (!(actual > 0)) continue;
      if (metres < SMALLEST_DEPTH) this.#clamped++;
      const square = (metres - actual) ** 2;
      const logSquare = Math.log(Math.max(metres, SMALLEST_DEPTH) / actual) ** 2;
      for (const mean of [this.#squares, own]) mean.add(square);
      for (const mean of [this.#logSquares, ownLog]) mean.add(logSquare);
    }
    if (own.count === 0) return;
    this.#perPicture.add(Math.sqrt(own.value!));
    this.#logPerPicture.add(Math.sqrt(ownLog.value!));
  }

  /** The errors by name, in metres and natural logarithms, and how many predictions were clamped; empty without a measured pixel. */
  metrics(): Record<string, number> {
    if (this.#squares.count === 0) return {};
    return {
      'rmse': Math.sqrt(this.#squares.value!),
      'logrmse': Math.sqrt(this.#logSquares.value!),
      'rmse (per picture)': this.#perPicture.value!,
      'logrmse (per picture)': this.#logPerPicture.value!,
      'clamped pixels': this.#clamped,
    }; // prettier-ignore
  }
}
