// The course's own arrays as HDF5: `X` uint8 (N, H, W, 3), `Y` whole millimetres (N, H, W) or (N, H, W, 1), 0 for none, and `classes`
// (N) or (N, 1); a file for training and one, with `test` in its name, for the test. They name no scans, so that training and
// validation are cut by picture.
import path from 'node:path';
import type { Dataset, File } from 'h5wasm/node';
import { DataError, random } from '../../../engine/index.ts';
import { contentOf, foreignFile } from '../../../engine/io/content.ts';
import { beginningOf } from '../files.ts';
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
  readonly #datasets: Readonly<Record<Key, Dataset>>;

  private constructor(file: string, datasets: Readonly<Record<Key, Dataset>>) {
    this.file = file;
    this.#datasets = datasets;
    const [x, y, classes] = keys.map((key) => datasets[key].shape ?? []) as [number[], number[], number[]];
    const [count = 0, height = 0, width = 0] = x;
    const fits =
      x.length === 4 &&
      x[3] === 3 &&
      [`${count},${height},${width}`, `${count},${height},${width},1`].includes(y.join()) &&
      [`${count}`, `${count},1`].includes(classes.join());
    if (!fits || count === 0) {
      throw new DataError(`${file}: the arrays do not belong together`, {
        expected: 'X (N, H, W, 3), Y (N, H, W) or (N, H, W, 1), classes (N) or (N, 1)',
        given: keys.map((key) => `${key} (${(datasets[key].shape ?? []).join(', ')})`).join(', '),
      });
    }
    [this.count, this.#size] = [count, { width, height }];
    this.#labels = this.#read('classes', [[0, count]], /^[<|>=]?[bBhHiIlLqQ]$/, 'whole numbers');
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
    const beginning = (await beginningOf(file)) ?? Buffer.alloc(0);
    if (contentOf(beginning)?.name !== 'an HDF5 file') throw foreignFile(file, beginning, 'an HDF5 file');
    const library = await import('h5wasm/node');
    await library.ready;
    let opened: File;
    let found: string[];
    try {
      opened = new library.File(file, 'r');
      found = opened.keys();
    } catch (cause) {
      throw damaged(file, cause);
    }
    const missing = keys.filter((key) => !found.includes(key));
    if (missing.length > 0) {
      opened.close();
      throw new DataError(`${file} has no array ${missing.map((key) => `'${key}'`).join(', ')}`, {
        expected: keys.join(', '),
        given: found.join(', ') || 'no arrays',
      });
    }
    return new SceneArrays(file, {
      X: opened.get('X') as Dataset,
      Y: opened.get('Y') as Dataset,
      classes: opened.get('classes') as Dataset,
    });
  }

  #read(key: Key, range: [number, number][], types: RegExp, expected: string): number[] {
    const dataset = this.#datasets[key];
    if (!types.test(String(dataset.dtype))) {
      const given = String(dataset.dtype);
      throw new DataError(`${this.file}: ${key} has elements of another type`, { expected, given });
    }
    try {
      return Array.from(dataset.slice(range) as ArrayLike<number | bigint>, Number);
    } catch (cause) {
      throw damaged(this.file, cause);
    }
  }

  /** Scene number `index` in a size. Throws DataError where it cannot be read, or its depth is empty. */
  read(index: number, size: SceneSize): ObjectScene {
    const range: [number, number][] = [[index, index + 1]];
    const color = Uint8Array.from(this.#read('X', range, /^[|<>]?B$/, 'uint8, from 0 to 255'));
    const millimetres = this.#read('Y', range, /^[<|>=]?[bBhHiIlLqQ]$/, 'whole millimetres');
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

const damaged = (file: string, cause: unknown): DataError =>
  new DataError(`${file}: the HDF5 file is damaged or ends too early`, {
    given: cause instanceof Error ? cause.message.split('\n')[0] : undefined,
    hint: 'Get the file again',
    cause,
  });

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
