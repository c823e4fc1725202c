// The cohorts of MultiDepth: KITTI depth prediction below --data, or generated road scenes where a preset may stand in.
import { ConfigError, DataError } from '../../../engine/index.ts';
import { type FrameList, kittiFolder, listChecksum, listDrives, listSelection } from '../../data/kitti-depth.ts';
import { roadSceneFolder, writeRoadScenes } from '../../data/synthetic/road-scene-files.ts';
import type { DataFacts, PresetName } from '../../runner/paper.ts';
import { Frames } from './frames.ts';
import { sizes } from './presets.ts';
import type { TrainingSettings } from './settings.ts';
import type { Cohorts } from './training.ts';

interface Lists {
  readonly train: FrameList;
  readonly validation: FrameList;
}

const limited = ({ pairs, missing }: FrameList, count: number): FrameList => ({
  pairs: pairs.slice(0, count),
  missing,
});

/** `count` of the list's frames, evenly spaced. */
function spread({ pairs, missing }: FrameList, count: number): FrameList {
  if (pairs.length <= count) return { pairs, missing };
  return { pairs: Array.from({ length: count }, (_, i) => pairs[Math.floor((i * pairs.length) / count)]!), missing };
}

/** Frames of the cohorts: the preset's, where a run does not change them. */
type Counts = Pick<TrainingSettings, 'trainCount' | 'validationCount'>;

async function generatedLists({ trainCount, validationCount }: Counts): Promise<Lists> {
  const root = roadSceneFolder();
  await writeRoadScenes(root, { train: trainCount, validation: validationCount });
  const [train, validation] = await Promise.all([listDrives(root, 'train'), listSelection(root)]);
  return { train: limited(train, trainCount), validation: limited(validation, validationCount) };
}

async function realLists(data: string, { validationCount }: Counts): Promise<Lists> {
  const root = kittiFolder(data);
  const [train, validation] = await Promise.all([listDrives(root, 'train'), listSelection(root)]);
  for (const [list, name, where] of [
    [train, 'training pairs', 'depth/train with rgb or raw'],
    [validation, 'validation images', 'depth_selection/val_selection_cropped'],
  ] as const) {
    if (list.pairs.length > 0) continue;
    throw new DataError(`there are no ${name} of KITTI depth prediction in '${root}'`, {
      expected: `files below ${where}`,
      given: list.missing.length > 0 ? `${list.missing.length} depth maps without their pictures` : undefined,
      hint: '`wgrad data show kitti` says where they come from and how they lie',
    });
  }
  return { train, validation: spread(validation, validationCount) };
}

async function listsOf(preset: PresetName, data: string | undefined, counts: Counts = sizes[preset]): Promise<Lists> {
  if (data !== undefined) return realLists(data, counts);
  if (preset === 'paper') {
    throw new ConfigError('the preset paper of multidepth needs the real KITTI data', {
      hint: '`wgrad data show kitti` says where they come from; pass `--data DIR`, or take `--preset laptop`',
    });
  }
  return generatedLists(counts);
}

/** What the data are, with the frames that were left out. Generates road scenes where they are needed. */
export async function dataFactsOf(preset: PresetName, data: string | undefined): Promise<DataFacts> {
  const { train, validation } = await listsOf(preset, data);
  const real = data !== undefined;
  const leftOut = train.missing.length + validation.missing.length;
  const name =
    `${real ? 'KITTI depth prediction' : 'generated road scenes'}, ${train.pairs.length} training and ` +
    `${validation.pairs.length} validation frames${leftOut > 0 ? ` (${leftOut} without a picture left out)` : ''}`;
  return { name, real, checksums: { train: listChecksum(train), validation: listChecksum(validation) } };
}

export async function cohortsOf(preset: PresetName, data: string | undefined, counts?: Counts): Promise<Cohorts> {
  const { train, validation } = await listsOf(preset, data, counts);
  return { train: new Frames(train), validation: new Frames(validation) };
}
