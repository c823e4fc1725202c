// Extruded MNIST (dmtl, section 2): a digit upsampled and binarised to a mask m, its depth map m (c + 1) / 10, and the noisy
// input y = (m + k n) / (1 + k), standardised per image. Noise belongs to the image: the same in every epoch.
import { takes } from '../../engine/call-check.ts';
import { random } from '../../engine/index.ts';
import { flag, number, record, requiredOptions, size, text, value } from '../../engine/parameters.ts';
import { type Cohort, DIGIT_SIZE, type DigitSource } from './digits.ts';

/** Side of the images in the paper; noise strengths are given for it. */
const PAPER_SIZE = 256;

/** Noise on the upsampled digits of dMTL. */
export interface NoiseOptions {
  /** `mixUniform`: (x + k n) / (1 + k), n uniform on [0, 1). `power`: x + n, n normal with variance k mean(x^2). */
  readonly kind: 'mixUniform' | 'power';
  /** `after`: drawn for each pixel of the upsampled image. `before`: drawn at 28 x 28 and upsampled with the digit. */
  readonly where: 'after' | 'before';
  /** Noise parts per signal part at 256 x 256, as in S:N = 1:k. 0 is no noise. */
  readonly k: number;
}

/** How digits become the samples of dMTL: upsampled, noisy, with a depth map. */
export interface ExtrusionOptions {
  /** Side of the network's input in pixels. */
  readonly size: number;
  readonly noise: NoiseOptions;
  /** Depth of digit c: (c + 1) / 10, or literally proportional, c / 9, which leaves digit 0 without depth. */
  readonly depthMode: 'offset' | 'literal';
  /** The grey digit instead of the binarised one under the noise. */
  readonly grey?: boolean | undefined;
  /** false: the noisy image as it is, from 0 to 1, instead of zero mean and unit variance. */
  readonly standardized?: boolean | undefined;
  /** Share of the training images that are noisy, drawn by image; default 1. */
  readonly noisyShare?: number | undefined;
  /** Training images get other noise in each epoch. */
  readonly freshNoise?: boolean | undefined;
}

/** Bilinear resampling of a square image with half-pixel centres (corners not aligned, edges repeated). */
export function resizeBilinear(source: Float32Array, from: number, to: number): Float32Array {
  const first = new Int32Array(to);
  const weight = new Float64Array(to);
  for (let i = 0; i < to; i++) {
    const at = Math.min(Math.max(((i + 0.5) * from) / to - 0.5, 0), from - 1);
    first[i] = Math.min(Math.floor(at), Math.max(0, from - 2));
    weight[i] = at - first[i]!;
  }
  const result = new Float32Array(to * to);
  const step = from > 1 ? 1 : 0;
  for (let y = 0; y < to; y++) {
    const above = first[y]! * from;
    const below = above + step * from;
    for (let x = 0; x < to; x++) {
      const left = first[x]!;
      const u = weight[x]!;
      const top = source[above + left]! * (1 - u) + source[above + left + step]! * u;
      const bottom = source[below + left]! * (1 - u) + source[below + left + step]! * u;
      result[y * to + x] = top * (1 - weight[y]!) + bottom * weight[y]!;
    }
  }
  return result;
}

/** 1 where the value is strictly greater than 0.5, else 0. */
export const binarize = (image: Float32Array): Float32Array => image.map((value) => (value > 0.5 ? 1 : 0));

/** Depth of a digit's pixels, 0 to 1, by its class. */
export const extrusionDepth = (label: number, mode: ExtrusionOptions['depthMode']): number =>
  mode === 'offset' ? (label + 1) / 10 : label / 9;

/**
 * The strength that makes an S x S image as hard as the paper's 256 x 256 one: a network averages noise over the pixels of
 * one stroke, so amplitudes shrink with the side. Noise drawn before upsampling is not averaged and keeps its strength.
 */
export function equalDifficulty({ kind, where, k }: NoiseOptions, size: number): number {
  if (where === 'before') return k;
  const ratio = size / PAPER_SIZE;
  return kind === 'mixUniform' ? k * ratio : k * ratio * ratio;
}

const takesNoise = takes('addNoise', {
  mask: value,
  options: requiredOptions<NoiseOptions & { size: number }>(
    { kind: text, where: text, k: number, size },
    'kind',
    'where',
    'k',
    'size',
  ),
  name: record,
});

/** Adds the noise that belongs to (seed, cohort, index) to a mask. `k` is the strength at this size. */
export function addNoise(
  ...args: [
    mask: Float32Array,
    options: NoiseOptions & { size: number },
    name: { seed: number; cohort: Cohort; index: number },
  ]
): Float32Array {
  const [mask, { kind, where, k, size }, name] = takesNoise(args);
  if (k === 0) return mask.slice();
  const stream = random(name.seed, `noise of extruded digits, ${name.cohort}`, name.index);
  const side = where === 'after' ? size : DIGIT_SIZE;
  const drawn = kind === 'mixUniform' ? stream.uniformArray(side * side) : stream.normalArray(side * side);
  const noise = where === 'after' ? drawn : resizeBilinear(drawn, DIGIT_SIZE, size);
  if (kind === 'mixUniform') return mask.map((x, i) => (x + k * noise[i]!) / (1 + k));
  const power = mask.reduce((sum, x) => sum + x * x, 0) / mask.length;
  const sigma = Math.sqrt(k * power);
  return mask.map((x, i) => x + sigma * noise[i]!);
}

