// Samples with their pictures, grey and in colour, as base64 PNG.
import type { Picture } from '../runner/paper.ts';
import { base64, encodePng } from './png.ts';

type MaybePng = string | undefined | Promise<string | undefined>;

/** A sample with its pictures by caption; those that are undefined are left out. */
export async function sampleOf(label: string, images: Readonly<Record<string, MaybePng>>): Promise<Picture> {
  const made = await Promise.all(Object.entries(images).map(async ([caption, png]) => ({ caption, png: await png })));
  return { label, images: made.flatMap(({ caption, png }) => (png === undefined ? [] : [{ caption, png }])) };
}

type TypedArray = Float32Array | Float64Array | Int32Array | Uint8Array;

/** Item `index` of an array of items of `length` values one behind the other. */
export const itemOf = <T extends TypedArray>(values: T, index: number, length: number): T =>
  values.subarray(index * length, (index + 1) * length) as T;

/** Values from `low` (black) to `high` (white), row-major, clipped. */
export function greyPng(values: ArrayLike<number>, size: number, low: number, high: number): Promise<string> {
  const scale = high > low ? 255 / (high - low) : 0;
  const data = Uint8Array.from({ length: size * size }, (_, i) =>
    Math.round(Math.min(255, Math.max(0, (values[i]! - low) * scale))),
  );
  return encodePng({ width: size, height: size, data, channels: 1 }).then(base64);
}

/** The same, stretched from the smallest to the largest value. */
export function stretchedPng(values: ArrayLike<number>, size: number): Promise<string> {
  let [low, high] = [Infinity, -Infinity];
  for (let i = 0; i < values.length; i++) [low, high] = [Math.min(low, values[i]!), Math.max(high, values[i]!)];
  return greyPng(values, size, low, high);
}

/** RGB bytes, interleaved, row-major. */
export const colourPng = (rgb: Uint8Array, size: number): Promise<string> =>
  encodePng({ width: size, height: size, data: rgb, channels: 3 }).then(base64);

/** Draws the outline of a box (xmin, ymin, xmax, ymax in pixels) into RGB bytes; what lies outside is left out. */
export function outlineBox(
  rgb: Uint8Array,
  size: number,
  box: ArrayLike<number>,
  colour: readonly [number, number, number],
): void {
  const [left, top] = [Math.round(box[0]!), Math.round(box[1]!)];
  const [right, bottom] = [Math.round(box[2]! - 1), Math.round(box[3]! - 1)];
  const dot = (x: number, y: number): void => {
    if (x >= 0 && x < size && y >= 0 && y < size) rgb.set(colour, 3 * (y * size + x));
  };
  // No further than the picture, whatever the box.
  for (let x = Math.max(0, left); x <= Math.min(size - 1, right); x++) [top, bottom].forEach((y) => dot(x, y));
  for (let y = Math.max(0, top); y <= Math.min(size - 1, bottom); y++) [left, right].forEach((x) => dot(x, y));
}
