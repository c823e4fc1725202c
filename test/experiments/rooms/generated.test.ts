// Generated rooms: a function of kind, cohort and index, with all classes, written and read as the files that a user has.
import { readFile, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { cityscapes, dataFor, nyud, type RoomKind, roomKinds, type RoomRequest } from '../../../experiments/index.ts';
import { writeRooms } from '../../../experiments/data/synthetic/room-files.ts';
import {
  type GeneratedRoom,
  generatedRoom,
  ROOM_SIDE,
  roomClasses,
  roomPalette,
  roomRange,
} from '../../../experiments/data/synthetic/rooms.ts';
import { openRoomFolder } from '../../../experiments/data/sets/room-folder.ts';
import { testedOn } from '../../tested-on.ts';

testedOn('host');

const ROOMS = 120;
const made = Object.fromEntries(
  roomKinds.map((kind) => [kind, Array.from({ length: ROOMS }, (_, i) => generatedRoom(kind, 'train', i))]),
) as Record<RoomKind, GeneratedRoom[]>;

t.test('a room is a function of its kind, cohort and index', (t) => {
  for (const kind of roomKinds) {
    const again = [7, 3, 7].map((index) => generatedRoom(kind, 'train', index));
    t.same(again[0], made[kind][7], 'in whatever order they are asked for');
    t.same(again[1], made[kind][3]);
    t.same(again[2], again[0]);
    t.not(generatedRoom(kind, 'test', 7).depth.join(), made[kind][7]!.depth.join(), 'cohorts have nothing in common');
  }
  t.not(made.easy[7]!.depth.join(), made.harder[7]!.depth.join());
  t.end();
});

t.test('rooms look as the specification says', (t) => {
  t.same(roomClasses, ['wall', 'floor', 'ceiling', 'table', 'sofa', 'cabinet', 'picture', 'lamp']);
  t.equal(new Set(roomPalette.map(String)).size, roomClasses.length);
  for (const kind of roomKinds) {
    const pixels = new Array<number>(roomClasses.length).fill(0);
    for (const { image, labels, depth } of made[kind]) {
      t.same([image.length, labels.length, depth.length], [3 * ROOM_SIDE ** 2, ROOM_SIDE ** 2, ROOM_SIDE ** 2]);
      for (const label of labels) pixels[label]!++;
      t.ok(depth.every((metres) => metres > 0 && metres <= roomRange[kind])); // prettier-ignore
    }
    const shares = pixels.map((count) => count / (ROOMS * ROOM_SIDE ** 2));
    t.ok(shares[0]! > 0.35 && shares[0]! < 0.6, `${kind}: walls are about half (${shares[0]})`);
    t.ok(shares.every((share) => share > 0.002)); // prettier-ignore
    const means = made[kind].map(({ depth }) => depth.reduce((sum, metres) => sum + metres, 0) / depth.length).sort((a, b) => a - b); // prettier-ignore
    const spread = means[Math.floor(0.9 * ROOMS)]! / means[Math.floor(0.1 * ROOMS)]!;
    t.ok(kind === 'easy' ? spread < 2 : spread > 2.5, `${kind}: sizes by a factor of ${spread}`);
  }
  t.end();
});

t.test('rooms are written and read as a folder of pictures', async (t) => {
  const root = t.testdir();
  const counts = { train: 3, test: 2 };
  await writeRooms(root, 'harder', counts);
  const { cohorts, remarks } = await openRoomFolder(root, roomClasses.length);
  t.same([cohorts.train.names.length, cohorts.test.names.length], [3, 2]);
  t.match(remarks, [/0 is void, 1 to 8 are the classes/]);
  for (const cohort of ['train', 'test'] as const) {
    for (let index = 0; index < counts[cohort]; index++) {
      const room = generatedRoom('harder', cohort, index);
      t.same((await cohorts[cohort].labels(index)).data, room.labels);
      t.same((await cohorts[cohort].depth(index)).data, room.depth);
      const { data } = await cohorts[cohort].image(index);
      const error = data.reduce((sum, value, k) => sum + Math.abs(value - room.image[k]!), 0) / data.length;
      t.ok(error < 4, `JPEG changes a value by ${error} on the mean`);
    }
  }
  const kept = path.join(root, 'images/train-00001.jpg');
  const [written, bytes] = [(await stat(kept)).mtimeMs, await readFile(path.join(root, 'depth/train-00002.npy'))];
  await rm(path.join(root, 'depth/train-00002.npy'));
  await writeRooms(root, 'harder', counts);
  t.equal((await stat(kept)).mtimeMs, written, 'what is there is not made again');
  t.same(await readFile(path.join(root, 'depth/train-00002.npy')), bytes, 'what is gone is');
});

t.test('the stand-in of both data sets', async (t) => {
  const request: RoomRequest = { width: 32, height: 16, counts: { train: 2, test: 1 }, kind: 'harder' };
  for (const set of [nyud, cityscapes]) {
    const scenes = await dataFor(set, { paper: 'p', preset: 'laptop', data: undefined, request });
    t.match(scenes, { real: false, name: /^generated rooms \(harder\), 2 training and 1 test/, kind: 'harder rooms' });
    t.match(scenes, { width: 32, height: 16, void: 255, depthRange: 13, classes: roomClasses });
    const { train } = scenes.cohorts;
    t.same([train.count, (await train.image(1)).length, (await train.depth(1)).length], [2, 3 * 512, 512]);
    t.equal(await train.depth(1), await train.depth(1), 'small pictures are read once');
    await t.rejects(dataFor(set, { paper: 'p', preset: 'paper', data: undefined, request }), { name: 'ConfigError' });
  }
});
