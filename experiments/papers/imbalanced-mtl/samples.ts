// The pictures of a run: which of them train with which labels, random flips and scales, and batches as the network takes them (sections
// 2.4 and 5 of the specification).
import { random, type Tensor, tensor } from '../../../engine/index.ts';
import { type Shown, shownMap, shownPicture } from '../../data/random-scale.ts';
import type { PixelSize } from '../../data/resize.ts';
import { type RoomCohort, type RoomScenes, type RoomSplit, VOID } from '../../data/rooms.ts';
import { Epochs } from '../../runner/epochs.ts';
import type { HostTargets } from './losses.ts';
import { channelsOf } from './network.ts';
import type { NetworkSettings, RoomSettings, Task } from './settings.ts';

/** A picture in the size of the network with the maps that were asked for. */
export interface Sample {
  /** Red, green, blue of each pixel, row-major, from 0 to 255. */
  readonly image: Uint8Array | Float32Array;
  /** Classes, or VOID. */
  readonly segmentation?: Uint8Array | undefined;
  /** Metres, 0 where there are none. */
  readonly depth?: Float32Array | undefined;
}

/** The maps that a network is shown or trained on. */
export const mapsOf = ({ tasks, second }: NetworkSettings): Set<Task> =>
  new Set([...tasks, ...(second ? [second.input] : [])]);

/** A picture of a cohort with some of its maps. Rejects with DataError where a file is damaged. */
export async function readSample(cohort: RoomCohort, index: number, maps: ReadonlySet<Task>): Promise<Sample> {
  return {
    image: await cohort.image(index),
    segmentation: maps.has('segmentation') ? await cohort.labels(index) : undefined,
    depth: maps.has('depth') ? await cohort.depth(index) : undefined,
  };
}

/** What stands in for a map that is hidden: a teacher's, by the index of the picture. */
export type PseudoMaps = ReadonlyMap<number, Uint8Array | Float32Array>;

/** A picture and its maps, flipped and larger alike. What is s times as large is s times as near: its depth is divided by that. */
export function augmented({ image, segmentation, depth }: Sample, size: PixelSize, shown: Shown): Sample {
  if (!shown.flip && shown.scale === 1) return { image, segmentation, depth };
  return {
    image: shownPicture(image, size, shown),
    segmentation: segmentation && shownMap(segmentation, size, shown),
    depth: depth && shownMap(depth, size, shown, shown.scale),
  };
}

/** What encoding needs to know of the data. */
export type Encoded = Pick<RoomScenes, 'classes' | 'palette'>;

/** The planes of the second input. */
function secondPlanes(sample: Sample, input: Task, settings: NetworkSettings, data: Encoded): Float32Array {
  const pixels = settings.width * settings.height;
  const channels = channelsOf(input, settings, data.classes.length);
  const planes = new Float32Array(channels * pixels);
  const { depthInput, segmentationInput } = settings;
  for (let i = 0; i < pixels; i++) {
    if (input === 'depth') {
      const metres = sample.depth![i]!;
      const value = metres > 0 ? (metres - depthInput.mean) / depthInput.deviation : 0;
      for (let c = 0; c < channels; c++) planes[c * pixels + i] = value;
      continue;
    }
    const label = sample.segmentation![i]!;
    if (label === VOID) continue;
    if (segmentationInput.encoding === 'one-hot') planes[label * pixels + i] = segmentationInput.scale;
    else
      for (let c = 0; c < 3; c++) planes[c * pixels + i] = (segmentationInput.scale * data.palette[label]![c]!) / 255;
  }
  return planes;
}

function picturePlanes({ image }: Sample, { width, height, picture }: NetworkSettings): Float32Array {
  const pixels = width * height;
  const planes = new Float32Array(3 * pixels);
  for (let i = 0; i < pixels; i++) {
    for (let c = 0; c < 3; c++) {
      planes[c * pixels + i] = (image[3 * i + c]! / 255 - picture.mean[c]!) / picture.deviation[c]!;
    }
  }
  return planes;
}

