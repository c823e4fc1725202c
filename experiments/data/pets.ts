// What the pet data sets have in common: square RGB pictures with a mask, a head box and a species, in three cohorts; the rules
// that make mask and box from trimap and annotation; chunked batches with a two-level shuffle (section 2 of the cross-stitch
// specification). Leaves out where the pictures come from.
import { DataError, type Random, random } from '../../engine/index.ts';
import type { LoadedData } from './dataset.ts';

/** The splits of the pets, in the order in which they are cut. */
export const petCohorts = ['train', 'validation', 'test'] as const;
/** One of the splits of the pets. */
export type PetCohort = (typeof petCohorts)[number];
/** A number of pictures for each split. */
export type PetCounts = Readonly<Record<PetCohort, number>>;

/** Codes of the species column of list.txt are 1 and 2; here 0 and 1. */
export const speciesNames = ['cat', 'dog'] as const;

/** One picture of a given side: RGB interleaved, mask 0 background 1 pet, box xmin ymin xmax ymax in pixels. */
export interface PetSample {
  readonly image: Uint8Array;
  readonly mask: Uint8Array;
  readonly box: readonly [number, number, number, number];
  readonly species: number;
}

/** `count` samples one behind the other. */
export interface PetBlock {
  readonly count: number;
  readonly images: Uint8Array;
  readonly masks: Uint8Array;
  readonly boxes: Float32Array;
  readonly species: Uint8Array;
}

/** Samples of one cohort that can be read block by block. */
export interface PetSamples {
  readonly size: number;
  readonly count: number;
  /** Samples `first` to `end - 1`. */
  read(first: number, end: number): PetBlock;
}

/** Where samples come from: the official files, or drawings. */
export interface PetSource extends LoadedData {
  /** Images of each cohort. */
  readonly counts: PetCounts;
  sample(cohort: PetCohort, index: number, options: PetOptions): PetSample | Promise<PetSample>;
}

/** How pictures of pets become samples. */
export interface PetOptions {
  /** Side of the pictures in pixels. */
  readonly size: number;
  /** Whether the border class of a trimap counts as pet. */
  readonly borderIsPet: boolean;
}

/** Values of a trimap. */
export const trimapClasses = { pet: 1, background: 2, border: 3 } as const;

/** 1 where the trimap shows the pet, or its border if that counts. Throws DataError, naming `file`, for other values. */
export function maskOfTrimap(trimap: Uint8Array, borderIsPet: boolean, file: string): Uint8Array {
  const wrong = trimap.findIndex((value) => value < trimapClasses.pet || value > trimapClasses.border);
  if (wrong >= 0) {
    throw new DataError(`${file}, pixel ${wrong}: no such class in a trimap`, {
      expected: '1 pet, 2 background or 3 border',
      given: String(trimap[wrong]),
    });
  }
  const isPet = [false, true, false, borderIsPet];
  return trimap.map((value) => Number(isPet[value]));
}

/** A box of a picture of width x height in the pixels of its resized copy. */
export const scaleBox = (
  [x1, y1, x2, y2]: PetSample['box'],
  width: number,
  height: number,
  size: number,
): [number, number, number, number] => [
  (x1 * size) / width,
  (y1 * size) / height,
  (x2 * size) / width,
  (y2 * size) / height,
];

const BOX = 4;
const RGB = 3;

/** Samples that lie in memory. */
export class PetsInMemory implements PetSamples {
  readonly size: number;
  readonly count: number;
  readonly #all: PetBlock;

  constructor(samples: readonly PetSample[], size: number) {
    this.size = size;
    this.count = samples.length;
    this.#all = blockOf(samples, size);
  }

  read(first: number, end: number): PetBlock {
    const pixels = this.size ** 2;
    const { images, masks, boxes, species } = this.#all;
    return {
      count: end - first,
      images: images.subarray(RGB * pixels * first, RGB * pixels * end),
      masks: masks.subarray(pixels * first, pixels * end),
      boxes: boxes.subarray(BOX * first, BOX * end),
      species: species.subarray(first, end),
    };
  }
}

