// The pictures of a cohort of NYU Depth V2 as the network takes them: colours from -1 to 1, depth as a share of the sensor's range, training
// pictures mirrored at random. What was not measured counts in no loss and no error.
import { random } from '../../../engine/index.ts';
import type { RoomScenes } from '../../data/rooms.ts';
import type { LabelledPicture } from './scene-split.ts';

/** Pictures on the host: input (n, 3, size, size), depth and measured (n, 1, size, size), label (n). */
export interface SceneBatch {
  readonly input: Float32Array;
  /** Depth over the range of the data; 0 where nothing was measured. */
  readonly depth: Float32Array;
  readonly label: Int32Array;
}

/** A cohort, read picture by picture. */
export class SceneCohort {
  readonly size: number;
  readonly pictures: readonly LabelledPicture[];
  readonly #data: RoomScenes;
  readonly #flips: ((epoch: number) => Float32Array) | undefined;

  /** `flip` is how often a picture is mirrored, by a stream of its own for each epoch. */
  constructor(data: RoomScenes, pictures: readonly LabelledPicture[], flip?: { share: number; seed: number }) {
    this.size = data.width;
    this.pictures = pictures;
    this.#data = data;
    this.#flips =
      flip &&
      ((epoch) =>
        random(flip.seed, 'dmtl flip', epoch)
          .uniformArray(pictures.length)
          .map((value) => Number(value < flip.share)));
  }

  get count(): number {
    return this.pictures.length;
  }

  /** Red, green and blue of a picture, row-major. */
  image(index: number): Promise<Uint8Array> {
    const { cohort, index: place } = this.pictures[index]!;
    return this.#data.cohorts[cohort].image(place);
  }

  /** Pictures of each label. */
  counts(labels: number): number[] {
    const counts = new Array<number>(labels).fill(0);
    for (const { label } of this.pictures) counts[label]!++;
    return counts;
  }

  /** Pictures by their indices. Rejects with DataError where a file is damaged. */
  async batch(indices: ArrayLike<number>, epoch = 0): Promise<SceneBatch> {
    const { size } = this;
    const pixels = size ** 2;
    const n = indices.length;
    const input = new Float32Array(3 * n * pixels);
    const depths = new Float32Array(n * pixels);
    const label = new Int32Array(n);
    const flips = this.#flips?.(epoch);
    for (let i = 0; i < n; i++) {
      const index = indices[i]!;
      const { cohort, index: place, label: own } = this.pictures[index]!;
      const [image, depth] = [await this.image(index), await this.#data.cohorts[cohort].depth(place)];
      const isMirrored = flips?.[index] === 1;
      for (let y = 0; y < size; y++) {
        for (let x = 0; x < size; x++) {
          const from = y * size + (isMirrored ? size - 1 - x : x);
          const to = y * size + x;
          for (let c = 0; c < 3; c++) input[(3 * i + c) * pixels + to] = image[3 * from + c]! / 127.5 - 1;
          depths[i * pixels + to] = depth[from]! / this.#data.depthRange;
        }
      }
      label[i] = own;
    }
    return { input, depth: depths, label };
  }
}

/**
 * Depth and a factor for its prediction, such that the mean square over all pixels of their products' difference is that over the measured
 * ones: both are multiplied by the root of all over measured pixels, and by 0 where nothing was measured.
 */
export function overMeasured(depth: Float32Array): { readonly depth: Float32Array; readonly measured: Float32Array } {
  const found = depth.reduce((sum, value) => sum + Number(value > 0), 0);
  const factor = Math.sqrt(depth.length / Math.max(1, found));
  const measured = depth.map((value) => (value > 0 ? factor : 0));
  return { measured, depth: depth.map((value, i) => value * measured[i]!) };
}
