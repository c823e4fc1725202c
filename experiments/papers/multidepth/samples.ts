// Training samples (section 2.3 of the specification): random crop, random flip, blue-green-red in [0, 1], normalised log depth
// with 0 where nothing was measured, and its classes. Leaves out scaling, rotation and colour jitter, as the paper does.
import { UNITS_PER_METRE } from '../../data/formats/png.ts';
import { copyPicture, type Frames, pixelsOf, type Window, WindowSampler } from '../../data/frames.ts';
import type { Frame } from '../../data/sets/kitti-depth.ts';
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
    const window = windows[n]!;
    copyPicture(frame, window, picture, 3 * n * plane);
    let measured = false;
    for (const [i, pixel] of pixelsOf(window, frame.width).entries()) {
      const units = frame.depth[pixel]!;
      target[n * plane + i] = targets.depth[units]!;
      labels[n * plane + i] = targets.label[units]!;
      measured ||= targets.depth[units]! > 0;
    }
    if (!measured) withoutDepth++;
  });
  return { count, height, width, picture, target, labels, withoutDepth };
}

/** The batches of a run. */
export class Samples extends WindowSampler {
  readonly #targets: Targets;

  constructor(frames: Frames, settings: TrainingSettings, seed: number) {
    super(frames, settings, seed, 'multidepth');
    this.#targets = new Targets(new LogDepth(settings), settings);
  }

  /** Batch number `iteration`. Rejects with DataError where a file is damaged or a frame too small. */
  async batch(iteration: number): Promise<HostBatch> {
    const { frames, windows } = await this.draw(iteration);
    return batchOf(frames, windows, this.#targets);
  }
}