const joined = (parts: readonly Float32Array[]): Float32Array => {
  const whole = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
};

/** What a network is given for pictures: one tensor (N, C, H, W) for each backbone. */
export function inputsOf(samples: readonly Sample[], settings: NetworkSettings, data: Encoded): Tensor[] {
  const { second, width, height } = settings;
  const pictures = samples.map((sample) => picturePlanes(sample, settings));
  const more = second ? samples.map((sample) => secondPlanes(sample, second.input, settings, data)) : [];
  const asTensor = (planes: readonly Float32Array[]): Tensor =>
    tensor(joined(planes), [samples.length, planes[0]!.length / (width * height), height, width]);
  if (second?.fusion === 'backbones') return [asTensor(pictures), asTensor(more)];
  return [asTensor(pictures.map((planes, n) => (more[n] ? joined([planes, more[n]]) : planes)))];
}

/** The labels of pictures for the tasks of a network. */
export function targetsOf(samples: readonly Sample[], { tasks, width, height }: NetworkSettings): HostTargets {
  const pixels = width * height;
  const together = <T extends Uint8Array | Float32Array>(whole: T, mapOf: (sample: Sample) => T): T => {
    samples.forEach((sample, n) => whole.set(mapOf(sample), n * pixels));
    return whole;
  };
  const size = samples.length * pixels;
  return {
    ...{ count: samples.length, width, height },
    segmentation: tasks.includes('segmentation')
      ? together(new Uint8Array(size), (each) => each.segmentation!)
      : undefined,
    depth: tasks.includes('depth') ? together(new Float32Array(size), (each) => each.depth!) : undefined,
  };
}

/** The training pictures of a run, labels hidden or made by a teacher. Batch k is a pure function of the seed and k. */
export class Samples {
  /** Indices into the training cohort. */
  readonly pictures: readonly number[];
  readonly #withheld: ReadonlySet<number>;
  readonly #cohort: RoomCohort;
  readonly #settings: RoomSettings;
  readonly #seed: number;
  readonly #order: Epochs<number>;

  constructor({ cohorts }: RoomScenes, split: RoomSplit, settings: RoomSettings, seed: number) {
    this.pictures = [...split.labelled, ...(settings.pictures === 'all' ? split.hidden : [])];
    this.#withheld = new Set(settings.hidden ? split.hidden : []);
    this.#cohort = cohorts.train;
    this.#settings = settings;
    this.#seed = seed;
    // Epochs follow on each other without a break, so that as many updates are as many pictures for every row.
    this.#order = new Epochs((epoch) => [
      ...random(seed, 'imbalanced-mtl shuffle', epoch).permutation(this.pictures.length),
    ]);
  }

  /** Picture `index` with the labels that the run may see. */
  async read(index: number, pseudo: PseudoMaps | undefined): Promise<Sample> {
    const { network, hidden } = this.#settings;
    const sample = await readSample(this.#cohort, index, mapsOf(network));
    if (!this.#withheld.has(index) || !hidden) return sample;
    const map = pseudo?.get(index);
    const pixels = network.width * network.height;
    return hidden === 'segmentation'
      ? { ...sample, segmentation: (map as Uint8Array | undefined) ?? new Uint8Array(pixels).fill(VOID) }
      : { ...sample, depth: (map as Float32Array | undefined) ?? new Float32Array(pixels) };
  }

  async batch(k: number, pseudo: PseudoMaps | undefined): Promise<Sample[]> {
    const { batch, flip, scales, network } = this.#settings;
    const stream = random(this.#seed, 'imbalanced-mtl augmentation', k);
    const samples: Sample[] = [];
    for (let i = 0; i < batch; i++) {
      const sample = await this.read(this.pictures[this.#order.at(k * batch + i)]!, pseudo);
      const shown = { flip: stream.uniform() < flip, scale: scales[Math.floor(stream.uniform() * scales.length)]! };
      samples.push(augmented(sample, network, shown));
    }
    return samples;
  }
}
