// The record of NYUDv2 (Silberman et al. 2012), 1,449 pictures of rooms with 40 classes and depth, as the labelled set in one file or as
// the folder of MTI-Net's authors, with generated rooms as its stand-in.
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { DataSet } from '../dataset.ts';
import { firstFolder } from '../listing.ts';
import { checkRooms, inspectRooms, type RoomFacts, type RoomSource, scenesOf } from '../room-source.ts';
import type { RoomRequest, RoomScenes } from '../rooms.ts';
import { generatedRooms } from '../synthetic/room-files.ts';
import { nyudClasses, nyudPalette } from './nyud-classes.ts';
import { NYUD_MAT, NYUD_SPLITS, openNyudMat } from './nyud-mat.ts';
import { openRoomFolder, roomParts } from './room-folder.ts';

/** Metres that the sensor reaches. */
const RANGE = 10;

const facts: RoomFacts = { kind: 'nyud', classes: nyudClasses, palette: nyudPalette, depthRange: RANGE };

/** The folder of pictures in `root`: itself, or with the name that unpacking gives it. */
const pictureFolder = async (root: string): Promise<string | undefined> => {
  const found = await firstFolder(
    ['.', 'NYUD_MT'].flatMap((place) =>
      ['gt_sets', roomParts.labels.folder].map((part) => path.join(root, place, part)),
    ),
  );
  return found && path.dirname(found);
};

/** The one file where it is there, else the folder. */
async function open(root: string): Promise<RoomSource> {
  const folder = await pictureFolder(root);
  if (folder === undefined || existsSync(path.join(root, NYUD_MAT))) return openNyudMat(root);
  return openRoomFolder(folder, nyudClasses.length);
}

/** NYUDv2: pictures of rooms with 40 classes and depth. */
export const nyud: DataSet<RoomScenes, RoomRequest> = {
  name: 'nyud',
  title: 'NYUDv2',
  content:
    'Pictures of rooms with depth and a class for each pixel (Silberman et al. 2012): 795 for training and 654 for tests, ' +
    '40 classes, metres: those of imbalanced-mtl, and of dMTL, which asks for kinds of rooms (kitchen or not) and depth.',
  licence: 'none stated; research use, N. Silberman et al.',
  size: '2.8 GB',
  page: 'https://cs.nyu.edu/~fergus/datasets/nyu_depth_v2.html',
  folder: 'nyud',
  layouts: [
    `DIR/nyud/${NYUD_MAT}   the labelled set as it is downloaded; read picture by picture, never whole`,
    `DIR/nyud/${NYUD_SPLITS}   the official split, if it is there; without it the published list of pictures is taken`,
    `DIR/nyud/{images/NAME.jpg, segmentation/NAME.png, depth/NAME.npy, gt_sets/{train,val}.txt}   the folder NYUD_MT of MTI-Net's authors`,
    "DIR/nyud/scenes.txt   beside that folder's parts, for dMTL: NAME KIND ROOM of each picture (0001 kitchen kitchen_0004); the one file has them",
    'segmentation: 1 to 40 with 0 for void, or 0 to 39 with 255 for void, told apart by the largest value; depth: float32, metres, 0 for none',
    'The folder may be called NYUD_MT and lie in DIR/nyud or DIR; DIR may be the folder of the files itself. Of both layouts the one file is taken.',
  ],
  origins: ['http://horatio.cs.nyu.edu/mit/silberman/nyu_depth_v2/'],
  files: { [NYUD_MAT]: '2d724b0c0ab358aa1ce5df855e5bd14a2279ab7202efe22f32a30d612dcb86aa' },
  byHand: [
    `1. Download the "Labeled dataset" (${NYUD_MAT}, 2,972,037,809 bytes) from the page into DIR/nyud.`,
    `2. http://horatio.cs.nyu.edu/mit/silberman/indoor_seg_sup/${NYUD_SPLITS} beside it, if wanted (2,626 bytes; SHA-256`,
    '   6e081404491a8bfba2f066beaa9713ef6046f9007aa5f799f2a350506a580cee).',
    'Or unpack NYUD_MT.tgz, to which https://github.com/SimonVandenhende/Multi-Task-Learning-PyTorch leads, in DIR/nyud.',
  ],
  standInName: 'generated rooms',
  holds: async (folder) => existsSync(path.join(folder, NYUD_MAT)) || (await pictureFolder(folder)) !== undefined,
  load: async (folder, request) => scenesOf(await open(folder), facts, request, { title: nyud.title, real: true }),
  standIn: generatedRooms,
  inspect: inspectRooms,
  check: (folder, progress) => checkRooms(folder, () => open(folder), progress),
};
