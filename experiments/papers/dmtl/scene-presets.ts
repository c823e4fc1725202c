// Sizes by preset of the runs on NYU Depth V2. The paper gives neither epochs nor sizes of the cohorts for them; all else is as for the digits.
import type { RoomRequest } from '../../data/rooms.ts';
import type { PresetName } from '../../runner/paper.ts';
import { sizes as digitSizes } from './presets.ts';
import type { HistogramSettings, MapSettings, SceneRunName, SceneSettings } from './scene-settings.ts';

type Sizes = Pick<SceneSettings, 'size' | 'rooms' | 'epochs' | 'shown'> & {
  readonly seeds: number;
  readonly map: Omit<MapSettings, 'rooms'>;
};

/** A quarter of the generated rooms are kitchens: 240, about as many as in NYU Depth V2. */
const asMany = { train: 720, test: 240 };
const PERPLEXITY = 30;
// prettier-ignore
const sizes: Readonly<Record<PresetName, Sizes>> = {
  paper: { size: 256, rooms: asMany, epochs: 30, shown: 3, seeds: 5, map: { mapped: 32, perplexity: PERPLEXITY, iterations: 1000 } },
  laptop: { size: 64, rooms: asMany, epochs: 30, shown: 3, seeds: 5, map: { mapped: 32, perplexity: PERPLEXITY, iterations: 1000 } },
  tour: { size: 32, rooms: { train: 240, test: 80 }, epochs: 10, shown: 3, seeds: 3, map: { mapped: 16, perplexity: PERPLEXITY, iterations: 500 } },
  smoke: { size: 16, rooms: { train: 36, test: 12 }, epochs: 2, shown: 1, seeds: 1, map: { mapped: 8, perplexity: PERPLEXITY, iterations: 60 } },
};

export const sceneSeeds = (preset: PresetName): number => sizes[preset].seeds;

/** All pictures, in a size. */
export const requestOf = (size: number, rooms: SceneSettings['rooms']): RoomRequest => ({
  width: size,
  height: size,
  counts: rooms,
  kind: 'furnished',
});

/** What a preset asks of the data set. */
export const presetRequest = (preset: PresetName): RoomRequest => requestOf(sizes[preset].size, sizes[preset].rooms);

/** All settings of a training under a preset. */
export function sceneSettings({ labels, strategy }: SceneRunName, preset: PresetName): SceneSettings {
  const { size, rooms, epochs, shown } = sizes[preset];
  const { baseWidth, learningRate } = digitSizes[preset];
  return {
    strategy,
    labels,
    size,
    rooms,
    baseWidth,
    epochs,
    batch: 4,
    optimizer: 'sgd',
    learningRate,
    momentum: 0.9,
    weightDecay: 1e-3,
    depthLoss: 'mse',
    lambda: 1,
    multiOpt: 'twoForwards',
    flip: 0.5,
    shown,
  };
}

export const mapSettings = (preset: PresetName): MapSettings => ({ ...sizes[preset].map, rooms: sizes[preset].rooms });

export const histogramSettings = (preset: PresetName): HistogramSettings => ({
  counts: 'the kinds of rooms',
  rooms: sizes[preset].rooms,
});

/** What a preset shrinks, for the report. */
export function describeScenes(preset: PresetName): string {
  const { size, rooms, epochs, map } = sizes[preset];
  const stand = preset === 'paper' ? '' : `${rooms.train + rooms.test} generated rooms where there is no real data, `;
  return (
    `NYU: ${size} x ${size}, ${stand}${epochs} epochs; t-SNE of pictures of ${map.mapped} x ${map.mapped}, ` +
    `${map.iterations} iterations.`
  );
}
