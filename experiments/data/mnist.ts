// MNIST from the four official gzip files, `DIR/mnist/{train,t10k}-{images-idx3,labels-idx1}-ubyte.gz`, in file order.
// Cohorts are the index ranges of dmtl: train [0, N) and validation [45000, 46500) of the training file, test [0, 1000) of
// the test file. Leaves out shuffling.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { DataError } from '../../engine/index.ts';
import { type Cohort, DIGIT_CLASSES, DIGIT_SIZE, type DigitSource } from './digits.ts';
import { gunzipFile, parseIdx } from './idx.ts';

/** The published SHA-256 of each file. */
export const mnistFiles = {
  'train-images-idx3-ubyte.gz': '440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609',
  'train-labels-idx1-ubyte.gz': '3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c',
  't10k-images-idx3-ubyte.gz': '8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6',
  't10k-labels-idx1-ubyte.gz': 'f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6',
} as const;

export const mnistFolder = (data: string): string => path.join(data, 'mnist');

/** True if the folder below `data` holds any of the official files. */
export const hasMnist = (data: string): boolean =>
  Object.keys(mnistFiles).some((name) => existsSync(path.join(mnistFolder(data), name)));

/** The file in which a cohort lies, and the index of its first image there. */
const ranges: Record<Cohort, { file: 'train' | 't10k'; first: number }> = {
  train: { file: 'train', first: 0 },
  validation: { file: 'train', first: 45_000 },
  test: { file: 't10k', first: 0 },
};

/** Sizes of the cohorts in the paper; a training set never reaches into the validation range. */
const limits: Record<Cohort, number> = { train: 45_000, validation: 1500, test: 1000 };

interface Part {
  images: Uint8Array;
  labels: Uint8Array;
}

async function readPart(folder: string, name: 'train' | 't10k'): Promise<Part> {
  const imageFile = path.join(folder, `${name}-images-idx3-ubyte.gz`);
  const labelFile = path.join(folder, `${name}-labels-idx1-ubyte.gz`);
  const images = parseIdx(await gunzipFile(imageFile), 3, imageFile);
  const labels = parseIdx(await gunzipFile(labelFile), 1, labelFile);
  const [count, rows, columns] = images.shape;
  if (rows !== DIGIT_SIZE || columns !== DIGIT_SIZE) {
    const details = { expected: `${DIGIT_SIZE} x ${DIGIT_SIZE}`, given: `${rows} x ${columns}` };
    throw new DataError(`${imageFile}, byte 8: images of another size`, details);
  }
  if (count !== labels.shape[0]) {
    throw new DataError(`${labelFile}, byte 4: images and labels differ in number`, {
      expected: `${count} labels`,
      given: String(labels.shape[0]),
    });
  }
  const wrong = labels.values.findIndex((label) => label >= DIGIT_CLASSES);
  if (wrong >= 0) {
    throw new DataError(`${labelFile}, byte ${8 + wrong}: no such digit`, {
      expected: '0 to 9',
      given: String(labels.values[wrong]),
    });
  }
  return { images: images.values, labels: labels.values };
}

/**
 * Reads the four files below `data`/mnist. Throws DataError naming the file and the byte where one is damaged. The official
 * checksums are not required (a file compressed anew is as good), but those found are kept for the manifest.
 */
export async function loadMnist(data: string): Promise<DigitSource> {
  const folder = mnistFolder(data);
  const parts = { train: await readPart(folder, 'train'), t10k: await readPart(folder, 't10k') };
  const checksums: Record<string, string> = {};
  for (const name of Object.keys(mnistFiles)) {
    checksums[name] = createHash('sha256')
      .update(await readFile(path.join(folder, name)))
      .digest('hex');
  }
  const place = (cohort: Cohort, index: number): [Part, number] => {
    const { file, first } = ranges[cohort];
    return [parts[file], first + index];
  };
  return {
    name: 'MNIST',
    real: true,
    checksums,
    available(cohort) {
      const { file, first } = ranges[cohort];
      return Math.max(0, Math.min(limits[cohort], parts[file].labels.length - first));
    },
    pixels(cohort, index) {
      const [part, at] = place(cohort, index);
      const size = DIGIT_SIZE * DIGIT_SIZE;
      return Float32Array.from(part.images.subarray(at * size, (at + 1) * size), (value) => value / 255);
    },
    label(cohort, index) {
      const [part, at] = place(cohort, index);
      return part.labels[at]!;
    },
  };
}
