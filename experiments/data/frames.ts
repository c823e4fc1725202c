// Frames of a cohort, decoded when asked for and kept while there is room; and windows of them, as networks are shown them.
import { DataError, random } from '../../engine/index.ts';
import { UNITS_PER_METRE } from './formats/png.ts';
import { type Frame, type FrameList, type FramePair, readFrame } from './sets/kitti-depth.ts';

/** Bytes of decoded frames to keep. All generated scenes fit, the frames of KITTI do not. */
const CACHE_BYTES = 256e6;

const bytesOf = ({ color, depth }: Frame): number => color.byteLength + depth.byteLength;

export class Frames {
  readonly pairs: readonly FramePair[];
  readonly #kept: (Frame | undefined)[] = [];
  #room = CACHE_BYTES;

  constructor({ pairs }: Pick<FrameList, 'pairs'>) {
    this.pairs = pairs;
  }

  get count(): number {
    return this.pairs.length;
  }

  /** Frame number `index`. Rejects with DataError where its files are damaged. */
  async read(index: number): Promise<Frame> {
    const kept = this.#kept[index];
    if (kept) return kept;
    const frame = await readFrame(this.pairs[index]!);
    if (!this.#kept[index] && bytesOf(frame) <= this.#room) {
      this.#room -= bytesOf(frame);
      this.#kept[index] = frame;
    }
    return frame;
  }
}

export interface Window {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  /** Mirrored from left to right. */
  readonly flip: boolean;
}

type Size = Pick<Frame, 'width' | 'height'>;

export const wholeOf = ({ width, height }: Size): Window => ({ left: 0, top: 0, width, height, flip: false });

/** A window with sides of `side` pixels, all places equally likely. Throws DataError for a frame, called `name`, that is smaller. */
export function windowIn(
  { width, height }: Size,
  side: number,
  stream: { integer(n: number): number },
  name: string,
): Window {
  if (width < side || height < side) {
    throw new DataError(`${name} is smaller than a training patch`, {
      expected: `${side} x ${side} or more`,
      given: `${width} x ${height}`,
    });
  }
  const left = stream.integer(width - side + 1);
  const top = stream.integer(height - side + 1);
  return { left, top, width: side, height: side, flip: stream.integer(2) === 1 };
}

/** The pixels of a frame of that width that a window shows, row by row. */
export function pixelsOf({ left, top, width, height, flip }: Window, stride: number): Int32Array {
  const pixels = new Int32Array(width * height);
  for (let y = 0; y < height; y++) {
    const row = (top + y) * stride + left;
    for (let x = 0; x < width; x++) pixels[y * width + x] = row + (flip ? width - 1 - x : x);
  }
  return pixels;
}

/** Blue, green, red planes of a window, from 0 to 1: (3, height, width), into `into` from `at` on. */
export function copyPicture(
  { color, width }: Pick<Frame, 'color' | 'width'>,
  window: Window,
  into = new Float32Array(3 * window.width * window.height),
  at = 0,
): Float32Array {
  const pixels = pixelsOf(window, width);
  for (let channel = 0; channel < 3; channel++) {
    for (let i = 0; i < pixels.length; i++) into[at + i] = color[3 * pixels[i]! + 2 - channel]! / 255;
    at += pixels.length;
  }
  return into;
}

/** The depth of a window in metres, 0 where nothing was measured. */
export const depthIn = ({ depth, width }: Frame, window: Window): Float32Array =>
  Float32Array.from(pixelsOf(window, width), (pixel) => depth[pixel]! / UNITS_PER_METRE);

/**
 * Random windows of a cohort, `batch` at a time. Sample k is a pure function of (seed, purpose, k), so that a resumed run goes on
 * with the same ones.
 */
export class WindowSampler {
  readonly #frames: Frames;
  readonly #options: { readonly batch: number; readonly patch: number };
  readonly #seed: number;
  readonly #purpose: string;
  #order: { epoch: number; indices: Int32Array } | undefined;

  constructor(
    frames: Frames,
    options: { readonly batch: number; readonly patch: number },
    seed: number,
    purpose: string,
  ) {
    this.#frames = frames;
    this.#options = options;
    this.#seed = seed;
    this.#purpose = purpose;
  }

  /** The frame of sample k. Every epoch has an order of its own; an incomplete last batch is dropped, unless it is the first. */
  frameOf(sample: number): number {
    const { count } = this.#frames;
    const { batch } = this.#options;
    const perEpoch = count >= batch ? count - (count % batch) : count;
    const epoch = Math.floor(sample / perEpoch);
    if (this.#order?.epoch !== epoch) {
      this.#order = { epoch, indices: random(this.#seed, `${this.#purpose} shuffle`, epoch).permutation(count) };
    }
    return this.#order.indices[sample % perEpoch]!;
  }

  /** Frames and windows of batch number `index`. Rejects with DataError where a file is damaged or a frame too small. */
  async draw(index: number): Promise<{ frames: Frame[]; windows: Window[] }> {
    const { batch, patch } = this.#options;
    const samples = Array.from({ length: batch }, (_, i) => index * batch + i);
    const indices = samples.map((sample) => this.frameOf(sample));
    const frames = await Promise.all(indices.map((frame) => this.#frames.read(frame)));
    const windows = samples.map((sample, i) => {
      const stream = random(this.#seed, `${this.#purpose} crop`, sample);
      return windowIn(frames[i]!, patch, stream, this.#frames.pairs[indices[i]!]!.name);
    });
    return { frames, windows };
  }
}
