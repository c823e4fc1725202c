// The record of KITTI depth prediction (Uhrig et al. 2017), with generated road scenes as its stand-in.
import { DataError } from '../../../engine/index.ts';
import { type DataCheck, type DataSet, firstFault, howToGet, type LoadedData } from '../dataset.ts';
import { refuseSharedFiles } from '../files.ts';
import { PassedOver } from '../listing.ts';
import { Prefetch } from '../prefetch.ts';
import { roadSceneFolder, writeRoadScenes } from '../synthetic/road-scene-files.ts';
import {
  type FrameList,
  type FramePair,
  holdsKitti,
  listChecksum,
  listDrives,
  listSelection,
  readFrame,
} from './kitti-depth.ts';
import { DepthDoubts } from './kitti-doubts.ts';

/** How many frames a paper wants. Real training frames are all used. */
export interface KittiRequest {
  readonly trainCount: number;
  readonly validationCount: number;
}

/** KITTI's depth prediction frames, listed but not read. */
export interface KittiFrames extends LoadedData {
  readonly train: FrameList;
  readonly validation: FrameList;
}

/** Frames that a check decodes ahead. */
const AHEAD = 4;

/** Maps of each cohort that are looked at before a training. */
const LOOKED_AT = 8;

/** `count` of a list, evenly spaced. */
function spread<T>(items: readonly T[], count: number): readonly T[] {
  if (items.length <= count) return items;
  return Array.from({ length: count }, (_, i) => items[Math.floor((i * items.length) / count)]!);
}

function framesOf(title: string, real: boolean, train: FrameList, validation: FrameList): KittiFrames {
  const leftOut = train.missing.length + validation.missing.length;
  const passedOver = new PassedOver();
  passedOver.addAll(train.passedOver);
  passedOver.addAll(validation.passedOver);
  return {
    name:
      `${title}, ${train.pairs.length} training and ${validation.pairs.length} validation frames` +
      `${leftOut > 0 ? ` (${leftOut} without a picture left out)` : ''}`,
    real,
    checksums: { train: listChecksum(train), validation: listChecksum(validation) },
    passedOver,
    train,
    validation,
  };
}

async function load(root: string, { validationCount }: KittiRequest): Promise<KittiFrames> {
  const [train, validation] = await Promise.all([listDrives(root, 'train'), listSelection(root)]);
  for (const [list, name, where] of [
    [train, 'training pairs', 'depth/train with rgb or raw'],
    [validation, 'validation images', 'depth_selection/val_selection_cropped'],
  ] as const) {
    if (list.pairs.length > 0) continue;
    const given = [
      list.missing.length > 0 ? `${list.missing.length} depth maps without their pictures` : [],
      list.passedOver.describe() ?? [],
    ].flat();
    throw new DataError(`there are no ${name} of KITTI depth prediction in '${root}'`, {
      expected: `files below ${where}`,
      given: given.length > 0 ? given.join('; ') : undefined,
      hint: howToGet(kitti, 'DIR'),
    });
  }
  return framesOf(kitti.title, true, train, { ...validation, pairs: spread(validation.pairs, validationCount) });
}

async function standIn({ trainCount, validationCount }: KittiRequest): Promise<KittiFrames> {
  const root = roadSceneFolder();
  await writeRoadScenes(root, { train: trainCount, validation: validationCount });
  const [train, validation] = await Promise.all([listDrives(root, 'train'), listSelection(root)]);
  const first = (list: FrameList, count: number): FrameList => ({ ...list, pairs: list.pairs.slice(0, count) });
  return framesOf(kitti.standInName, false, first(train, trainCount), first(validation, validationCount));
}

const filesOf = (pairs: readonly FramePair[]): string[] => pairs.flatMap(({ color, depth }) => [color, depth]);

const refuseShared = (train: readonly FramePair[], validation: readonly FramePair[]): Promise<void> =>
  refuseSharedFiles(
    kitti.title,
    { name: 'training frames', files: filesOf(train) },
    { name: 'validation frames', files: filesOf(validation) },
  );

