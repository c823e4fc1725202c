// MNIST in file order. Cohorts are the index ranges of dmtl: train [0, N) and validation [45000, 46500) of the training file, test
// [0, 1000) of the test file. Leaves out shuffling.
import { createHash } from 'node:crypto';
import path from 'node:path';
import { DataError } from '../../../engine/index.ts';
import { type DataCheck, type DataSet, firstFault, folderOf } from '../dataset.ts';
import { type Cohort, DIGIT_CLASSES, DIGIT_SIZE, type DigitSource } from '../digits.ts';
import { readDataFile } from '../files.ts';
import { readIdx } from '../formats/idx.ts';
import { PassedOver } from '../listing.ts';
import { generatedDigits } from '../synthetic/digits.ts';
import { findMnist, holdsMnist, type MnistFiles, type MnistRole, mnistRoles } from './mnist-files.ts';

/** The published SHA-256 of each file. */
export const mnistFiles = {
  'train-images-idx3-ubyte.gz': '440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609',
  'train-labels-idx1-ubyte.gz': '3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c',
  't10k-images-idx3-ubyte.gz': '8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6',
  't10k-labels-idx1-ubyte.gz': 'f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6',
} as const;

/** The published SHA-256 of each file, unpacked. */
const contents: Readonly<Record<MnistRole, string>> = {
  'train-images': 'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db',
  'train-labels': '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5',
  't10k-images': '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7',
  't10k-labels': 'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2',
};

/** Images of each cohort that a paper needs. */
export type MnistRequest = Readonly<Record<Cohort, number>>;

/** The file in which a cohort lies, and the index of its first image there. */
const ranges: Record<Cohort, { file: 'train' | 't10k'; first: number }> = {
  train: { file: 'train', first: 0 },
  validation: { file: 'train', first: 45_000 },
  test: { file: 't10k', first: 0 },
};

/** Sizes of the cohorts in the paper; a training set never reaches into the validation range. */
const limits: Record<Cohort, number> = { train: 45_000, validation: 1500, test: 1000 };

interface Part {
  readonly images: Uint8Array;
  readonly labels: Uint8Array;
  /** The unpacked files. */
  readonly contents: readonly Uint8Array[];
}

type Parts = Readonly<Record<'train' | 't10k', Part>>;

