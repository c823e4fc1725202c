// Generated rooms as files in the layout of MTI-Net's NYUD_MT folder, so that they are read by the same code. They lie in a folder of the
// system for temporary files and are made again where they are gone.
import { existsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { writeWhole } from '../../runner/files.ts';
import { encodeNpy } from '../formats/npy.ts';
import { encodeJpeg, encodeLabelPng } from '../formats/png.ts';
import { type RoomFacts, scenesOf } from '../room-source.ts';
import {
  type GeneratedKind,
  type RoomCohortName,
  roomCohorts,
  type RoomKind,
  type RoomRequest,
  type RoomScenes,
} from '../rooms.ts';
import { sceneTypesOf } from '../sets/nyud-scenes.ts';
import { openRoomFolder, ROOM_SCENES, roomLists } from '../sets/room-folder.ts';
import {
  FURNISHED_RANGE,
  FURNISHED_VERSION,
  furnishedCategory,
  furnishedClasses,
  furnishedPalette,
  furnishedRoom,
} from './furnished-rooms.ts';
import {
  generatedRoom,
  type GeneratedRoom,
  ROOM_SIDE,
  ROOM_VERSION,
  roomClasses,
  roomPalette,
  roomRange,
} from './rooms.ts';

/** How rooms of a kind are made. */
interface Recipe {
  readonly version: number;
  readonly facts: Pick<RoomFacts, 'classes' | 'palette' | 'depthRange'>;
  room(cohort: RoomCohortName, index: number): GeneratedRoom;
  /** What kind of room it is, as NYUDv2 spells it, where rooms are of several kinds. */
  sceneType?(index: number): string;
}

const plain = (kind: RoomKind): Recipe => ({
  version: ROOM_VERSION,
  facts: { classes: roomClasses, palette: roomPalette, depthRange: roomRange[kind] },
  room: (cohort, index) => generatedRoom(kind, cohort, index),
});
const recipes: Readonly<Record<GeneratedKind, Recipe>> = {
  easy: plain('easy'),
  harder: plain('harder'),
  furnished: {
    version: FURNISHED_VERSION,
    facts: { classes: furnishedClasses, palette: furnishedPalette, depthRange: FURNISHED_RANGE },
    room: furnishedRoom,
    sceneType: (index) => sceneTypesOf[furnishedCategory(index)][0],
  },
};

/** Where rooms of a kind are kept, one folder for each user and number of rooms. */
export const roomFolder = (kind: GeneratedKind, { train, test }: RoomRequest['counts']): string => {
  const name = `rooms-${recipes[kind].version}-${kind}-${train}-${test}`;
  return path.join(os.tmpdir(), `wgrad-${process.getuid?.() ?? 'user'}`, name);
};

const nameOf = (cohort: RoomCohortName, index: number): string => `${cohort}-${String(index).padStart(5, '0')}`;

/**
 * Makes sure that the first rooms of both cohorts are below `root`, in the layout of NYUD_MT: labels from 1, of which 0 is void. Furnished
 * ones come with their kinds, each in a room of its own.
 */
export async function writeRooms(root: string, kind: GeneratedKind, counts: RoomRequest['counts']): Promise<void> {
  const size = { width: ROOM_SIDE, height: ROOM_SIDE };
  const { room, sceneType } = recipes[kind];
  const scenes: string[] = [];
  for (const cohort of roomCohorts) {
    const names = Array.from({ length: counts[cohort] }, (_, index) => nameOf(cohort, index));
    for (const [index, name] of names.entries()) {
      if (sceneType) scenes.push(`${name} ${sceneType(index)} ${sceneType(index)}-${name}\n`);
      const depthFile = path.join(root, 'depth', `${name}.npy`);
      // The depth map is written last: where it is there, so are the others.
      if (existsSync(depthFile)) continue;
      const { image, labels, depth } = room(cohort, index);
      const classes = labels.map((label) => label + 1);
      await writeWhole(path.join(root, 'images', `${name}.jpg`), await encodeJpeg({ ...size, data: image }));
      await writeWhole(
        path.join(root, 'segmentation', `${name}.png`),
        await encodeLabelPng({ ...size, data: classes }),
      );
      await writeWhole(depthFile, encodeNpy({ shape: [ROOM_SIDE, ROOM_SIDE], values: depth }));
    }
    await writeWhole(path.join(root, roomLists[cohort]), names.map((name) => `${name}\n`).join(''));
  }
  if (sceneType) await writeWhole(path.join(root, ROOM_SCENES), scenes.join(''));
}

/** The stand-in of the data sets of rooms: written where it is not there, and read as a user's folder is. */
export async function generatedRooms(request: RoomRequest): Promise<RoomScenes> {
  const { kind, counts } = request;
  const root = roomFolder(kind, counts);
  await writeRooms(root, kind, counts);
  const { facts } = recipes[kind];
  const source = await openRoomFolder(root, facts.classes.length);
  return scenesOf(source, { kind: `${kind} rooms`, ...facts }, request, {
    title: `generated rooms (${kind})`,
    real: false,
  });
}
