// Depth of pictures from trained weights: a network kept by a run, a run's checkpoint, or the authors' weights converted to
// safetensors. Whole pictures in one pass; sides that are no multiples of 8 are filled up with their last row and column.
import { z } from 'zod';
import { DataError, readCheckpoint, type StateDict } from '../../../engine/index.ts';
import { MultiDepth, multiDepthOptionsOf } from '../../../models/index.ts';
import { type ColorImage, depthUnits } from '../../data/formats/png.ts';
import { wholeOf } from '../../data/frames.ts';
import { cutBack, depthPredictor, fillUp } from '../../runner/predict-depth.ts';
import { COLOR_RANGE, predictDepth } from './evaluation.ts';
import { LogDepth } from './log-depth.ts';
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
 * The network in a safetensors file or an index of such files, of any type of floats, in inference mode. Its size follows from the
 * shapes; bounds of depth are 2 and 125 m where the file does not say. Throws DataError for a damaged file, ConfigError for the
 * weights of another network.
 */
export async function loadNetwork(file: string): Promise<LoadedNetwork> {
  const { state: all, metadata } = await readCheckpoint(file);
  const prefix = groups.find((group) => [...all.keys()].some((key) => key.startsWith(group))) ?? '';
  const state: StateDict = new Map();
  for (const [key, entry] of all) if (key.startsWith(prefix)) state.set(key.slice(prefix.length), entry);
  const model = new MultiDepth({ ...multiDepthOptionsOf(state), scales: 'one' });
  model.loadStateDict(state, { source: file });
  return { model: model.eval(), space: new LogDepth(parsedMetadata(metadata, file)) };
}

const STEP = 8;
/** The smallest side that the pyramid divides. */
const SMALLEST = 48;

/** Metres of each pixel of a picture, row-major: from the regression head, or the classes where there is no other. */
export async function depthOf({ model, space }: LoadedNetwork, image: ColorImage): Promise<Float32Array> {
  const filled = fillUp(image, (side) => Math.max(SMALLEST, Math.ceil(side / STEP) * STEP));
  const { width, data: color } = filled;
  const { regression, classification } = await predictDepth(model, { color, width }, wholeOf(filled), space);
  return cutBack((regression ?? classification)!, width, image);
}

export const predictor = depthPredictor(
  async (weights) => {
    const network = await loadNetwork(weights);
    return {
      parameterCount: network.model.parameterCount(),
      predict: async (image) => ({ metres: await depthOf(network, image) }),
    };
  },
  { units: depthUnits, colors: COLOR_RANGE },
);
