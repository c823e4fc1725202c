// The paper's chunked store of prepared pictures: per cohort four HDF5 files with one dataset each, `images_chunk` (N, S, S, 3)
// and `masks_chunk` (N, S, S, 1) in uint8, `bboxes_chunk` (N, 4) in float32, `binary_chunk` (N, 1) in uint8, in HDF5 chunks of c
// images. store.json holds what it was made from and the SHA-256 of each file; a store that does not agree is made again.
import { createHash, randomBytes } from 'node:crypto';
import { readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type * as H5wasm from 'h5wasm/node';
import type { Dataset, File } from 'h5wasm/node';
import { z } from 'zod';
import { DataError } from '../../engine/index.ts';
import { makeFolder, writeJson } from '../runner/files.ts';
import { sha256OfFile } from './files.ts';
import {
  blockOf,
  type PetBlock,
  type PetCohort,
  petCohorts,
  type PetOptions,
  type PetSample,
  type PetSamples,
  PetsInMemory,
  type PetSource,
} from './pets.ts';

/** Options of a store of pets in one HDF5 file. */
export interface StoreOptions extends PetOptions {
  /** Images in an HDF5 chunk. */
  readonly chunk: number;
}

/** File, dataset, element type and shape of one sample. */
const parts = {
  images: { key: 'images_chunk', dtype: '<B', shape: (size: number) => [size, size, 3] },
  masks: { key: 'masks_chunk', dtype: '<B', shape: (size: number) => [size, size, 1] },
  boxes: { key: 'bboxes_chunk', dtype: '<f', shape: () => [4] },
  species: { key: 'binary_chunk', dtype: '<B', shape: () => [1] },
} as const;
type Part = keyof typeof parts;
const partNames = Object.keys(parts) as Part[];
const fileNames: Readonly<Record<Part, string>> = {
  images: 'images.h5',
  masks: 'masks.h5',
  boxes: 'bboxes.h5',
  species: 'binary.h5',
};
/** Of opening a store, after the first of which it is made. */
const MOST_ATTEMPTS = 3;
const MANIFEST = 'store.json';

const count = z.number().int().nonnegative();
const manifestSchema = z.object({
  source: z.string(),
  size: z.number().int().positive(),
  counts: z.object({ train: count, validation: count, test: count }),
  checksums: z.record(z.string(), z.string()),
});
type StoreManifest = z.infer<typeof manifestSchema>;

const hdf5 = async (): Promise<typeof H5wasm> => {
  const library = await import('h5wasm/node');
  await library.ready;
  return library;
};

/** What decides the contents of a store. */
const identityOf = (source: PetSource, options: StoreOptions): string => {
  const { name, checksums, counts } = source;
  return createHash('sha256').update(JSON.stringify({ name, checksums, counts, options })).digest('hex');
};

/** Reads one cohort of a store. */
class StoredPets implements PetSamples {
  readonly size: number;
  readonly count: number;
  readonly #folder: string;
  readonly #datasets: Readonly<Record<Part, Dataset>>;

  constructor(folder: string, size: number, count: number, datasets: Readonly<Record<Part, Dataset>>) {
    this.#folder = folder;
    this.size = size;
    this.count = count;
    this.#datasets = datasets;
  }

  #slice<T extends Uint8Array | Float32Array>(part: Part, first: number, end: number): T {
    const values = this.#datasets[part].slice([[first, end]]) as T | null;
    const expected = (end - first) * parts[part].shape(this.size).reduce((product, n) => product * n, 1);
    const isOfType = parts[part].dtype === '<f' ? values instanceof Float32Array : values instanceof Uint8Array;
    if (values?.length !== expected || !isOfType) {
      throw new DataError(`${path.join(this.#folder, fileNames[part])}: images ${first} to ${end - 1} cannot be read`, {
        expected: `${expected} values of ${parts[part].dtype}`,
        given: values ? `${values.length} in a ${values.constructor.name}` : 'nothing',
      });
    }
    return values;
  }

  read(first: number, end: number): PetBlock {
    return {
      count: end - first,
      images: this.#slice<Uint8Array>('images', first, end),
      masks: this.#slice<Uint8Array>('masks', first, end),
      boxes: this.#slice<Float32Array>('boxes', first, end),
      species: this.#slice<Uint8Array>('species', first, end),
    };
  }
}

