// The cohorts of MultiDepth: KITTI depth prediction below --data, or generated road scenes where a preset may stand in.
import { dataFactsFor, dataFor, type DataWish } from '../../data/dataset.ts';
import { kitti, type KittiRequest } from '../../data/sets/kitti.ts';
import type { DataFacts, PresetName } from '../../runner/paper.ts';
import { Frames } from './frames.ts';
import { sizes } from './presets.ts';
import type { TrainingSettings } from './settings.ts';
import type { Cohorts } from './training.ts';

/** Frames of the cohorts: the preset's, where a run does not change them. */
type Counts = Pick<TrainingSettings, 'trainCount' | 'validationCount'>;

function wishOf(
  preset: PresetName,
  data: string | undefined,
  { trainCount, validationCount }: Counts = sizes[preset],
): DataWish<KittiRequest> {
  return { paper: 'multidepth', preset, data, request: { trainCount, validationCount } };
}

/** What the data are, with the frames that were left out. Generates road scenes where they are needed. */
export const dataFactsOf = (preset: PresetName, data: string | undefined): Promise<DataFacts> =>
  dataFactsFor(kitti, wishOf(preset, data));

export async function cohortsOf(preset: PresetName, data: string | undefined, counts?: Counts): Promise<Cohorts> {
  const { train, validation } = await dataFor(kitti, wishOf(preset, data, counts));
  return { train: new Frames(train), validation: new Frames(validation) };
}
