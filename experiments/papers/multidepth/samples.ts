// Training samples (section 2.3 of the specification): random crop, random flip, blue-green-red in [0, 1], normalised log depth
// with 0 where nothing was measured, and its classes. Sample k of a run is a pure function of (seed, k), so that a resumed run
// goes on with the same ones. Leaves out scaling, rotation and colour jitter, as the paper does.
import { DataError, random } from '../../../engine/index.ts';
import type { Frame } from '../../data/sets/kitti-depth.ts';
import { UNITS_PER_METRE } from '../../data/formats/png.ts';
import type { Frames } from './frames.ts';
import { LogDepth } from './log-depth.ts';
import type { TrainingSettings } from './settings.ts';

/** Images as the network takes them, on the host. */
export interface HostBatch {
  readonly count: number;
  readonly height: number;
  readonly width: number;
  /** (count, 3, height, width), blue, green, red from 0 to 1. */
  readonly picture: Float32Array;
  /** (count, 1, height, width), normalised log depth; 0 where nothing was measured. */
  readonly target: Float32Array;
  /** (count, height, width), IGNORED where nothing was measured. */
  readonly labels: Int32Array;
  /** Images of the batch without any measurement. */
  readonly withoutDepth: number;
}

export interface Window {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly flip: boolean;
}

/** The normalised depths and classes of all values that a depth map can hold. */
export class Targets {
  readonly depth = new Float32Array(2 ** 16);
  readonly label = new Int32Array(2 ** 16);

  constructor(space: LogDepth, { classes, wholeMetres }: Pick<TrainingSettings, 'classes' | 'wholeMetres'>) {
    for (let units = 0; units < this.depth.length; units++) {
      const metres = units / UNITS_PER_METRE;
      const t = units === 0 ? 0 : space.encode(wholeMetres ? Math.floor(metres) : metres);
      this.depth[units] = t;
      this.label[units] = space.classOf(t, classes);
    }
  }
}

/** Cuts a window out of each frame; all windows have the size of the first. */
export function batchOf(frames: readonly Frame[], windows: readonly Window[], targets: Targets): HostBatch {
  const { width, height } = windows[0]!;
  const [count, plane] = [frames.length, width * height];
  const picture = new Float32Array(3 * count * plane);
  const target = new Float32Array(count * plane);
  const labels = new Int32Array(count * plane);
  let withoutDepth = 0;
  frames.forEach((frame, n) => {
    const { left, top, flip } = windows[n]!;
    let measured = false;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const from = (top + y) * frame.width + left + (flip ? width - 1 - x : x);
        const to = y * width + x;
        for (let channel = 0; channel < 3; channel++) {
          picture[(3 * n + channel) * plane + to] = frame.color[3 * from + 2 - channel]! / 255;
        }
        const units = frame.depth[from]!;
        target[n * plane + to] = targets.depth[units]!;
        labels[n * plane + to] = targets.label[units]!;
        measured ||= targets.depth[units]! > 0;
      }
    }
    if (!measured) withoutDepth++;
  });
  return { count, height, width, picture, target, labels, withoutDepth };
}

/** A window of a side of `patch` pixels within a frame, all places equally likely. Throws DataError for a smaller frame. */
export function windowIn(frame: Frame, patch: number, stream: { integer(n: number): number }, name: string): Window {
  const { width, height } = frame;
  if (width < patch || height < patch) {
    throw new DataError(`${name} is smaller than a training patch`, {
      expected: `${patch} x ${patch} or more`,
      given: `${width} x ${height}`,
    });
  }
  const left = stream.integer(width - patch + 1);
  const top = stream.integer(height - patch + 1);
  return { left, top, width: patch, height: patch, flip: stream.integer(2) === 1 };
}

/** The batches of a run. */
export class Samples {
  readonly #frames: Frames;
  readonly #settings: TrainingSettings;
  readonly #seed: number;
  readonly #targets: Targets;
  #order: { epoch: number; indices: Int32Array } | undefined;

  constructor(frames: Frames, settings: TrainingSettings, seed: number) {
    this.#frames = frames;
    this.#settings = settings;
    this.#seed = seed;
    const { bounds, classPlanes } = settings;
    this.#targets = new Targets(new LogDepth({ bounds, classPlanes: classPlanes ?? undefined }), settings);
  }

  /** The frame of sample k. Every epoch has an order of its own; an incomplete last batch is dropped, unless it is the first. */
  frameOf(sample: number): number {
    const { count } = this.#frames;
    const { batch } = this.#settings;
    const perEpoch = count >= batch ? count - (count % batch) : count;
    const epoch = Math.floor(sample / perEpoch);
    if (this.#order?.epoch !== epoch) {
      this.#order = { epoch, indices: random(this.#seed, 'multidepth shuffle', epoch).permutation(count) };
    }
    return this.#order.indices[sample % perEpoch]!;
  }

  /** Batch number `iteration`. Rejects with DataError where a file is damaged or a frame too small. */
  async batch(iteration: number): Promise<HostBatch> {
    const { batch, patch } = this.#settings;
    const samples = Array.from({ length: batch }, (_, i) => iteration * batch + i);
    const indices = samples.map((sample) => this.frameOf(sample));
    const frames = await Promise.all(indices.map((index) => this.#frames.read(index)));
    const windows = samples.map((sample, i) => {
      const stream = random(this.#seed, 'multidepth crop', sample);
      return windowIn(frames[i]!, patch, stream, this.#frames.pairs[indices[i]!]!.name);
    });
    return batchOf(frames, windows, this.#targets);
  }
}