/**
 * Opens a store. Throws DataError, naming the file, where one is missing, cut off, changed or of other shapes, and where the
 * store was not made from `identity`.
 */
export async function openPetStore(folder: string, identity?: string): Promise<Record<PetCohort, PetSamples>> {
  let manifest: StoreManifest;
  try {
    manifest = manifestSchema.parse(JSON.parse(await readFile(path.join(folder, MANIFEST), 'utf8')));
  } catch (cause) {
    const given = cause instanceof z.ZodError ? z.prettifyError(cause).replace(/\s+/g, ' ') : (cause as Error).message;
    throw new DataError(`${folder} is not a store of pets`, { given, cause });
  }
  if (identity !== undefined && manifest.source !== identity) {
    throw new DataError(`${folder} was made from other data`, { expected: identity, given: manifest.source });
  }
  const files: File[] = [];
  try {
    const opened: Partial<Record<PetCohort, PetSamples>> = {};
    for (const cohort of petCohorts) opened[cohort] = await openCohort(folder, cohort, manifest, files);
    return opened as Record<PetCohort, PetSamples>;
  } catch (error) {
    for (const file of files) file.close();
    throw error;
  }
}

/** Opens one cohort; its files are added to `files`, so that they can be closed. */
async function openCohort(
  folder: string,
  cohort: PetCohort,
  { size, counts, checksums }: StoreManifest,
  files: File[],
): Promise<PetSamples> {
  const { File } = await hdf5();
  const datasets: Partial<Record<Part, Dataset>> = {};
  for (const part of partNames) {
    const name = `${cohort}/${fileNames[part]}`;
    const file = path.join(folder, name);
    const found = (await sha256OfFile(file).catch((error: NodeJS.ErrnoException) => error.code)) ?? 'no file';
    if (found !== checksums[name]) {
      throw new DataError(`${file} is damaged`, { expected: `SHA-256 ${checksums[name]}`, given: found });
    }
    const opened = new File(file, 'r');
    files.push(opened);
    datasets[part] = datasetOf(opened, file, part, [counts[cohort], ...parts[part].shape(size)]);
  }
  return new StoredPets(path.join(folder, cohort), size, counts[cohort], datasets as Record<Part, Dataset>);
}

function datasetOf(file: File, name: string, part: Part, shape: readonly number[]): Dataset {
  const { key, dtype } = parts[part];
  const dataset = file.get(key) as Dataset | null;
  if (dataset?.shape?.join() !== shape.join() || dataset.dtype !== dtype) {
    throw new DataError(`${name} has no dataset '${key}' of this shape and type`, {
      expected: `${shape.join(' x ')} of ${dtype}`,
      given: dataset?.shape ? `${dataset.shape.join(' x ')} of ${String(dataset.dtype)}` : 'none',
    });
  }
  return dataset;
}

async function writeCohort(folder: string, source: PetSource, cohort: PetCohort, options: StoreOptions): Promise<void> {
  const { File } = await hdf5();
  const { size, chunk } = options;
  const count = source.counts[cohort];
  await makeFolder(folder);
  const open = partNames.map((part) => {
    const { key, dtype, shape } = parts[part];
    const file = new File(path.join(folder, fileNames[part]), 'w');
    const chunks = [Math.min(chunk, count), ...shape(size)];
    // Made with one chunk and grown, so that no whole cohort of pictures has to lie in memory.
    const values = chunks.reduce((product, n) => product * n, 1);
    const data = dtype === '<f' ? new Float32Array(values) : new Uint8Array(values);
    const maxshape = [count, ...shape(size)];
    const dataset = file.create_dataset({ name: key, data, shape: chunks, dtype, chunks, maxshape });
    dataset.resize(maxshape);
    return { part, file, dataset };
  });
  try {
    for (let first = 0; first < count; first += chunk) {
      const samples: PetSample[] = [];
      const end = Math.min(count, first + chunk);
      for (let i = first; i < end; i++) samples.push(await source.sample(cohort, i, options));
      const block = blockOf(samples, size);
      for (const { part, dataset } of open) {
        const rest = parts[part].shape(size).map((n): [number, number] => [0, n]);
        dataset.write_slice([[first, end], ...rest], block[part]);
      }
    }
  } finally {
    for (const { file } of open) file.close();
  }
}

