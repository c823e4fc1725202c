// Grey and colour pictures as base64 PNG, for results that carry samples.
import { encode } from 'fast-png';

/** Values from `low` (black) to `high` (white), row-major, clipped. */
export function greyPng(values: ArrayLike<number>, size: number, low: number, high: number): string {
  const scale = high > low ? 255 / (high - low) : 0;
  const data = Uint8Array.from({ length: size * size }, (_, i) =>
    Math.round(Math.min(255, Math.max(0, (values[i]! - low) * scale))),
  );
  return Buffer.from(encode({ width: size, height: size, data, channels: 1, depth: 8 })).toString('base64');
}

/** The same, stretched from the smallest to the largest value. */
export function stretchedPng(values: Float32Array, size: number): string {
  const { low, high } = values.reduce(
    (range, value) => ({ low: Math.min(range.low, value), high: Math.max(range.high, value) }),
    { low: Infinity, high: -Infinity },
  );
  return greyPng(values, size, low, high);
}

/** RGB bytes, interleaved, row-major. */
export const colourPng = (rgb: Uint8Array, size: number): string =>
  Buffer.from(encode({ width: size, height: size, data: rgb, channels: 3, depth: 8 })).toString('base64');

/** Draws the outline of a box (xmin, ymin, xmax, ymax in pixels) into RGB bytes; what lies outside is left out. */
export function outlineBox(
  rgb: Uint8Array,
  size: number,
  [x1, y1, x2, y2]: readonly number[],
  colour: readonly [number, number, number],
): void {
  const [left, top, right, bottom] = [x1!, y1!, x2! - 1, y2! - 1].map(Math.round) as [number, number, number, number];
  const dot = (x: number, y: number): void => {
    if (x >= 0 && x < size && y >= 0 && y < size) rgb.set(colour, 3 * (y * size + x));
  };
  // No further than the picture, whatever the box.
  for (let x = Math.max(0, left); x <= Math.min(size - 1, right); x++) [top, bottom].forEach((y) => dot(x, y));
  for (let y = Math.max(0, top); y <= Math.min(size - 1, bottom); y++) [left, right].forEach((x) => dot(x, y));
}
