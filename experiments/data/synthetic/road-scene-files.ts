// Road scenes as files in the layout of KITTI depth prediction, so that they are read by the same code. They lie in a folder of
// the system for temporary files and are made again where they are gone.
import { existsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { writeWhole } from '../../runner/files.ts';
import { encodeColorPng, encodeDepthPng } from '../formats/png.ts';
import { type RoadScene, roadScene, SCENE_VERSION } from './road-scenes.ts';

const DRIVE = 'generated_drive_0000_sync';

/** Where scenes are kept, one folder for each user. */
export const roadSceneFolder = (): string =>
  path.join(os.tmpdir(), `wgrad-${process.getuid?.() ?? 'user'}`, `road-scenes-${SCENE_VERSION}`);

const filesOf = {
  train: (frame: string) => ({
    color: path.join('rgb', DRIVE, 'image_02', 'data', `${frame}.png`),
    depth: path.join('depth', 'train', DRIVE, 'proj_depth', 'groundtruth', 'image_02', `${frame}.png`),
  }),
  validation: (frame: string) => {
    const file = (kind: string): string => `${DRIVE}_${kind}_${frame}_image_02.png`;
    const base = path.join('depth_selection', 'val_selection_cropped');
    return {
      color: path.join(base, 'image', file('image')),
      depth: path.join(base, 'groundtruth_depth', file('groundtruth_depth')),
    };
  },
} as const;

async function writeScene(root: string, files: { color: string; depth: string }, make: () => RoadScene): Promise<void> {
  const [color, depth] = [path.join(root, files.color), path.join(root, files.depth)];
  // The depth map is written last: where it is there, so is the picture.
  if (existsSync(depth)) return;
  const scene = make();
  await writeWhole(color, await encodeColorPng(scene.color));
  await writeWhole(depth, await encodeDepthPng(scene.depth));
}

/** Makes sure that the first scenes of both cohorts are below `root`, in place of DIR/kitti. */
export async function writeRoadScenes(
  root: string,
  counts: { readonly train: number; readonly validation: number },
): Promise<void> {
  for (const cohort of ['train', 'validation'] as const) {
    for (let index = 0; index < counts[cohort]; index++) {
      const frame = String(index).padStart(10, '0');
      await writeScene(root, filesOf[cohort](frame), () => roadScene(cohort, index));
    }
  }
}