async function inspect({ train, validation }: KittiFrames): Promise<string[]> {
  await refuseShared(train.pairs, validation.pairs);
  const doubts = new DepthDoubts();
  for (const pair of [train, validation].flatMap(({ pairs }) => spread(pairs, LOOKED_AT))) {
    doubts.look(pair.depth, await readFrame(pair));
  }
  return doubts.lines();
}

async function check(folder: string, progress: (done: number, total: number) => void): Promise<DataCheck> {
  const [train, val, selection] = await Promise.all([
    listDrives(folder, 'train'),
    listDrives(folder, 'val'),
    listSelection(folder),
  ]);
  const lists = [train, val, selection];
  const passedOver = new PassedOver();
  for (const list of lists) passedOver.addAll(list.passedOver);
  const pairs = lists.flatMap((list) => list.pairs);
  const doubts = new DepthDoubts();
  const missing = lists.reduce((sum, list) => sum + list.missing.length, 0);
  let read = 0;
  const fault = await firstFault(async () => {
    if (pairs.length === 0) {
      throw new DataError(`there is no picture with its depth map in '${folder}'`, {
        given: `${missing} depth maps without their pictures`,
        hint: howToGet(kitti, 'DIR'),
      });
    }
    const frames = new Prefetch((i) => readFrame(pairs[i]!), { end: pairs.length, ahead: AHEAD });
    for (const pair of pairs) {
      doubts.look(pair.depth, (await frames.next())!);
      progress(++read, pairs.length);
    }
    await refuseShared(train.pairs, [...val.pairs, ...selection.pairs]);
  });
  return {
    folder,
    counts: {
      'training pairs': train.pairs.length,
      'pairs of the whole validation split': val.pairs.length,
      'pairs of val_selection_cropped': selection.pairs.length,
      'depth maps without a picture (left out)': missing,
      'pairs read whole': `${read} of ${pairs.length}`,
    },
    passedOver,
    doubts: doubts.lines(),
    fault,
  };
}

/** KITTI's depth prediction benchmark: street scenes with depth from LiDAR. */
export const kitti: DataSet<KittiFrames, KittiRequest> = {
  name: 'kitti',
  title: 'KITTI depth prediction',
  content:
    'Street scenes with depth annotated from LiDAR (Uhrig et al. 2017): the training and validation frames of MultiDepth.',
  licence: 'CC BY-NC-SA 3.0, A. Geiger et al.',
  size: '14 GB of depth, 2 GB of validation images, about 180 GB of drives',
  page: 'https://www.cvlibs.net/datasets/kitti/eval_depth.php?benchmark=depth_prediction',
  folder: 'kitti',
  layouts: [
    'DIR/kitti/depth/train/DRIVE/proj_depth/groundtruth/image_0{2,3}/FRAME.png   16 bits, metres times 256, 0 for none',
    'DIR/kitti/raw/DATE/DRIVE/image_0{2,3}/data/FRAME.png   or   DIR/kitti/rgb/DRIVE/image_0{2,3}/data/FRAME.png',
    'DIR/kitti/depth_selection/val_selection_cropped/{image,groundtruth_depth}/*.png   1000 images of 1216 x 352',
    'The archives may also be unpacked in DIR/kitti itself; DIR may be the folder kitti itself.',
    'Depth maps without a picture are left out and counted.',
  ],
  origins: [],
  files: {},
  byHand: [
    '1. https://s3.eu-central-1.amazonaws.com/avg-kitti/data_depth_annotated.zip (14 GB); unzip into DIR/kitti/depth.',
    '2. https://s3.eu-central-1.amazonaws.com/avg-kitti/data_depth_selection.zip (2 GB); unzip into DIR/kitti.',
    '3. The raw drives (synced and rectified; page .../kitti/raw_data.php), by',
    '   https://s3.eu-central-1.amazonaws.com/avg-kitti/raw_data_downloader.zip; run its script inside DIR/kitti/raw.',
    '   Only image_02 and image_03 are read.',
  ],
  standInName: 'generated road scenes',
  holds: holdsKitti,
  load,
  standIn,
  inspect,
  check,
};
