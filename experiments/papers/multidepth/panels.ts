// The panels of figures 1 and 8: picture, measured depth, and the depth of both heads, in the same colours.
import type { MultiDepth } from '../../../models/index.ts';
import { UNITS_PER_METRE } from '../../data/formats/png.ts';
import { base64, depthPicture, photograph } from '../../report/depth-pictures.ts';
import type { Picture } from '../../runner/paper.ts';
import { pictureOf, predictDepth, wholeOf } from './evaluation.ts';
import type { Frames } from './frames.ts';
import type { LogDepth } from './log-depth.ts';

/** Metres between which colours run. */
export const COLOR_RANGE = [2, 125] as const;

/** Panels of the first images of a cohort. Leaves the model in training mode. */
export async function samplePictures(
  model: MultiDepth,
  frames: Frames,
  space: LogDepth,
  count: number,
): Promise<Picture[]> {
  model.eval();
  const pictures: Picture[] = [];
  for (let index = 0; index < Math.min(count, frames.count); index++) {
    const frame = await frames.read(index);
    const size = [frame.width, frame.height] as const;
    const colored = (metres: ArrayLike<number>): string => base64(depthPicture(metres, size, COLOR_RANGE));
    const predicted = await predictDepth(model, pictureOf(frame, wholeOf(frame)), [size[1], size[0]], space);
    pictures.push({
      label: frames.pairs[index]!.name,
      images: [
        { caption: 'picture', png: base64(photograph(frame.color, size)) },
        { caption: 'measured', png: colored(Float32Array.from(frame.depth, (units) => units / UNITS_PER_METRE)) },
        ...(predicted.regression ? [{ caption: 'regression', png: colored(predicted.regression) }] : []),
        ...(predicted.classification ? [{ caption: 'classification', png: colored(predicted.classification) }] : []),
      ],
    });
  }
  model.train();
  return pictures;
}
