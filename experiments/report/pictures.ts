// Grey pictures as base64 PNG, for results that carry samples.
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
