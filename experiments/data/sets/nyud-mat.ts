// nyu_depth_v2_labeled.mat, the labelled set of NYUDv2 in one file of 2.8 GB: HDF5 as MATLAB 7.3 writes it, with all axes in the
// opposite order, so that a picture comes column by column. One picture is read at a time. The official split is in splits.mat, which
// is another file, or else in the list of nyud-classes.ts.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { DataError } from '../../../engine/index.ts';
import { sha256OfFile } from '../files.ts';
import { Hdf5Arrays } from '../formats/hdf5.ts';
import { readMat } from '../formats/mat.ts';
import { PassedOver } from '../listing.ts';
import { checkMetres, classesOf, type RoomSource, type SourceCohort } from '../room-source.ts';
import { type RoomCohortName, roomCohorts } from '../rooms.ts';
import { NYUD_NAMES, NYUD_PICTURES, nyudClassOfName, nyudTrainNumbers } from './nyud-classes.ts';

/** The labelled set. */
export const NYUD_MAT = 'nyu_depth_v2_labeled.mat';
/** The official split beside it. */
export const NYUD_SPLITS = 'splits.mat';

const keys = ['images', 'depths', 'labels'] as const;
type Arrays = Hdf5Arrays<(typeof keys)[number]>;

/** Values that lie column by column, row by row. */
function upright<T extends Uint8Array | Float32Array | Uint16Array>(
  columns: ArrayLike<number>,
  rows: T,
  height: number,
): T {
  const width = rows.length / height;
  for (let x = 0; x < width; x++) for (let y = 0; y < height; y++) rows[y * width + x] = columns[x * height + y]!;
  return rows;
}

/** The pictures of an open file, by their place in it, counted from 0. */
class LabelledSet {
  readonly count: number;
  readonly sceneTypes: readonly string[] | undefined;
  readonly scenes: readonly string[] | undefined;
  readonly #arrays: Arrays;
  readonly #size: { readonly width: number; readonly height: number };
  readonly #classes = new Map([...nyudClassOfName].map((label, name) => [name, label] as const));

  constructor(arrays: Arrays) {
    this.#arrays = arrays;
    const [images, depths, labels] = keys.map((key) => arrays.shape(key)) as [number[], number[], number[]];
    const [count = 0, channels, width = 0, height = 0] = images;
    const plane = [count, width, height].join();
    if (images.length !== 4 || channels !== 3 || count === 0 || depths.join() !== plane || labels.join() !== plane) {
      throw new DataError(`${arrays.file}: the arrays do not belong together`, {
        expected: 'images (N, 3, W, H), depths (N, W, H), labels (N, W, H)',
        given: keys.map((key) => `${key} (${arrays.shape(key).join(', ')})`).join(', '),
      });
    }
    this.count = count;
    this.#size = { width, height };
    const [types, scenes] = ['sceneTypes', 'scenes'].map((key) => arrays.texts(key));
    this.sceneTypes = types?.length === count ? types : undefined;
    this.scenes = scenes?.length === count ? scenes : undefined;
  }

  #name = (key: string, index: number): string => `${this.#arrays.file}, ${key}, picture ${index + 1}`;

  image(index: number) {
    const { width, height } = this.#size;
    const values = this.#arrays.read('images', [[index, index + 1], [], [], []], 'uint8') as ArrayLike<number>;
    const data = new Uint8Array(3 * width * height);
    for (let c = 0; c < 3; c++) {
      for (let x = 0; x < width; x++) {
        const column = (c * width + x) * height;
        for (let y = 0; y < height; y++) data[3 * (y * width + x) + c] = values[column + y]!;
      }
    }
    return { width, height, data };
  }

