// Evaluation of MultiDepth (section 6 of the specification): whole images in one pass, SILog per image over measured pixels,
// mean over images; apart from it the same on one fixed patch per image. Batch norm in inference mode, no dropout.
import { noGrad, random, scope, tensor } from '../../../engine/index.ts';
import type { MultiDepth } from '../../../models/index.ts';
import { copyPicture, depthIn, type Frames, wholeOf, type Window, windowIn } from '../../data/frames.ts';
import { Prefetch } from '../../data/prefetch.ts';
import type { Frame } from '../../data/sets/kitti-depth.ts';
import { Mean } from '../../metrics/means.ts';
import { silogOf } from '../../metrics/silog.ts';
import { depthPicture, errorPicture, photograph } from '../../report/depth-pictures.ts';
import { sampleOf } from '../../report/pictures.ts';
import { base64 } from '../../report/png.ts';
import { inference } from '../../runner/evaluation.ts';
import type { Picture } from '../../runner/paper.ts';
import type { Pause } from '../../runner/training.ts';
import type { LogDepth } from './log-depth.ts';

export const outputs = ['regression', 'classification'] as const;
export type Output = (typeof outputs)[number];
/** Something for each output that the network has. */
export type ByOutput<T> = { [output in Output]?: T | undefined };

export interface Evaluation {
  /** Mean SILog of whole images and of patches. */
  readonly full: ByOutput<number>;
  readonly patch: ByOutput<number>;
  /** Images without a measured pixel: they have no error and are left out. */
  readonly withoutDepth: number;
}

/** Metres of each pixel of a window, row-major. The model is in inference mode. */
export async function predictDepth(
  model: MultiDepth,
  frame: Pick<Frame, 'color' | 'width'>,
  window: Window,
  space: LogDepth,
): Promise<ByOutput<Float32Array>> {
  using _ = scope();
  const shape = [1, 3, window.height, window.width];
  const { regression, logits } = noGrad(() => model.forward(tensor(copyPicture(frame, window), shape)));
  const prediction: ByOutput<Float32Array> = {};
  if (regression) prediction.regression = Float32Array.from(await regression.array(), (t) => space.decode(t));
  if (logits) {
    const classes = logits.shape[1]!;
    const middles = Array.from({ length: classes }, (_, index) => space.depthOfClass(index, classes));
    prediction.classification = Float32Array.from(await logits.argmax(1).array(), (index) => middles[index]!);
  }
  return prediction;
}

/** Images decoded ahead of the one that is being scored. */
const AHEAD = 4;

/** Scores a model on all frames; `patch` is the side of the patches. Leaves the model in training mode. */
export async function evaluate(
  model: MultiDepth,
  frames: Frames,
  { space, patch, pause }: { space: LogDepth; patch: number; pause: Pause },
): Promise<Evaluation> {
  const means = () => ({ regression: new Mean(), classification: new Mean() });
  const [full, patches] = [means(), means()];
  let withoutDepth = 0;
  const queue = new Prefetch((index) => frames.read(index), { end: frames.count, ahead: AHEAD });
  const score = async (frame: Frame, window: Window, into: typeof full): Promise<void> => {
    const truth = depthIn(frame, window);
    if (!truth.some((metres) => metres > 0)) return;
    const prediction = await predictDepth(model, frame, window, space);
    for (const output of outputs) {
      const predicted = prediction[output];
      if (predicted) into[output].add(silogOf({ predicted, truth }));
    }
  };
  await inference([model], async () => {
    for (let index = 0; index < frames.count; index++) {
      const frame = (await queue.next())!;
      if (frame.valid === 0) {
        withoutDepth++;
        continue;
      }
      await score(frame, wholeOf(frame), full);
      const fixed = random(0, 'multidepth validation patch', index);
      await score(frame, { ...windowIn(frame, patch, fixed, frames.pairs[index]!.name), flip: false }, patches);
      await pause();
    }
  });
  const valuesOf = ({ regression, classification }: typeof full): ByOutput<number> => ({
    regression: regression.value,
    classification: classification.value,
  });
  return { full: valuesOf(full), patch: valuesOf(patches), withoutDepth };
}

/** Metres between which colours run. */
export const COLOR_RANGE = [2, 125] as const;

/** The panels of figures 1 and 8, of the first images of a cohort: picture, measured depth, the depth of both heads, and their errors. */
export const samplePictures = (model: MultiDepth, frames: Frames, space: LogDepth, count: number): Promise<Picture[]> =>
  inference([model], async () => {
    const pictures: Picture[] = [];
    for (const [index, { name }] of frames.pairs.slice(0, count).entries()) {
      const frame = await frames.read(index);
      const size = [frame.width, frame.height] as const;
      const colored = (metres: Float32Array | undefined): Promise<string> | undefined =>
        metres && depthPicture(metres, size, COLOR_RANGE).then(base64);
      const measured = depthIn(frame, wholeOf(frame));
      const wrong = (metres: Float32Array | undefined): Promise<string> | undefined =>
        metres && errorPicture(metres, measured, size).then(base64);
      const { regression, classification } = await predictDepth(model, frame, wholeOf(frame), space);
      pictures.push(
        await sampleOf(name, {
          picture: photograph(frame.color, size).then(base64),
          measured: colored(measured),
          regression: colored(regression),
          'error of the regression': wrong(regression),
          classification: colored(classification),
          'error of the classification': wrong(classification),
        }),
      );
    }
    return pictures;
  });
