// `wgrad predict` for networks of dense prediction: depth as 16-bit maps in the units of the paper's data and in colour, other maps as
// pictures, and what else the network says as JSON.
import path from 'node:path';
import { ConfigError, region } from '../../engine/index.ts';
import { readPicture } from '../data/formats/picture.ts';
import { type ColorImage, encodeDepthPng } from '../data/formats/png.ts';
import { depthPicture } from '../report/depth-pictures.ts';
import { writeJson, writeWhole } from './files.ts';
import type { Paper, PredictOptions } from './paper.ts';

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

/** Files that a picture's depth, and what else there is, are written to. */
const outputsOf = (out: string, image: string, { upload = false }: PredictOptions = {}) => {
  const stem = path.join(out, path.basename(image, path.extname(image)));
  return {
    ...{ depth: upload ? `${stem}.png` : `${stem}-depth.png`, color: `${stem}-depth-color.png`, facts: `${stem}.json` },
    other: (name: string): string => `${stem}-${name}.png`,
  };
};

function checkNames(images: readonly string[], out: string, options?: PredictOptions): void {
  const names = images.map((image) => outputsOf(out, image, options).depth);
  const twice = images.find((_, i) => names.indexOf(names[i]!) !== i);
  if (twice !== undefined) {
    throw new ConfigError(`another picture is also called '${twice}'`, {
      hint: 'Predict them into different folders',
    });
  }
  const own = names.find((name, i) => path.resolve(name) === path.resolve(images[i]!));
  if (own !== undefined) {
    throw new ConfigError(`'${own}' would be written over the picture itself`, {
      hint: 'Predict into another folder (--out)',
    });
  }
}

/** What a network sees in a picture. */
export interface DepthPrediction {
  /** Of each pixel of the picture, row-major; absent where the network does not see depth. */
  readonly metres?: Float32Array;
  /** Other PNG files, by what is put behind the picture's name. */
  readonly pictures?: Readonly<Record<string, Uint8Array>>;
  /** What else it says, to be written as JSON. */
  readonly facts?: object;
  /** The same in a few words. */
  readonly text?: string;
}

/** A trained network. */
export interface DepthNetwork {
  readonly parameterCount: number;
  predict(image: ColorImage): Promise<DepthPrediction>;
}

/** How maps are written. */
export interface DepthMaps {
  /** Metres as the 16-bit number that a map holds for them. */
  units(metres: number): number;
  /** Metres between which colours run. */
  readonly colors: readonly [near: number, far: number];
}

/** `load` reads the weights. */
export const depthPredictor = (
  load: (weights: string) => Promise<DepthNetwork>,
  { units, colors }: DepthMaps,
): NonNullable<Paper['predict']> => ({
  check: checkNames,
  async load(weights) {
    const network = await load(weights);
    return {
      parameterCount: network.parameterCount,
      async predict(image, out, options) {
        const picture = await region('data', () => readPicture(image, options));
        const { width, height } = picture;
        const { metres, pictures = {}, facts, text } = await network.predict(picture);
        const upload = options?.upload === true;
        const files = outputsOf(out, image, options);
        const written: string[] = [];
        if (metres) {
          await writeWhole(files.depth, await encodeDepthPng({ width, height, data: Uint16Array.from(metres, units) }));
          if (!upload) await writeWhole(files.color, await depthPicture(metres, [width, height], colors));
          written.push(files.depth);
        } else if (upload) {
          throw new ConfigError('the network does not see depth, so that there is nothing to upload', { given: image });
        }
        if (upload) return `${width} x ${height}: ${files.depth}`;
        for (const [name, png] of Object.entries(pictures)) {
          await writeWhole(files.other(name), png);
          written.push(files.other(name));
        }
        if (facts) await writeJson(files.facts, facts);
        return [`${width} x ${height}: ${written.join(', ')}`, text ?? []].flat().join(', ');
      },
    };
  },
});
