// Classes and depth of pictures from the weights that a run keeps, which say what they are the weights of. A picture is shown in the
// size that the network was trained in; what it makes of it is brought back to the picture's own size.
import { z } from 'zod';
import {
  argmax,
  ConfigError,
  DataError,
  interpolate,
  noGrad,
  readCheckpoint,
  scope,
  type Tensor,
} from '../../../engine/index.ts';
import type { ColorImage } from '../../data/formats/png.ts';
import { LARGEST_UNIT } from '../../data/formats/png.ts';
import { resizePicture } from '../../data/resize.ts';
import type { RoomScenes } from '../../data/rooms.ts';
import { type DepthPrediction, depthPredictor } from '../../runner/predict-depth.ts';
import { listOf } from '../../runner/schema.ts';
import { classPicture } from './evaluation.ts';
import { RoomNetwork } from './network.ts';
import { inputsOf } from './samples.ts';
import { type NetworkSettings, networkSchema } from './settings.ts';

/** The entry of the metadata of kept weights. */
const ENTRY = 'imbalanced-mtl';

const rgb = z.tuple([z.number(), z.number(), z.number()]).readonly();
const aboutSchema = z.object({ network: networkSchema, classes: listOf(z.string()), palette: listOf(rgb) });
export type About = z.infer<typeof aboutSchema>;

/** What is kept beside weights. */
export const metadataOf = (network: NetworkSettings, { classes, palette }: RoomScenes): Record<string, string> => ({
  [ENTRY]: JSON.stringify({ network, classes, palette } satisfies z.input<typeof aboutSchema>),
});

function parsed(text: string | undefined, file: string): About {
  if (text === undefined) {
    throw new ConfigError(`${file} holds the weights of another network`, {
      expected: 'weights that a run of imbalanced-mtl has kept: seed-N.last.safetensors beside its record',
    });
  }
  try {
    return aboutSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new DataError(`${file}: what it says of its network is damaged`, { given: text, cause });
  }
}

/**
 * The network of a safetensors file, in inference mode, with its classes. Rejects with DataError for a damaged file, ConfigError for the
 * weights of another network.
 */
export async function loadNetwork(file: string): Promise<{ readonly network: RoomNetwork; readonly about: About }> {
  const { state, metadata } = await readCheckpoint(file);
  const about = parsed(metadata[ENTRY], file);
  const network = new RoomNetwork(about.network, about.classes.length, 0);
  network.module.loadStateDict(state, { source: file });
  network.module.eval();
  return { network, about };
}

/** What a network that sees pictures alone makes of one. */
export async function predictRoom(
  { network, about }: Awaited<ReturnType<typeof loadNetwork>>,
  picture: ColorImage,
): Promise<DepthPrediction> {
  using _ = scope();
  const { settings } = network;
  const image = await resizePicture(picture, settings);
  const size = [picture.height, picture.width] as const;
  const own = (map: Tensor): Tensor => interpolate(map, { mode: 'bilinear', size, alignCorners: false });
  const { predictions } = noGrad(() => network.forward(inputsOf([{ image }], settings, about)));
  const { segmentation, depth } = predictions;
  const metres = depth && Float32Array.from(await noGrad(() => own(depth)).array());
  if (!segmentation) return { ...(metres ? { metres } : {}) };
  const labels = Uint8Array.from(await noGrad(() => argmax(own(segmentation), 1)).array());
  const shares = about.classes.map((name, label) => [
    name,
    labels.filter((each) => each === label).length / labels.length,
  ]);
  const found = (shares as [string, number][]).filter(([, share]) => share > 0).sort(([, a], [, b]) => b - a);
  return {
    ...(metres ? { metres } : {}),
    facts: { classes: Object.fromEntries(found) },
    pictures: { classes: await classPicture(labels, [picture.width, picture.height], about.palette) },
    text: found
      .slice(0, 3)
      .map(([name, share]) => `${name} ${(100 * share).toFixed(0)} %`)
      .join(', '),
  };
}

/** Millimetres of a map; 0 is "not measured", which no prediction is. */
const millimetres = (metres: number): number => Math.min(LARGEST_UNIT, Math.max(1, Math.round(1000 * metres)));

export const predictor = depthPredictor(
  async (weights) => {
    const loaded = await loadNetwork(weights);
    const { second } = loaded.about.network;
    if (second) {
      throw new ConfigError(`the network of ${weights} needs the ${second.input} beside the picture`, {
        hint: 'Take the weights of a network that sees pictures alone: UMST-S, UMMT, UMMT-D, UMMT-PS or UMMT-PD',
      });
    }
    return { parameterCount: loaded.network.module.parameterCount(), predict: (image) => predictRoom(loaded, image) };
  },
  { units: millimetres, colors: [0.5, 10] },
);
