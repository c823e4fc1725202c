// The cohorts of MultiDepth: KITTI depth prediction below --data, or generated road scenes where a preset may stand in.
import { dataFactsFor, dataFor, type DataWish } from '../../data/dataset.ts';
import { kitti, type KittiRequest } from '../../data/sets/kitti.ts';
import type { DataFacts, PresetName } from '../../runner/paper.ts';
import { Frames } from './frames.ts';
import { sizes } from './presets.ts';
import type { Cohorts } from './training.ts';

const wishOf = (preset: PresetName, data: string | undefined): DataWish<KittiRequest> => {
  const { trainCount, validationCount } = sizes[preset];
  return { paper: 'multidepth', preset, data, request: { trainCount, validationCount } };
};

/** What the data are, with the frames that were left out. Generates road scenes where they are needed. */
export const dataFactsOf = (preset: PresetName, data: string | undefined): Promise<DataFacts> =>
  dataFactsFor(kitti, wishOf(preset, data));

export async function cohortsOf(preset: PresetName, data: string | undefined): Promise<Cohorts> {
  const { train, validation } = await dataFor(kitti, wishOf(preset, data));
  return { train: new Frames(train), validation: new Frames(validation) };
}
