// Depth and class of pictures from trained weights: a network kept by a run, or a run's checkpoint. A picture is shown to the network in
// the size that it was trained in, and its depth brought back to the picture's own.
import { z } from 'zod';
import {
  ConfigError,
  DataError,
  interpolate,
  noGrad,
  readCheckpoint,
  scope,
  softmax,
  type StateDict,
} from '../../../engine/index.ts';
import { LARGEST_UNIT, type ColorImage } from '../../data/formats/png.ts';
import { objectClasses, resizeScene } from '../../data/object-scenes.ts';
import { depthPredictor, type DepthPrediction } from '../../runner/predict-depth.ts';
import { picturesOf } from './evaluation.ts';
import { type NetworkSettings, SceneNetwork } from './network.ts';
import { settingsSchema } from './settings.ts';

/** Groups of a run's checkpoint that hold a network, the better one first. */
const groups = ['best-model/', 'model/'] as const;

const { network, scaling, filters, lastFilters, width, height } = settingsSchema.shape;
const metadataSchema = z.object({ network, scaling, filters, lastFilters, width, height });
type Metadata = z.infer<typeof metadataSchema>;

function parsedMetadata(text: string, file: string): Metadata {
  try {
    return metadataSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new DataError(`${file}: what it says of its network is damaged`, { given: text, cause });
  }
}

const networkOf = (size: Pick<NetworkSettings, 'network' | 'scaling' | 'filters' | 'lastFilters'>): SceneNetwork =>
  new SceneNetwork({ ...size, dropout: 0, momentum: { decoder: 0, backbone: 0 } }, 0);

/** Whether all weights of a network are in a state, in their shapes. */
const fits = (made: SceneNetwork, state: StateDict): boolean =>
  [...made.module.namedParameters()].every(([key, { shape }]) => state.get(key)?.shape.join() === shape.join());

/** The network that a checkpoint of a run holds, found by names and shapes: x / 255 in the size of the paper. */
function recognised(state: StateDict, file: string): { made: SceneNetwork; size: Metadata } {
  const filters = (state.get('bottleneck.weight')?.shape[0] ?? 16) / 16;
  const lastFilters = state.get('depth.weight')?.shape[1] ?? 1;
  const known = [...network.options].sort((a, b) => Number(b.startsWith('mini')) - Number(a.startsWith('mini')));
  for (const name of state.has('depth.weight') && Number.isInteger(filters) ? known : []) {
    const size = { network: name, scaling: 'published', filters, lastFilters, width: 128, height: 96 } as const;
    const made = networkOf(size);
    if (fits(made, state)) return { made, size };
    made.module.dispose();
  }
  throw new ConfigError(`${file} holds the weights of another network`, {
    expected: `DenseDepth with one of ${network.options.join(', ')}`,
    given: [...state.keys()].slice(0, 3).join(', '),
  });
}

/** A network with the size of the pictures that it takes. */
export interface LoadedNetwork {
  readonly network: SceneNetwork;
  readonly width: number;
  readonly height: number;
}

/** The network in a safetensors file, in inference mode. Throws DataError for a damaged file, ConfigError for another network. */
export async function loadNetwork(file: string): Promise<LoadedNetwork> {
  const { state: all, metadata } = await readCheckpoint(file);
  const prefix = groups.find((group) => [...all.keys()].some((key) => key.startsWith(group))) ?? '';
  const state: StateDict = new Map();
  for (const [key, entry] of all) if (key.startsWith(prefix)) state.set(key.slice(prefix.length), entry);
  const said = metadata.densedepth === undefined ? undefined : parsedMetadata(metadata.densedepth, file);
  const { made, size } = said ? { made: networkOf(said), size: said } : recognised(state, file);
  made.module.loadStateDict(state, { source: file });
  made.module.eval();
  return { network: made, width: size.width, height: size.height };
}

/** Metres of each pixel of a picture, and the probability of each class. */
export async function predictScene(loaded: LoadedNetwork, image: ColorImage): Promise<DepthPrediction> {
  using _ = scope();
  const scene = { ...image, color: image.data, depth: new Uint16Array(image.width * image.height), label: 0 };
  const shown = resizeScene(scene, loaded);
  const { depth, logits } = noGrad(() => {
    const outputs = loaded.network.forward(picturesOf({ scenes: [shown], places: [{ scene: 0, variant: 0 }] }));
    const size = [image.height, image.width] as const;
    return { depth: interpolate(outputs.depth, { mode: 'bilinear', size }), logits: softmax(outputs.logits, 1) };
  });
  const probabilities = [...(await logits.array())];
  const best = probabilities.indexOf(Math.max(...probabilities));
  const name = objectClasses[best]!;
  return {
    metres: Float32Array.from(await depth.array()),
    facts: { class: name, probabilities: Object.fromEntries(objectClasses.map((each, i) => [each, probabilities[i]])) },
    text: `${name} (${probabilities[best]!.toFixed(2)})`,
  };
}

/** Millimetres of a map: 0 is "not measured", which the network says by 0 m and below. */
const millimetres = (metres: number): number => Math.min(LARGEST_UNIT, Math.max(0, Math.round(1000 * metres)));

export const predictor = depthPredictor(
  async (weights) => {
    const loaded = await loadNetwork(weights);
    const { module } = loaded.network;
    return { parameterCount: module.parameterCount(), predict: (image) => predictScene(loaded, image) };
  },
  { units: millimetres, colors: [0.5, 10] },
);