/** Zero mean and unit variance over the pixels; a constant image becomes zeros. */
export function standardize(image: Float32Array): Float32Array {
  const mean = image.reduce((sum, x) => sum + x, 0) / image.length;
  const variance = image.reduce((sum, x) => sum + (x - mean) ** 2, 0) / image.length;
  const scale = variance > 0 ? 1 / Math.sqrt(variance) : 1;
  return image.map((x) => (x - mean) * scale);
}

/** More than a cohort has: what the numbers of noise of different epochs are apart. */
const MOST_IMAGES = 2 ** 20;

/** Bytes of prepared images to keep; larger sets are prepared again in every epoch. */
const CACHE_BYTES = 600e6;

const takesDigits = takes('ExtrudedDigits', {
  source: record,
  cohort: text,
  count: size,
  options: requiredOptions<ExtrusionOptions>(
    { size, noise: record, depthMode: text, grey: flag, standardized: flag, noisyShare: number, freshNoise: flag },
    'size',
    'noise',
    'depthMode',
  ),
  seed: number,
});

/** `count` images of a cohort, prepared when first asked for. */
export class ExtrudedDigits {
  readonly count: number;
  readonly size: number;
  readonly labels: Int32Array;
  readonly #inputs: (Float32Array | undefined)[] = [];
  readonly #masks: (Float32Array | undefined)[] = [];
  readonly #source: DigitSource;
  readonly #cohort: Cohort;
  readonly #options: ExtrusionOptions;
  readonly #seed: number;

  constructor(...args: [source: DigitSource, cohort: Cohort, count: number, options: ExtrusionOptions, seed: number]) {
    const [source, cohort, count, options, seed] = takesDigits(args);
    this.#source = source;
    this.#cohort = cohort;
    this.#options = options;
    this.#seed = seed;
    this.count = count;
    this.size = options.size;
    this.labels = Int32Array.from({ length: count }, (_, index) => source.label(cohort, index));
  }

  #cached(kept: (Float32Array | undefined)[], index: number, make: () => Float32Array): Float32Array {
    const value = kept[index] ?? make();
    if (8 * this.count * this.size ** 2 <= CACHE_BYTES) kept[index] = value;
    return value;
  }

  #grey(index: number): Float32Array {
    return resizeBilinear(this.#source.pixels(this.#cohort, index), DIGIT_SIZE, this.size);
  }

  #mask(index: number): Float32Array {
    return this.#cached(this.#masks, index, () => binarize(this.#grey(index)));
  }

  /** Image `index` with the noise of a number. */
  #noisy(index: number, number: number): Float32Array {
    const { noise, size, grey = false, standardized = true, noisyShare = 1 } = this.#options;
    const isTraining = this.#cohort === 'train';
    const isClean =
      isTraining && noisyShare < 1 && random(this.#seed, 'noisy extruded digits', index).uniform() >= noisyShare;
    const options = { ...noise, k: isClean ? 0 : equalDifficulty(noise, size), size };
    const clean = grey ? this.#grey(index) : this.#mask(index);
    const noisy = addNoise(clean, options, { seed: this.#seed, cohort: this.#cohort, index: number });
    return standardized ? standardize(noisy) : noisy;
  }

  /** The noisy image, size x size, standardised unless the options say otherwise. Fresh noise is that of the epoch. */
  input(index: number, epoch = 0): Float32Array {
    const isFresh = this.#options.freshNoise === true && this.#cohort === 'train';
    if (isFresh && epoch > 0) return this.#noisy(index, index + MOST_IMAGES * epoch);
    return this.#cached(this.#inputs, index, () => this.#noisy(index, index));
  }

  /** The depth map, size x size, from 0 to 1. */
  depth(index: number): Float32Array {
    const value = extrusionDepth(this.labels[index]!, this.#options.depthMode);
    return this.#mask(index).map((m) => m * value);
  }

  /** Inputs and depth maps (n, 1, size, size) and labels (n) of the images with these indices. */
  batch(indices: ArrayLike<number>, epoch = 0): { input: Float32Array; depth: Float32Array; label: Int32Array } {
    const pixels = this.size ** 2;
    const n = indices.length;
    const result = {
      input: new Float32Array(n * pixels),
      depth: new Float32Array(n * pixels),
      label: new Int32Array(n),
    };
    for (let i = 0; i < n; i++) {
      const index = indices[i]!;
      result.input.set(this.input(index, epoch), i * pixels);
      result.depth.set(this.depth(index), i * pixels);
      result.label[i] = this.labels[index]!;
    }
    return result;
  }

  /** Images of each class. */
  classCounts(classes: number): number[] {
    const counts = new Array<number>(classes).fill(0);
    for (const label of this.labels) counts[label]!++;
    return counts;
  }
}
