// Pictures mirrored and enlarged about their centre in the same frame, as the augmentation of MTI-Net does: colours by a cubic filter,
// maps by the nearest neighbour. Leaves out other angles.
import type { PixelSize } from './resize.ts';

/** How a picture is shown. */
export interface Shown {
  readonly flip: boolean;
  /** How much larger than it is, about its centre. */
  readonly scale: number;
}

/** Where pixel `i` of a shown row or column comes from. */
const sourceOf = (i: number, length: number, scale: number, flip = false): number => {
  const middle = (length - 1) / 2;
  const at = middle + (i - middle) / scale;
  return flip ? length - 1 - at : at;
};

/** The weights of four neighbours of a place between the second and the third, as OpenCV's cubic interpolation has them. */
function cubicWeights(share: number): readonly [number, number, number, number] {
  const A = -0.75;
  const far = (x: number): number => ((A * x - 5 * A) * x + 8 * A) * x - 4 * A;
  const near = (x: number): number => ((A + 2) * x - (A + 3)) * x * x + 1;
  return [far(1 + share), near(share), near(1 - share), far(2 - share)];
}

/** The four places, kept inside, and their weights. */
function taps(at: number, length: number): { readonly from: readonly number[]; readonly weights: readonly number[] } {
  const first = Math.floor(at) - 1;
  const from = [0, 1, 2, 3].map((k) => Math.min(length - 1, Math.max(0, first + k)));
  return { from, weights: cubicWeights(at - Math.floor(at)) };
}

/** Colours by cubic interpolation, row-major, three to a pixel. */
export function shownPicture(
  image: Uint8Array | Float32Array,
  { width, height }: PixelSize,
  { flip, scale }: Shown,
): Float32Array {
  const columns = Array.from({ length: width }, (_, x) => taps(sourceOf(x, width, scale, flip), width));
  const warped = new Float32Array(image.length);
  for (let y = 0; y < height; y++) {
    const rows = taps(sourceOf(y, height, scale), height);
    for (let x = 0; x < width; x++) {
      const { from, weights } = columns[x]!;
      for (let c = 0; c < 3; c++) {
        let value = 0;
        for (let j = 0; j < 4; j++) {
          const row = rows.from[j]! * width;
          for (let i = 0; i < 4; i++) value += rows.weights[j]! * weights[i]! * image[3 * (row + from[i]!) + c]!;
        }
        warped[3 * (y * width + x) + c] = Math.min(255, Math.max(0, value));
      }
    }
  }
  return warped;
}

/** By the nearest neighbour; every value divided by `by`. */
export function shownMap<T extends Uint8Array | Float32Array>(
  map: T,
  { width, height }: PixelSize,
  shown: Shown,
  by = 1,
): T {
  const warped = new (map.constructor as new (length: number) => T)(map.length);
  for (let y = 0; y < height; y++) {
    const row = Math.round(sourceOf(y, height, shown.scale)) * width;
    for (let x = 0; x < width; x++) {
      warped[y * width + x] = map[row + Math.round(sourceOf(x, width, shown.scale, shown.flip))]! / by;
    }
  }
  return warped;
}
