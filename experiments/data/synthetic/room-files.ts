// Generated rooms as files in the layout of MTI-Net's NYUD_MT folder, so that they are read by the same code. They lie in a folder of the
// system for temporary files and are made again where they are gone.
import { existsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { writeWhole } from '../../runner/files.ts';
import { encodeNpy } from '../formats/npy.ts';
import { encodeJpeg, encodeLabelPng } from '../formats/png.ts';
import { type RoomFacts, scenesOf } from '../room-source.ts';
import { type RoomCohortName, roomCohorts, type RoomKind, type RoomRequest, type RoomScenes } from '../rooms.ts';
import { openRoomFolder, roomLists } from '../sets/room-folder.ts';
import { generatedRoom, ROOM_SIDE, ROOM_VERSION, roomClasses, roomPalette, roomRange } from './rooms.ts';

/** Where rooms of a kind are kept, one folder for each user and number of rooms. */
export const roomFolder = (kind: RoomKind, { train, test }: RoomRequest['counts']): string =>
  path.join(os.tmpdir(), `wgrad-${process.getuid?.() ?? 'user'}`, `rooms-${ROOM_VERSION}-${kind}-${train}-${test}`);

const nameOf = (cohort: RoomCohortName, index: number): string => `${cohort}-${String(index).padStart(5, '0')}`;

/** Makes sure that the first rooms of both cohorts are below `root`, in the layout of NYUD_MT: labels 1 to 8, of which 0 is void. */
export async function writeRooms(root: string, kind: RoomKind, counts: RoomRequest['counts']): Promise<void> {
  const size = { width: ROOM_SIDE, height: ROOM_SIDE };
  for (const cohort of roomCohorts) {
    const names = Array.from({ length: counts[cohort] }, (_, index) => nameOf(cohort, index));
    for (const [index, name] of names.entries()) {
      const depthFile = path.join(root, 'depth', `${name}.npy`);
      // The depth map is written last: where it is there, so are the others.
      if (existsSync(depthFile)) continue;
      const { image, labels, depth } = generatedRoom(kind, cohort, index);
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
}

const factsOf = (kind: RoomKind): RoomFacts => ({
  kind: `${kind} rooms`,
  classes: roomClasses,
  palette: roomPalette,
  depthRange: roomRange[kind],
});

/** The stand-in of the data sets of rooms: written where it is not there, and read as a user's folder is. */
export async function generatedRooms(request: RoomRequest): Promise<RoomScenes> {
  const { kind, counts } = request;
  const root = roomFolder(kind, counts);
  await writeRooms(root, kind, counts);
  const source = await openRoomFolder(root, roomClasses.length);
  return scenesOf(source, factsOf(kind), request, { title: `generated rooms (${kind})`, real: false });
}