/** Whether there is a store made from `identity` that can be opened. */
const isWhole = (folder: string, identity: string): Promise<boolean> =>
  openPetStore(folder, identity).then(
    () => true,
    () => false,
  );

/** Writes a store in one step: to a folder of another name, then rename. A whole store that is there already is left alone. */
export async function writePetStore(folder: string, source: PetSource, options: StoreOptions): Promise<void> {
  const partial = `${folder}.${randomBytes(4).toString('hex')}.part`;
  try {
    const checksums: Record<string, string> = {};
    for (const cohort of petCohorts) {
      await writeCohort(path.join(partial, cohort), source, cohort, options);
      for (const part of partNames) {
        const name = `${cohort}/${fileNames[part]}`;
        checksums[name] = (await sha256OfFile(path.join(partial, name)))!;
      }
    }
    const manifest: StoreManifest = {
      source: identityOf(source, options),
      size: options.size,
      counts: source.counts,
      checksums,
    };
    await writeJson(path.join(partial, MANIFEST), manifest);
    // Where another process has put the same store in the meantime, and may be reading it, the renaming fails.
    await rename(partial, folder).catch(async () => {
      if (await isWhole(folder, manifest.source)) return;
      await rm(folder, { recursive: true, force: true });
      await rename(partial, folder);
    });
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

/**
 * The samples of a source: from the store below `cache` if it is whole and made from this source with these options, else made
 * anew. Without a cache they are kept in memory.
 */
export async function preparePets(
  source: PetSource,
  options: StoreOptions,
  cache: string | undefined,
): Promise<Record<PetCohort, PetSamples>> {
  if (cache === undefined) {
    const cohorts: Partial<Record<PetCohort, PetSamples>> = {};
    for (const cohort of petCohorts) {
      const samples: PetSample[] = [];
      for (let i = 0; i < source.counts[cohort]; i++) samples.push(await source.sample(cohort, i, options));
      cohorts[cohort] = new PetsInMemory(samples, options.size);
    }
    return cohorts as Record<PetCohort, PetSamples>;
  }
  const identity = identityOf(source, options);
  const folder = path.join(cache, `pets-${options.size}-${identity.slice(0, 8)}`);
  // Another process that finds the same damaged store may take away what was just written, to put its own there.
  for (let attempt = 1; ; attempt++) {
    try {
      return await openPetStore(folder, identity);
    } catch (error) {
      if (!(error instanceof DataError) || attempt === MOST_ATTEMPTS) throw error;
    }
    await writePetStore(folder, source, options);
  }
}

const prepared = new WeakMap<PetSource, Map<string, Promise<Record<PetCohort, PetSamples>>>>();

/** The same, once for each process. */
export function preparedPets(
  source: PetSource,
  options: StoreOptions,
  cache: string | undefined,
): Promise<Record<PetCohort, PetSamples>> {
  const key = JSON.stringify([options, cache]);
  const known = prepared.get(source) ?? new Map<string, Promise<Record<PetCohort, PetSamples>>>();
  prepared.set(source, known);
  const samples = known.get(key) ?? preparePets(source, options, cache);
  known.set(key, samples);
  // What has failed may be asked for again.
  samples.catch(() => known.delete(key));
  return samples;
}