  labels(index: number) {
    const { width, height } = this.#size;
    const values = this.#arrays.read('labels', [[index, index + 1], [], []], 'whole numbers') as ArrayLike<number>;
    const names = upright(values, new Uint16Array(width * height), height);
    const expected = `0 for none, or the number of an object's name, 1 to ${NYUD_NAMES}`;
    return { width, height, data: classesOf(this.#name('labels', index), names, this.#classes, expected) };
  }

  depth(index: number) {
    const { width, height } = this.#size;
    const values = this.#arrays.read('depths', [[index, index + 1], [], []], 'float32') as ArrayLike<number>;
    const data = upright(values, new Float32Array(width * height), height);
    checkMetres(this.#name('depths', index), data);
    return { width, height, data };
  }
}

/** Numbers of pictures, counted from 1. */
type Split = Readonly<Record<RoomCohortName, readonly number[]>>;

const splitKeys = { train: 'trainNdxs', test: 'testNdxs' } as const;

/** The official split in its own file. Rejects with DataError where it is no split of `count` pictures. */
async function readSplit(file: string, count: number): Promise<Split> {
  const arrays = await readMat(file);
  const split = Object.fromEntries(
    roomCohorts.map((cohort) => {
      const key = splitKeys[cohort];
      const numbers = arrays.get(key);
      if (!numbers || numbers.length === 0) {
        throw new DataError(`${file} has no list '${key}'`, {
          given: [...arrays.keys()].join(', ') || 'no arrays',
          hint: 'Take the official splits.mat, or take this file away: the official split is known without it',
        });
      }
      const wrong = numbers.find((number) => !(Number.isInteger(number) && number >= 1 && number <= count));
      if (wrong !== undefined) {
        throw new DataError(`${file}, ${key}: no such picture`, { expected: `1 to ${count}`, given: String(wrong) });
      }
      return [cohort, numbers];
    }),
  ) as unknown as Split;
  const train = new Set(split.train);
  const shared = split.test.find((number) => train.has(number));
  if (shared !== undefined) {
    throw new DataError(`${file}: training and test share a picture`, { given: `picture ${shared}` });
  }
  return split;
}

/** The official split as it is known, of as many pictures as there are. */
function knownSplit(count: number): Split {
  const train = new Set(nyudTrainNumbers);
  const all = Array.from({ length: count }, (_, i) => i + 1);
  return { train: all.filter((number) => train.has(number)), test: all.filter((number) => !train.has(number)) };
}

/** Opens the labelled set in `folder`. Rejects with DataError where a file is another one, damaged, or not of this form. */
export async function openNyudMat(folder: string): Promise<RoomSource> {
  const file = path.join(folder, NYUD_MAT);
  const set = new LabelledSet(await Hdf5Arrays.open(file, keys));
  const splitFile = path.join(folder, NYUD_SPLITS);
  const isGiven = existsSync(splitFile);
  const split = isGiven ? await readSplit(splitFile, set.count) : knownSplit(set.count);
  const { sceneTypes, scenes } = set;
  const cohort = (numbers: readonly number[]): SourceCohort => ({
    names: numbers.map((number) => String(number).padStart(4, '0')),
    sceneTypes: sceneTypes && numbers.map((number) => sceneTypes[number - 1]!),
    scenes: scenes && numbers.map((number) => scenes[number - 1]!),
    image: (index) => Promise.resolve().then(() => set.image(numbers[index]! - 1)),
    labels: (index) => Promise.resolve().then(() => set.labels(numbers[index]! - 1)),
    depth: (index) => Promise.resolve().then(() => set.depth(numbers[index]! - 1)),
  });
  return {
    cohorts: { train: cohort(split.train), test: cohort(split.test) },
    passedOver: new PassedOver(),
    checksums: isGiven ? { [NYUD_SPLITS]: (await sha256OfFile(splitFile))! } : {},
    remarks: [
      `${NYUD_MAT}: ${isGiven ? `split by ${NYUD_SPLITS}` : `no ${NYUD_SPLITS}, the official split from its published list`}`,
      set.count === NYUD_PICTURES ? [] : `${NYUD_MAT} holds ${set.count} pictures, the published one ${NYUD_PICTURES}`,
    ].flat(),
  };
}
