// The authors' augmentation in the first phase of OEQ (section 2.2): with probability 0.4 a whole batch goes through a random
// perspective (distortion 0.9, itself applied with probability 0.5) and a rotation by 0 to 30 degrees. The boxes are not warped
// along, which makes wrong labels; it is here to be compared with, not to be used.
import { random } from '../../../engine/index.ts';
import type { PetBatch } from '../../data/pets.ts';

const BATCH_PROBABILITY = 0.4;
const PERSPECTIVE_PROBABILITY = 0.5;
const DISTORTION = 0.9;
const LARGEST_ANGLE = Math.PI / 6;

type Point = readonly [number, number];
type Corners = readonly [Point, Point, Point, Point];

/** Eight coefficients of (x, y) -> ((a x + b y + c), (d x + e y + f)) / (g x + h y + 1) that send each `from` to its `to`. */
export function homography(from: Corners, to: Corners): number[] {
  const rows = from.flatMap(([x, y], i) => {
    const [u, v] = to[i]!;
    return [
      [x, y, 1, 0, 0, 0, -u * x, -u * y, u],
      [0, 0, 0, x, y, 1, -v * x, -v * y, v],
    ];
  });
  // Gauss-Jordan elimination with pivots.
  for (let k = 0; k < 8; k++) {
    const pivot = rows
      .slice(k)
      .reduce((best, row, i) => (Math.abs(row[k]!) > Math.abs(rows[best]![k]!) ? k + i : best), k);
    [rows[k], rows[pivot]] = [rows[pivot]!, rows[k]!];
    const scale = rows[k]![k]!;
    rows[k] = rows[k]!.map((value) => value / scale);
    for (let i = 0; i < 8; i++) {
      const factor = rows[i]![k]!;
      if (i !== k) rows[i] = rows[i]!.map((value, j) => value - factor * rows[k]![j]!);
    }
  }
  return rows.map((row) => row[8]!);
}

type Mapping = (x: number, y: number) => Point;

/** One plane sampled bilinearly at the mapped places; 0 outside of the picture. */
function warpPlane(plane: Float32Array, size: number, map: Mapping): Float32Array {
  const value = (x: number, y: number): number => (x >= 0 && x < size && y >= 0 && y < size ? plane[y * size + x]! : 0);
  return Float32Array.from({ length: size * size }, (_, i) => {
    const [sx, sy] = map((i % size) + 0.5, Math.floor(i / size) + 0.5);
    const [u, v] = [sx - 0.5, sy - 0.5];
    const [x, y] = [Math.floor(u), Math.floor(v)];
    const top = value(x, y) * (x + 1 - u) + value(x + 1, y) * (u - x);
    const bottom = value(x, y + 1) * (x + 1 - u) + value(x + 1, y + 1) * (u - x);
    return top * (y + 1 - v) + bottom * (v - y);
  });
}

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
    const [a, b, c, d, e, f, g, h] = homography(moved, whole) as [number, number, number, number, number, number, number, number]; // prettier-ignore
    maps.push((x, y) => {
      const w = g * x + h * y + 1;
      return [(a * x + b * y + c) / w, (d * x + e * y + f) / w];
    });
  }
  const angle = LARGEST_ANGLE * stream.uniform();
  const [cos, sin, middle] = [Math.cos(angle), Math.sin(angle), size / 2];
  maps.push((x, y) => [
    middle + cos * (x - middle) - sin * (y - middle),
    middle + sin * (x - middle) + cos * (y - middle),
  ]);
  const images = new Float32Array(batch.images.length);
  for (let plane = 0; plane < 3 * count; plane++) {
    let values: Float32Array = batch.images.slice(plane * size * size, (plane + 1) * size * size);
    for (const map of maps) values = warpPlane(values, size, map);
    images.set(values, plane * size * size);
  }
  return { ...batch, images };
}