/** Joins samples of one size into one block. */
export function blockOf(samples: readonly PetSample[], size: number): PetBlock {
  const count = samples.length;
  const pixels = size ** 2;
  const block = {
    count,
    images: new Uint8Array(RGB * pixels * count),
    masks: new Uint8Array(pixels * count),
    boxes: new Float32Array(BOX * count),
    species: new Uint8Array(count),
  };
  samples.forEach(({ image, mask, box, species }, i) => {
    block.images.set(image, RGB * pixels * i);
    block.masks.set(mask, pixels * i);
    block.boxes.set(box, BOX * i);
    block.species[i] = species;
  });
  return block;
}

/** What a network takes: pictures (n, 3, size, size) in [0, 1], masks (n, size, size), boxes (n, 4), species (n). */
export interface PetBatch {
  readonly count: number;
  readonly size: number;
  readonly images: Float32Array;
  readonly masks: Int32Array;
  readonly boxes: Float32Array;
  readonly species: Int32Array;
}

/** Sample `order[i]` of the blocks becomes image i of the batch; with `flips[i]` mirrored, its box along. */
export function assembleBatch(
  blocks: readonly PetBlock[],
  size: number,
  order: ArrayLike<number>,
  flips: ArrayLike<number> = [],
): PetBatch {
  const count = order.length;
  const pixels = size ** 2;
  const batch = {
    count,
    size,
    images: new Float32Array(RGB * pixels * count),
    masks: new Int32Array(pixels * count),
    boxes: new Float32Array(BOX * count),
    species: new Int32Array(count),
  };
  for (let i = 0; i < count; i++) {
    let at = order[i]!;
    let b = 0;
    while (at >= blocks[b]!.count) at -= blocks[b++]!.count;
    const block = blocks[b]!;
    const flipped = Boolean(flips[i]);
    for (let pixel = 0; pixel < pixels; pixel++) {
      const x = pixel % size;
      const from = flipped ? pixel + size - 1 - 2 * x : pixel;
      for (let c = 0; c < RGB; c++) {
        batch.images[(RGB * i + c) * pixels + pixel] = block.images[RGB * (at * pixels + from) + c]! / 255;
      }
      batch.masks[i * pixels + pixel] = block.masks[at * pixels + from]!;
    }
    const [x1, y1, x2, y2] = block.boxes.subarray(BOX * at, BOX * (at + 1)) as unknown as PetSample['box'];
    batch.boxes.set(flipped ? [size - x2, y1, size - x1, y2] : [x1, y1, x2, y2], BOX * i);
    batch.species[i] = block.species[at]!;
  }
  return batch;
}

/** Samples `first` to `end - 1` in their own order, for evaluation. */
export const batchInOrder = (samples: PetSamples, first: number, end: number): PetBatch =>
  assembleBatch(
    [samples.read(first, end)],
    samples.size,
    Array.from({ length: end - first }, (_, i) => i),
  );

/** Options of `chunkedBatches`. */
export interface ChunkedOptions {
  /** Images in a chunk. */
  readonly chunk: number;
  readonly chunksPerBatch: number;
}

/**
 * The chunks of each batch of one epoch: the whole chunks in random order, a few at a time; the last batch may have fewer.
 * Images beyond the last whole chunk are dropped, as in the paper; fewer images than one chunk are one short chunk.
 */
export function chunkedBatches(count: number, { chunk, chunksPerBatch }: ChunkedOptions, stream: Random): number[][] {
  const chunks = Math.max(1, Math.floor(count / chunk));
  const order = stream.permutation(chunks);
  return Array.from({ length: Math.ceil(chunks / chunksPerBatch) }, (_, i) => [
    ...order.subarray(i * chunksPerBatch, (i + 1) * chunksPerBatch),
  ]);
}

/** One training batch: the images of its chunks, shuffled among themselves, mirrored at random if asked for. */
export function trainingBatch(
  samples: PetSamples,
  chunks: readonly number[],
  { chunk }: ChunkedOptions,
  { seed, step, flip }: { seed: number; step: number; flip: boolean },
): PetBatch {
  const blocks = chunks.map((index) => samples.read(index * chunk, Math.min(samples.count, (index + 1) * chunk)));
  const total = blocks.reduce((sum, block) => sum + block.count, 0);
  const order = random(seed, 'pets within a batch', step).permutation(total);
  const mirror = random(seed, 'pets mirrored', step);
  const flips = flip ? Array.from({ length: total }, () => mirror.integer(2)) : [];
  return assembleBatch(blocks, samples.size, order, flips);
}