async function readPart({ paths }: MnistFiles, name: 'train' | 't10k'): Promise<Part> {
  const [imageFile, labelFile] = [paths[`${name}-images`], paths[`${name}-labels`]];
  const images = await readIdx(imageFile, 3);
  const labels = await readIdx(labelFile, 1);
  const [count, rows, columns] = images.shape;
  if (rows !== DIGIT_SIZE || columns !== DIGIT_SIZE) {
    const details = { expected: `${DIGIT_SIZE} x ${DIGIT_SIZE}`, given: `${rows} x ${columns}` };
    throw new DataError(`${imageFile}, byte 8: the images have another size`, details);
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
  return { images: images.values, labels: labels.values, contents: [images.content, labels.content] };
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

async function checksumsOf({ paths }: MnistFiles): Promise<Record<string, string>> {
  const checksums: Record<string, string> = {};
  for (const role of mnistRoles) {
    checksums[path.basename(paths[role])] = sha256(await readDataFile(paths[role]));
  }
  return checksums;
}

/** The digits of MNIST, or those that stand in for them. */
export interface MnistSource extends DigitSource {
  /** SHA-256 of the four unpacked files, in the order of their roles. None for generated digits. */
  readonly digests?: () => readonly string[];
}

const digestsOf = ({ train, t10k }: Parts): string[] => [...train.contents, ...t10k.contents].map(sha256);

/** The files of a folder as cohorts. */
async function readMnist(folder: string): Promise<MnistSource> {
  const files = await findMnist(folder);
  const parts: Parts = { train: await readPart(files, 'train'), t10k: await readPart(files, 't10k') };
  const place = (cohort: Cohort, index: number): [Part, number] => {
    const { file, first } = ranges[cohort];
    return [parts[file], first + index];
  };
  return {
    name: 'MNIST',
    real: true,
    checksums: await checksumsOf(files),
    passedOver: files.passedOver,
    digests: () => digestsOf(parts),
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

/**
 * Reads MNIST below `data` in any of its layouts. Throws DataError naming the file and the byte where one is damaged. The official
 * checksums are not required (a file compressed anew is as good), but those found are kept for the manifest.
 */
export const loadMnist = async (data: string): Promise<MnistSource> => readMnist(await folderOf(mnist, data));

async function load(folder: string, needs: MnistRequest): Promise<MnistSource> {
  const source = await readMnist(folder);
  for (const [cohort, count] of Object.entries(needs) as [Cohort, number][]) {
    if (source.available(cohort) < count) {
      throw new DataError(`${source.name} has too few images for the ${cohort} cohort`, {
        expected: String(count),
        given: String(source.available(cohort)),
      });
    }
  }
  return source;
}

/** Refuses a test file that is a copy of the training file, and doubts files of other digits. Takes SHA-256 of the unpacked files. */
function judge(found: readonly string[]): string[] {
  for (const [role, twin] of [
    ['train-images', 't10k-images'],
    ['train-labels', 't10k-labels'],
  ] as const) {
    if (found[mnistRoles.indexOf(role)] !== found[mnistRoles.indexOf(twin)]) continue;
    throw new DataError('the training and the test set of MNIST share a file', {
      given: `${role} and ${twin}, which have the same SHA-256`,
      hint: 'Take the original files: a score on what was trained on says nothing',
    });
  }
  const foreign = mnistRoles.filter((role, i) => found[i] !== contents[role]);
  if (foreign.length === 0) return [];
  return [`not the published MNIST: ${foreign.join(', ')} (Fashion-MNIST and others have the same names of files)`];
}

async function check(folder: string, progress: (done: number, total: number) => void): Promise<DataCheck> {
  const counts: Record<string, string | number> = {};
  const doubts: string[] = [];
  let passedOver = new PassedOver();
  const fault = await firstFault(async () => {
    const files = await findMnist(folder);
    passedOver = files.passedOver;
    progress(0, 2);
    const train = await readPart(files, 'train');
    counts['training images'] = train.labels.length;
    progress(1, 2);
    const t10k = await readPart(files, 't10k');
    counts['test images'] = t10k.labels.length;
    progress(2, 2);
    doubts.push(...judge(digestsOf({ train, t10k })));
  });
  return { folder, counts, passedOver, doubts, fault };
}

/** MNIST: handwritten digits, from the four IDX files. */
export const mnist: DataSet<MnistSource, MnistRequest> = {
  name: 'mnist',
  title: 'MNIST',
  content: 'Handwritten digits, 28 x 28 grey, 60,000 for training and 10,000 for tests: the digits that dMTL extrudes.',
  licence: 'CC BY-SA 3.0 as usually given, Y. LeCun, C. Cortes, C. Burges',
  size: '12 MB',
  page: 'http://yann.lecun.com/exdb/mnist/',
  folder: 'mnist',
  layouts: [
    'DIR/mnist/{train,t10k}-{images-idx3,labels-idx1}-ubyte.gz, the four official files; unpacked ones are as good',
    'The same with a dot (train-images.idx3-ubyte), or each in a folder of its own name.',
    'DIR/mnist/raw or DIR/MNIST/raw, as torchvision makes them; DIR may be the folder of the files itself.',
  ],
  // The first has refused programs for years and is where the files are from; torchvision's mirror has the same bytes.
  origins: ['http://yann.lecun.com/exdb/mnist/', 'https://ossci-datasets.s3.amazonaws.com/mnist/'],
  files: mnistFiles,
  byHand: [
    'Download the four files from one of the origins in a browser and put them, unpacked or not, into DIR/mnist.',
  ],
  standInName: 'generated digits',
  holds: holdsMnist,
  load,
  standIn: () => generatedDigits(),
  inspect: async ({ digests }) => (digests ? judge(digests()) : []),
  check,
};
