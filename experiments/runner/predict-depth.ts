// `wgrad predict` for networks that see depth: maps in the format of KITTI (16 bits, 256 units per metre) and the same in colour.
import path from 'node:path';
import { ConfigError, region } from '../../engine/index.ts';
import { type ColorImage, depthUnits, encodeDepthPng, readColorPng } from '../data/formats/png.ts';
import { depthPicture } from '../report/depth-pictures.ts';
import { writeWhole } from './files.ts';
import type { Paper } from './paper.ts';

/** The picture with its last row and column repeated, up to sides that a network takes. */
export function fillUp({ width, height, data }: ColorImage, sideFor: (side: number) => number): ColorImage {
  const size = { width: sideFor(width), height: sideFor(height) };
  if (size.width === width && size.height === height) return { width, height, data };
  const grown = new Uint8Array(3 * size.width * size.height);
  for (let y = 0; y < size.height; y++) {
    for (let x = 0; x < size.width; x++) {
      const from = 3 * (Math.min(y, height - 1) * width + Math.min(x, width - 1));
      grown.set(data.subarray(from, from + 3), 3 * (y * size.width + x));
    }
  }
  return { ...size, data: grown };
}

/** The values of the picture in a map of the filled up one, which is `stride` pixels wide. */
export function cutBack(map: Float32Array, stride: number, { width, height }: ColorImage): Float32Array {
  const cut = new Float32Array(width * height);
  for (let y = 0; y < height; y++) cut.set(map.subarray(y * stride, y * stride + width), y * width);
  return cut;
}

/** Files that a picture's depth is written to. */
const outputsOf = (out: string, image: string): { depth: string; color: string } => {
  const stem = path.basename(image, path.extname(image));
  return { depth: path.join(out, `${stem}-depth.png`), color: path.join(out, `${stem}-depth-color.png`) };
};

function checkNames(images: readonly string[], out: string): void {
  const names = images.map((image) => outputsOf(out, image).depth);
  const twice = images.find((_, i) => names.indexOf(names[i]!) !== i);
  if (twice !== undefined) {
    throw new ConfigError(`another picture is also called '${twice}'`, {
      hint: 'Predict them into different folders',
    });
  }
}

/** A trained network: metres of each pixel of a picture, row-major. */
export interface DepthNetwork {
  readonly parameterCount: number;
  depthOf(image: ColorImage): Promise<Float32Array>;
}

/** `load` reads the weights; `colors` are the metres between which colours run. */
export const depthPredictor = (
  load: (weights: string) => Promise<DepthNetwork>,
  colors: readonly [near: number, far: number],
): NonNullable<Paper['predict']> => ({
  check: checkNames,
  async load(weights) {
    const { parameterCount, depthOf } = await load(weights);
    return {
      parameterCount,
      async predict(image, out) {
        const picture = await region('data', () => readColorPng(image));
        const { width, height } = picture;
        const metres = await depthOf(picture);
        const files = outputsOf(out, image);
        const data = Uint16Array.from(metres, depthUnits);
        await writeWhole(files.depth, await encodeDepthPng({ width, height, data }));
        await writeWhole(files.color, await depthPicture(metres, [width, height], colors));
        return `${width} x ${height}: ${files.depth}`;
      },
    };
  },
});
