// Evaluation of MultiDepth (section 6 of the specification): whole images in one pass, SILog per image over measured pixels,
// mean over images; apart from it the same on one fixed patch per image. Batch norm in inference mode, no dropout.
import { noGrad, random, scope, tensor } from '../../../engine/index.ts';
import type { MultiDepth } from '../../../models/index.ts';
import type { Frame } from '../../data/sets/kitti-depth.ts';
import { UNITS_PER_METRE } from '../../data/formats/png.ts';
import { Prefetch } from '../../data/prefetch.ts';
import { silogOf } from '../../metrics/silog.ts';
import type { Frames } from './frames.ts';
import type { LogDepth } from './log-depth.ts';
import { type Window, windowIn } from './samples.ts';

/** Mean SILog of the outputs that the network has. */
export interface Scores {
  regression?: number;
  classification?: number;
}

export interface Evaluation {
  readonly full: Scores;
  readonly patch: Scores;
  /** Images without a measured pixel: they have no error and are left out. */
  readonly withoutDepth: number;
}

/** Metres of each pixel from either head, row-major. */
export interface Prediction {
  regression?: Float32Array;
  classification?: Float32Array;
}

export const wholeOf = ({ width, height }: Frame): Window => ({ left: 0, top: 0, width, height, flip: false });

/** Blue, green, red planes of a window, from 0 to 1: (1, 3, height, width). */
export function pictureOf({ color, width: stride }: Pick<Frame, 'color' | 'width'>, window: Window): Float32Array {
  const { left, top, width, height } = window;
  const plane = width * height;
  const values = new Float32Array(3 * plane);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = 3 * ((top + y) * stride + left + x);
      for (let channel = 0; channel < 3; channel++) {
        values[channel * plane + y * width + x] = color[from + 2 - channel]! / 255;
      }
    }
  }
  return values;
}

/** Depth in metres for one picture (1, 3, height, width). The model is in inference mode. */
export async function predictDepth(
  model: MultiDepth,
  picture: Float32Array,
  [height, width]: readonly [number, number],
  space: LogDepth,
): Promise<Prediction> {
  using _ = scope();
  const { regression, logits } = noGrad(() => {
    const output = model.forward(tensor(picture, [1, 3, height, width]));
    return { regression: output.regression, logits: output.logits };
  });
  const prediction: Prediction = {};
  if (regression) prediction.regression = Float32Array.from(await regression.array(), (t) => space.decode(t));
  if (logits) {
    const classes = logits.shape[1]!;
    const middles = Array.from({ length: classes }, (_, index) => space.depthOfClass(index, classes));
    prediction.classification = Float32Array.from(await logits.argmax(1).array(), (index) => middles[index]!);
  }
  return prediction;
}

/** The metres of a window of a depth map. */
function truthOf(frame: Frame, { left, top, width, height }: Window): Float32Array {
  const truth = new Float32Array(width * height);
  for (let i = 0; i < truth.length; i++) {
    truth[i] = frame.depth[(top + Math.floor(i / width)) * frame.width + left + (i % width)]! / UNITS_PER_METRE;
  }
  return truth;
}

/** Mean of the scores that were added. */
class Mean {
  #sums: Required<Scores> = { regression: 0, classification: 0 };
  #counts: Required<Scores> = { regression: 0, classification: 0 };

  add(prediction: Prediction, truth: Float32Array): void {
    for (const head of ['regression', 'classification'] as const) {
      const predicted = prediction[head];
      if (!predicted) continue;
      this.#sums[head] += silogOf({ predicted, truth });
      this.#counts[head]++;
    }
  }

  get scores(): Scores {
    const heads = (['regression', 'classification'] as const).filter((head) => this.#counts[head] > 0);
    return Object.fromEntries(heads.map((head) => [head, this.#sums[head] / this.#counts[head]]));
  }
}

/** Images decoded ahead of the one that is being scored. */
const AHEAD = 4;

/** Scores a model on all frames; `patch` is the side of the patches. Leaves the model in training mode. */
export async function evaluate(
  model: MultiDepth,
  frames: Frames,
  { space, patch, pause }: { space: LogDepth; patch: number; pause: () => Promise<void> },
): Promise<Evaluation> {
  model.eval();
  const [full, patches] = [new Mean(), new Mean()];
  let withoutDepth = 0;
  const queue = new Prefetch((index) => frames.read(index), { end: frames.count, ahead: AHEAD });
  for (let index = 0; index < frames.count; index++) {
    const frame = (await queue.next())!;
    if (frame.valid === 0) {
      withoutDepth++;
      continue;
    }
    const score = async (window: Window, mean: Mean): Promise<void> => {
      const truth = truthOf(frame, window);
      if (!truth.some((metres) => metres > 0)) return;
      const size = [window.height, window.width] as const;
      mean.add(await predictDepth(model, pictureOf(frame, window), size, space), truth);
    };
    await score(wholeOf(frame), full);
    const fixed = random(0, 'multidepth validation patch', index);
    await score(windowIn(frame, patch, fixed, frames.pairs[index]!.name), patches);
    await pause();
  }
  model.train();
  return { full: full.scores, patch: patches.scores, withoutDepth };
}
