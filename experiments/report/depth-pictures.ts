// Depth maps in colour and photographs, as PNG: near things bright, far ones dark, white where nothing was measured.
import { encodePng } from './png.ts';

/** The colour map "magma" of matplotlib (CC0) at equal steps from black to yellow, as hexadecimal red, green and blue. */
const MAGMA =
  '0000040404130b0923140e351f11482a115d380f6d47107754147d61197f6e1d817a2282872781942c80a2307eaf357b' +
  'bd3978ca3f72d6456ce24d66ec5860f3655df8745dfb8360fc9367fea26ffeb27afec186fed092fddfa1fceeb0fcfdbf';

/** The same of "plasma", from dark blue to yellow. */
const PLASMA =
  '0d088723069033059742039d5002a25d01a66a00a87801a88405a7900da49c179ea72198b12a90ba3488c33d80cb4779' +
  'd35171da5a69e16462e76e5bed7953f2834cf68f44fa9a3dfca636fdb32ffec029fcce25f9dc24f5ea27f0f921';

/** Red, green and blue, from 0 to 255, of a share from 0 to 1. */
function colourMap(steps: string): (share: number) => number[] {
  const stops = steps.match(/.{6}/g)!.map((hex) => [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16)));
  return (share) => {
    const at = share * (stops.length - 1);
    const from = Math.min(Math.floor(at), stops.length - 2);
    return stops[from]!.map((value, i) => Math.round(value + (at - from) * (stops[from + 1]![i]! - value)));
  };
}

export const magma = colourMap(MAGMA);

const SHADES = 256;
const paletteOf = (map: (share: number) => number[]): number[][] =>
  Array.from({ length: SHADES }, (_, i) => map(i / (SHADES - 1)));
const palette = paletteOf(magma);
const reversedPlasma = paletteOf(colourMap(PLASMA)).reverse();

/** Metres as colours, logarithmic between `near` and `far`; 0 is white. */
export function depthPicture(
  metres: ArrayLike<number>,
  [width, height]: readonly [number, number],
  [near, far]: readonly [number, number],
): Promise<Uint8Array> {
  const data = new Uint8Array(3 * width * height).fill(255);
  const range = Math.log(far / near);
  for (let i = 0; i < width * height; i++) {
    if (!(metres[i]! > 0)) continue;
    const share = Math.min(1, Math.max(0, Math.log(metres[i]! / near) / range));
    data.set(palette[Math.round((1 - share) * (SHADES - 1))]!, 3 * i);
  }
  return encodePng({ width, height, data, channels: 3 });
}

/** The error that is shown brightest, as a share of the true depth. */
const LARGEST_ERROR = 0.5;

/** How far metres are from the true ones, as a share of these: none is black, a half and more bright, white where nothing was measured. */
export function errorPicture(
  metres: ArrayLike<number>,
  truth: ArrayLike<number>,
  [width, height]: readonly [number, number],
): Promise<Uint8Array> {
  const data = new Uint8Array(3 * width * height).fill(255);
  for (let i = 0; i < width * height; i++) {
    if (!(truth[i]! > 0)) continue;
    const share = Math.min(1, Math.abs(metres[i]! - truth[i]!) / truth[i]! / LARGEST_ERROR);
    data.set(palette[Math.round(share * (SHADES - 1))]!, 3 * i);
  }
  return encodePng({ width, height, data, channels: 3 });
}

/** Metres in reversed plasma, linear from `low` (yellow) to `high` (dark blue), clipped; what is no number is `low` too. */
export function plasmaPicture(
  metres: ArrayLike<number>,
  [width, height]: readonly [number, number],
  [low, high]: readonly [number, number],
): Promise<Uint8Array> {
  const data = new Uint8Array(3 * width * height);
  for (let i = 0; i < width * height; i++) {
    const share = metres[i]! > low ? Math.min(1, (metres[i]! - low) / (high - low)) : 0;
    data.set(reversedPlasma[Math.round(share * (SHADES - 1))]!, 3 * i);
  }
  return encodePng({ width, height, data, channels: 3 });
}

/** Red, green, blue of each pixel as a PNG. */
export const photograph = (data: Uint8Array, [width, height]: readonly [number, number]): Promise<Uint8Array> =>
  encodePng({ width, height, data, channels: 3 });
