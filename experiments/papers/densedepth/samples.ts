// The pictures of a run: which scenes train and validate, copies, random flips and swaps of red and green, and batches as the
// network takes them (sections 2.3 and 7.7 of the specification).
import { random } from '../../../engine/index.ts';
import type { LoadedScenes, ObjectScene, Scenes } from '../../data/object-scenes.ts';
import { batchesIn, Epochs } from '../../runner/epochs.ts';
import type { TrainingSettings } from './settings.ts';

/** Bits of a variant of a scene: mirrored, and red and green in each other's place. */
export const [FLIP, SWAP] = [1, 2];
export const VARIANTS = 4;

/** A picture: a scene and how it is shown. */
export interface Place {
  readonly scene: number;
  readonly variant: number;
}

/** Scenes with the places of them that train and validate. */
export interface Pool {
  readonly scenes: Scenes;
  readonly train: readonly Place[];
  readonly validation: readonly Place[];
}

/** The scenes of one cohort behind those of another. */
const joined = (first: Scenes, second: Scenes): Scenes => ({
  count: first.count + second.count,
  read: (index) => (index < first.count ? first.read(index) : second.read(index - first.count)),
});

/** The order of copies and of a split by picture is the same for every seed of a run. */
const POOL_SEED = 0;

/** As the authors appended them: first flipped copies of some pictures, then swapped ones of others. */
function withCopies(places: readonly Place[], augmentation: TrainingSettings['augmentation']): readonly Place[] {
  if (augmentation.kind !== 'copies') return places;
  const copies = (share: number, variant: number, purpose: string): Place[] => {
    const order = random(POOL_SEED, purpose).permutation(places.length);
    return [...order.subarray(0, Math.floor(share * places.length))].map((i) => ({ ...places[i]!, variant }));
  };
  const { flips, swaps } = augmentation;
  return [...places, ...copies(flips, FLIP, 'flipped copies'), ...copies(swaps, SWAP, 'swapped copies')];
}

/** What trains and what validates: cut by scan, copies of training pictures alone; or by picture, copies on both sides. */
export function poolOf(
  { train, validation }: LoadedScenes['cohorts'],
  { leakySplit, augmentation }: Pick<TrainingSettings, 'leakySplit' | 'augmentation'>,
): Pool {
  const scenes = joined(train, validation);
  const all = Array.from({ length: scenes.count }, (_, scene): Place => ({ scene, variant: 0 }));
  if (!leakySplit) {
    return { scenes, train: withCopies(all.slice(0, train.count), augmentation), validation: all.slice(train.count) };
  }
  const places = withCopies(all, augmentation);
  const order = [...random(POOL_SEED, 'split by picture').permutation(places.length)].map((i) => places[i]!);
  const held = places.length - validation.count;
  return { scenes, train: order.slice(0, held), validation: order.slice(held) };
}

/** A batch on the host. */
export interface HostBatch {
  readonly places: readonly Place[];
  readonly scenes: readonly ObjectScene[];
  /** (count, 1, height, width) in metres, 0 where nothing was measured. */
  readonly metres: Float32Array;
  readonly labels: Int32Array;
}

/** The pixel of a scene that a variant shows at x of a row. */
const columnOf = (x: number, width: number, variant: number): number => (variant & FLIP ? width - 1 - x : x);

/** Red, green, blue planes (count, 3, height, width) from 0 to 255. */
export function pixelsOf(scenes: readonly ObjectScene[], variants: readonly number[]): Float32Array {
  const { width, height } = scenes[0]!;
  const plane = width * height;
  const pixels = new Float32Array(3 * plane * scenes.length);
  scenes.forEach(({ color }, n) => {
    const channels = variants[n]! & SWAP ? [1, 0, 2] : [0, 1, 2];
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const from = 3 * (y * width + columnOf(x, width, variants[n]!));
        for (let c = 0; c < 3; c++) pixels[(3 * n + c) * plane + y * width + x] = color[from + channels[c]!]!;
      }
    }
  });
  return pixels;
}

/** Reads places as a batch. Rejects with DataError where a file is damaged. */
export async function batchOf(source: Scenes, places: readonly Place[]): Promise<HostBatch> {
  const scenes = await Promise.all(places.map(({ scene }) => source.read(scene)));
  const { width, height } = scenes[0]!;
  const plane = width * height;
  const metres = new Float32Array(plane * places.length);
  scenes.forEach(({ depth }, n) => {
    for (let i = 0; i < plane; i++) {
      const [x, row] = [i % width, i - (i % width)];
      metres[n * plane + i] = depth[row + columnOf(x, width, places[n]!.variant)]! / 1000;
    }
  });
  return { places, scenes, metres, labels: Int32Array.from(scenes, ({ label }) => label) };
}

/** The training batches of a run: batch k is a pure function of the seed and k. */
export class Samples {
  readonly epochs: Epochs<Int32Array>;
  readonly #pool: Pool;
  readonly #augmentation: TrainingSettings['augmentation'];
  readonly #seed: number;

  constructor(pool: Pool, { batch, augmentation }: Pick<TrainingSettings, 'batch' | 'augmentation'>, seed: number) {
    this.#pool = pool;
    this.#augmentation = augmentation;
    this.#seed = seed;
    const order = (epoch: number): Int32Array =>
      random(seed, 'densedepth shuffle', epoch).permutation(pool.train.length);
    this.epochs = new Epochs((epoch) => batchesIn(order(epoch), batch));
  }

  batch(k: number): Promise<HostBatch> {
    const augmentation = this.#augmentation;
    const stream = random(this.#seed, 'densedepth augmentation', k);
    const places = [...this.epochs.at(k)].map((i) => {
      const place = this.#pool.train[i]!;
      if (augmentation.kind === 'copies') return place;
      const flip = stream.uniform() < augmentation.flip ? FLIP : 0;
      const swap = stream.uniform() < augmentation.swap ? SWAP : 0;
      return { ...place, variant: flip | swap };
    });
    return batchOf(this.#pool.scenes, places);
  }
}
