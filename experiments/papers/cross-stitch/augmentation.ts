// The authors' augmentation in the first phase of OEQ (section 2.2): with probability 0.4 a whole batch goes through a random
// perspective (distortion 0.9, itself applied with probability 0.5) and a rotation by 0 to 30 degrees. The boxes are not warped
// along, which makes wrong labels; it is here to be compared with, not to be used.
import { random } from '../../../engine/index.ts';
import type { PetBatch } from '../../data/pets.ts';
import { type Corners, type Mapping, perspective, rotation, warpPlane } from '../../data/warp.ts';

const BATCH_PROBABILITY = 0.4;
const PERSPECTIVE_PROBABILITY = 0.5;
const DISTORTION = 0.9;
const LARGEST_ANGLE = Math.PI / 6;

/** The batch, warped or not by what (seed, step) draws. Boxes, masks and species stay. */
export function warpAsPaper(batch: PetBatch, seed: number, step: number): PetBatch {
  const stream = random(seed, 'warp of cross-stitch', step);
  if (stream.uniform() >= BATCH_PROBABILITY) return batch;
  const { size, count } = batch;
  const maps: Mapping[] = [];
  if (stream.uniform() < PERSPECTIVE_PROBABILITY) {
    const shift = (): number => DISTORTION * (size / 2) * stream.uniform();
    const whole: Corners = [[0, 0], [size, 0], [size, size], [0, size]]; // prettier-ignore
    const moved: Corners = [
      [shift(), shift()],
      [size - shift(), shift()],
      [size - shift(), size - shift()],
      [shift(), size - shift()],
    ];
    maps.push(perspective(moved, whole));
  }
  maps.push(rotation(LARGEST_ANGLE * stream.uniform(), [size / 2, size / 2]));
  const images = new Float32Array(batch.images.length);
  for (let plane = 0; plane < 3 * count; plane++) {
    let values: Float32Array = batch.images.slice(plane * size * size, (plane + 1) * size * size);
    for (const map of maps) values = warpPlane(values, size, map);
    images.set(values, plane * size * size);
  }
  return { ...batch, images };
}
