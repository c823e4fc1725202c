// Depth of pictures from trained weights: a network kept by a run, a run's checkpoint, or the authors' weights converted to
// safetensors. Writes depth maps in the format of KITTI (16 bits, 256 units per metre) and the same in colour. Whole pictures
// in one pass; sides that are no multiples of 8 are filled up with their last row and column.
import path from 'node:path';
import { z } from 'zod';
import { ConfigError, DataError, readCheckpoint, region, type StateDict } from '../../../engine/index.ts';
import { MultiDepth, multiDepthOptionsOf } from '../../../models/index.ts';
import { type ColorImage, depthUnits, encodeDepthPng, readColorPng } from '../../data/formats/png.ts';
import { depthPicture } from '../../report/depth-pictures.ts';
import { writeWhole } from '../../runner/files.ts';
import type { Paper } from '../../runner/paper.ts';
import { pictureOf, predictDepth } from './evaluation.ts';
import { LogDepth } from './log-depth.ts';
import { COLOR_RANGE } from './panels.ts';
import { bounds } from './settings.ts';

/** Groups of a run's checkpoint that hold a network, the better one first. */
const groups = ['best-model/', 'model/'] as const;

const pair = z.tuple([z.number(), z.number()]);
const metadataSchema = z.object({ bounds: pair.default([...bounds['2-125']]), classPlanes: pair.nullish() });

export interface LoadedNetwork {
  readonly model: MultiDepth;
  readonly space: LogDepth;
}

function parsedMetadata(metadata: Readonly<Record<string, string>>, file: string): z.infer<typeof metadataSchema> {
  const { bounds: range, classPlanes } = metadata;
  try {
    return metadataSchema.parse({
      ...(range === undefined ? {} : { bounds: JSON.parse(range) as unknown }),
      ...(classPlanes === undefined ? {} : { classPlanes: JSON.parse(classPlanes) as unknown }),
    });
  } catch (cause) {
    throw new DataError(`${file}: the bounds of depth among its metadata are damaged`, {
      expected: 'two numbers, as in [2, 125]',
      given: range,
      cause,
    });
  }
}

/**
 * The network in a safetensors file or an index of such files, of any type of floats, in inference mode. Its size follows from the shapes; bounds of depth are 2 and 125 m where
 * the file does not say. Throws DataError for a damaged file, ConfigError for the weights of another network.
 */
export async function loadNetwork(file: string): Promise<LoadedNetwork> {
  const { state: all, metadata } = await readCheckpoint(file);
  const prefix = groups.find((group) => [...all.keys()].some((key) => key.startsWith(group))) ?? '';
  const state: StateDict = new Map();
  for (const [key, entry] of all) if (key.startsWith(prefix)) state.set(key.slice(prefix.length), entry);
  const { bounds: range, classPlanes } = parsedMetadata(metadata, file);
  const model = new MultiDepth({ ...multiDepthOptionsOf(state), scales: 'one' });
  model.loadStateDict(state, { source: file });
  return { model: model.eval(), space: new LogDepth({ bounds: range, classPlanes: classPlanes ?? undefined }) };
}

const STEP = 8;
/** The smallest side that the pyramid divides. */
const SMALLEST = 48;
const filled = (side: number): number => Math.max(SMALLEST, Math.ceil(side / STEP) * STEP);

/** The picture with its last row and column repeated up to sides that the network takes. */
function fillUp({ width, height, data }: ColorImage): ColorImage {
  const size = { width: filled(width), height: filled(height) };
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

/** Metres of each pixel of a picture, row-major: from the regression head, or the classes where there is no other. */
export async function depthOf({ model, space }: LoadedNetwork, image: ColorImage): Promise<Float32Array> {
  const { width, height, data: color } = fillUp(image);
  const picture = pictureOf({ color, width }, { left: 0, top: 0, width, height, flip: false });
  const { regression, classification } = await predictDepth(model, picture, [height, width], space);
  const whole = (regression ?? classification)!;
  const metres = new Float32Array(image.width * image.height);
  for (let y = 0; y < image.height; y++) {
    metres.set(whole.subarray(y * width, y * width + image.width), y * image.width);
  }
  return metres;
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
    throw new ConfigError(`another picture has the name of '${twice}'`, {
      hint: 'Predict them into different folders',
    });
  }
}

/** Predicts one picture and writes both files. */
async function predictFile(network: LoadedNetwork, image: string, out: string): Promise<string> {
  const picture = await region('data', () => readColorPng(image));
  const { width, height } = picture;
  const metres = await depthOf(network, picture);
  const files = outputsOf(out, image);
  await writeWhole(files.depth, await encodeDepthPng({ width, height, data: Uint16Array.from(metres, depthUnits) }));
  await writeWhole(files.color, depthPicture(metres, [width, height], COLOR_RANGE));
  return `${width} x ${height}: ${files.depth}`;
}

export const depthPredictor: NonNullable<Paper['predict']> = {
  check: checkNames,
  async load(weights) {
    const network = await loadNetwork(weights);
    return {
      parameterCount: network.model.parameterCount(),
      predict: (image, out) => predictFile(network, image, out),
    };
  },
};
