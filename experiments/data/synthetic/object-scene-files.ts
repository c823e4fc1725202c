// Generated object scenes as files in the layout of Redwood's scans, one scan a scene, so that they are read by the same code. They
// lie in a folder of the system for temporary files and are made again where they are gone.
import { existsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { writeWhole } from '../../runner/files.ts';
import { encodeDepthPng, encodeJpeg } from '../formats/png.ts';
import { objectClasses } from '../object-scenes.ts';
import { OBJECT_SCENE_VERSION, objectScene } from './object-scenes.ts';

/** Where scenes are kept, one folder for each user. */
export const objectSceneFolder = (): string =>
  path.join(os.tmpdir(), `wgrad-${process.getuid?.() ?? 'user'}`, `object-scenes-${OBJECT_SCENE_VERSION}`);

/** Number and time of the frame, and of its depth map, which comes a little later. */
const [COLOR, DEPTH] = ['0000001-000000000000.jpg', '0000001-000000008333.png'];

/** Makes sure that the first `count` scans of each class are below `root`, in place of DIR/redwood. */
export async function writeObjectScenes(root: string, count: number): Promise<void> {
  for (const [label, name] of objectClasses.entries()) {
    for (let index = 0; index < count; index++) {
      const folder = path.join(root, name, String(index).padStart(5, '0'));
      const depth = path.join(folder, 'depth', DEPTH);
      // The depth map is written last: where it is there, so is the picture.
      if (existsSync(depth)) continue;
      const scene = objectScene('scans', index, label);
      const { width, height } = scene;
      await writeWhole(path.join(folder, 'rgb', COLOR), await encodeJpeg({ width, height, data: scene.color }));
      await writeWhole(depth, await encodeDepthPng({ width, height, data: scene.depth }));
    }
  }
}
