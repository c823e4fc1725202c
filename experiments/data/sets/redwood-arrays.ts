// The course's own arrays as HDF5: `X` uint8 (N, H, W, 3), `Y` whole millimetres (N, H, W) or (N, H, W, 1), 0 for none, and `classes`
// (N) or (N, 1); a file for training and one, with `test` in its name, for the test. They name no scans, so that training and
// validation are cut by picture.
import path from 'node:path';
import { DataError, random } from '../../../engine/index.ts';
import { type ElementType, Hdf5Arrays } from '../formats/hdf5.ts';
import { filesIn, type PassedOver } from '../listing.ts';
import {
  checkDepth,
  objectClasses,
  type ObjectScene,
  resizeScene,
  type SceneCohort,
  type SceneCounts,
  type SceneSize,
} from '../object-scenes.ts';

/** The arrays of a file, by the names of the authors' scripts. */
const keys = ['X', 'Y', 'classes'] as const;
type Key = (typeof keys)[number];

const EXTENSIONS = ['.h5', '.hdf5'] as const;

/** The files of arrays in a folder. */
export const arrayFiles = async (folder: string, passedOver: PassedOver): Promise<string[]> =>
  (await filesIn(folder, EXTENSIONS, passedOver)).map((file) => file.path);

/** One file of arrays, open for reading. */
export class SceneArrays {
  readonly file: string;
  readonly count: number;
  readonly #labels: readonly number[];
  readonly #size: SceneSize;
  readonly #arrays: Hdf5Arrays<Key>;

  private constructor(arrays: Hdf5Arrays<Key>) {
    const { file } = arrays;
    this.file = file;
    this.#arrays = arrays;
    const [x, y, classes] = keys.map((key) => arrays.shape(key)) as [number[], number[], number[]];
    const [count = 0, height = 0, width = 0] = x;
    const fits =
      x.length === 4 &&
      x[3] === 3 &&
      [`${count},${height},${width}`, `${count},${height},${width},1`].includes(y.join()) &&
      [`${count}`, `${count},1`].includes(classes.join());
    if (!fits || count === 0) {
      throw new DataError(`${file}: the arrays do not belong together`, {
        expected: 'X (N, H, W, 3), Y (N, H, W) or (N, H, W, 1), classes (N) or (N, 1)',
        given: keys.map((key) => `${key} (${arrays.shape(key).join(', ')})`).join(', '),
      });
    }
    [this.count, this.#size] = [count, { width, height }];
    this.#labels = this.#read('classes', 0, count, 'whole numbers');
    const wrong = this.#labels.findIndex((label) => !(label >= 0 && label < objectClasses.length));
    if (wrong >= 0) {
      throw new DataError(`${file}, classes[${wrong}]: no such class`, {
        expected: objectClasses.map((name, label) => `${label} ${name}`).join(', '),
        given: String(this.#labels[wrong]),
      });
    }
  }

  /** Opens a file. Rejects with DataError where it is another file, damaged, or lacks an array. */
  static async open(file: string): Promise<SceneArrays> {
    return new SceneArrays(await Hdf5Arrays.open(file, keys));
  }

  #read(key: Key, first: number, end: number, type: ElementType): number[] {
    return Array.from(this.#arrays.read(key, [[first, end]], type), Number);
  }

  /** Scene number `index` in a size. Throws DataError where it cannot be read, or its depth is empty. */
  read(index: number, size: SceneSize): ObjectScene {
    const color = Uint8Array.from(this.#read('X', index, index + 1, 'uint8'));
    const millimetres = this.#read('Y', index, index + 1, 'whole numbers');
    const name = `${this.file}, Y[${index}]`;
    const wrong = millimetres.find((value) => !(value >= 0 && value < 2 ** 16));
    if (wrong !== undefined) {
      throw new DataError(`${name}: no depth in millimetres`, { expected: '0 to 65535', given: String(wrong) });
    }
    checkDepth(name, millimetres);
    const scene = { ...this.#size, color, depth: Uint16Array.from(millimetres), label: this.#labels[index]! };
    return resizeScene(scene, size);
  }
}

/** A picture among the arrays of a file. */
export interface ArrayPlace {
  readonly arrays: SceneArrays;
  readonly index: number;
}

/** The order of the pictures is the same for every seed of a run. */
const SPLIT_SEED = 0;

/**
 * Cuts arrays into cohorts: those of the test by file, training and validation at random, as the authors did. Without as many pictures
 * as wanted a tenth is held back for validation, if any is wanted.
 */
export function splitArrays(files: readonly SceneArrays[], counts: SceneCounts): Record<SceneCohort, ArrayPlace[]> {
  const isTest = ({ file }: SceneArrays): boolean => /test/i.test(path.basename(file));
  const placesOf = (wanted: readonly SceneArrays[], purpose: string): ArrayPlace[] => {
    const places = wanted.flatMap((arrays) => Array.from({ length: arrays.count }, (_, index) => ({ arrays, index })));
    return [...random(SPLIT_SEED, purpose).permutation(places.length)].map((i) => places[i]!);
  };
  const pool = placesOf(
    files.filter((file) => !isTest(file)),
    'split of the arrays',
  );
  const isEnough = pool.length >= counts.train + counts.validation;
  const held = isEnough ? counts.validation : Math.min(counts.validation, Math.floor(pool.length / 10));
  return {
    train: pool.slice(0, Math.min(counts.train, pool.length - held)),
    validation: pool.slice(pool.length - held),
    test: placesOf(files.filter(isTest), 'order of the test arrays').slice(0, counts.test),
  };
}
