// Depth maps in colour and photographs, as PNG: near things bright, far ones dark, white where nothing was measured.
import { encode } from 'fast-png';
import { scheme } from 'vega';

/** Colour of a share from 0 to 1, as `rgb(r, g, b)` or `#rrggbb`. */
const magma = scheme('magma') as (share: number) => string;

const SHADES = 256;

function parseColor(text: string): readonly [number, number, number] {
  const numbers = text.startsWith('#')
    ? [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16))
    : text.match(/\d+/g)!.map(Number);
  return [numbers[0]!, numbers[1]!, numbers[2]!];
}

const palette = Array.from({ length: SHADES }, (_, i) => parseColor(magma(i / (SHADES - 1))));

/** Metres as colours, logarithmic between `near` and `far`; 0 is white. */
export function depthPicture(
  metres: ArrayLike<number>,
  [width, height]: readonly [number, number],
  [near, far]: readonly [number, number],
): Uint8Array {
  const data = new Uint8Array(3 * width * height).fill(255);
  const range = Math.log(far / near);
  for (let i = 0; i < width * height; i++) {
    if (!(metres[i]! > 0)) continue;
    const share = Math.min(1, Math.max(0, Math.log(metres[i]! / near) / range));
    data.set(palette[Math.round((1 - share) * (SHADES - 1))]!, 3 * i);
  }
  return encode({ width, height, data, channels: 3, depth: 8 });
}

/** Red, green, blue of each pixel as a PNG. */
export const photograph = (data: Uint8Array, [width, height]: readonly [number, number]): Uint8Array =>
  encode({ width, height, data, channels: 3, depth: 8 });

export const base64 = (png: Uint8Array): string => Buffer.from(png).toString('base64');
