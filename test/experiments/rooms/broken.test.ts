// Broken files of rooms and streets: each is told in one clear line that names the file, whatever its layout.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import type { DataSet } from '../../../experiments/data/dataset.ts';
import { encodeNpy } from '../../../experiments/data/formats/npy.ts';
import { checkRooms } from '../../../experiments/data/room-source.ts';
import { cityscapes, nyud, type RoomRequest, type RoomScenes } from '../../../experiments/index.ts';
import { testedOn } from '../../tested-on.ts';
import { run } from '../command.ts';
import { foreign, put } from '../data/files.ts';
import {
  cameraJson,
  colorPng,
  disparityPng,
  labelPng,
  type MadeArray,
  matOf,
  nyudArrays,
  putAll,
  putHdf5,
  roomFiles,
  size,
  streetFiles,
} from './made-files.ts';

testedOn('host');

const MAT = 'nyu_depth_v2_labeled.mat';
const other = { width: 4, height: 4 };
const page = foreign['a web page']!.bytes;
const pointer = foreign['a Git LFS pointer']!.bytes;

/** The one line that a check of a folder says, and that it is one. */
async function faultOf(set: DataSet<RoomScenes, RoomRequest>, folder: string): Promise<string> {
  const { fault } = await set.check(folder, () => undefined);
  return fault?.message ?? 'no fault';
}

type Changes = Readonly<Record<string, string | Uint8Array | undefined>>;
type Cases = Readonly<Record<string, readonly [changes: Changes, message: RegExp]>>;

const floats = (values: readonly number[], shape: number[]) => encodeNpy({ shape, values: Float32Array.from(values) });
const depths = (value: number): Uint8Array => floats(new Array<number>(48).fill(value), [6, 8]);

const folderCases: Cases = {
  'a missing list of the training': [{ 'gt_sets/train.txt': undefined }, /gt_sets\/train\.txt cannot be read.*ENOENT/],
  'a missing list of the test': [{ 'gt_sets/val.txt': undefined }, /gt_sets\/val\.txt cannot be read.*ENOENT/],
  'an empty list': [{ 'gt_sets/train.txt': '' }, /gt_sets\/train\.txt, byte 0: an empty file, not a list of names/],
  'a list that is a page': [{ 'gt_sets/val.txt': page }, /gt_sets\/val\.txt, byte 0: a web page, not a list/],
  'a picture in both lists': [{ 'gt_sets/val.txt': '0004\n0002\n' }, /val\.txt: '0002' is named twice/],
  'a picture that is not there': [{ 'images/0002.png': undefined }, /images\/0002\.jpg is missing/],
  'a map of classes that is not there': [{ 'segmentation/0004.png': undefined }, /segmentation\/0004\.png is missing/],
  'a depth map that is not there': [{ 'depth/0003.npy': undefined }, /depth\/0003\.npy is missing/],
  'a label of 41': [
    { 'segmentation/0003.png': labelPng((k) => (k === 5 ? 41 : k % 41)) },
    /segmentation\/0003\.png, pixel 5: no such class; expected 0 for void, 1 to 40, got 41/,
  ],
  'a label of 41 in the first map': [
    { 'segmentation/0001.png': labelPng((k) => (k === 7 ? 41 : 0)) },
    /segmentation\/0001\.png, pixel 7: no such class.*got 41/,
  ],
  'void written in two ways': [
    { 'segmentation/0002.png': labelPng((k) => (k === 3 ? 255 : 1)) },
    /segmentation\/0002\.png, pixel 3: no such class.*0 for void, 1 to 40, got 255/,
  ],
  'a class of 40 where 255 is void': [
    { 'segmentation/0001.png': labelPng((k) => (k === 3 ? 255 : 1)) },
    /segmentation\/0002\.png, pixel 20: no such class.*0 to 39, 255 for void, got 40/,
  ],
  'colours in place of classes': [{ 'segmentation/0001.png': colorPng(1) }, /0001\.png, byte 24: not a map of classes/],
  'a pointer in place of a picture': [{ 'images/0002.png': pointer }, /images\/0002\.png, byte 0: a Git LFS pointer/],
  'a pointer in place of a map': [{ 'segmentation/0004.png': pointer }, /0004\.png, byte 0: a Git LFS pointer/],
  'a pointer in place of depth': [{ 'depth/0001.npy': pointer }, /depth\/0001\.npy, byte 0: a Git LFS pointer, not/],
  'a picture that is cut off': [{ 'images/0003.png': colorPng(3).subarray(0, 60) }, /images\/0003\.png, byte 60/],
  'a picture of another size': [
    { 'images/0003.png': colorPng(3, other) },
    /images\/0003\.png has another size than the picture .*0001\.png; expected 8 x 6, got 4 x 4/,
  ],
  'a map of another size': [
    { 'segmentation/0002.png': labelPng(() => 1, other) },
    /segmentation\/0002\.png has another size.*expected 8 x 6, got 4 x 4/,
  ],
  'depth that lies on its side': [
    { 'depth/0002.npy': floats(new Array<number>(48).fill(1), [8, 6]) },
    /depth\/0002\.npy has another size.*expected 8 x 6, got 6 x 8/,
  ],
  'depth in a list': [
    { 'depth/0001.npy': floats(new Array<number>(48).fill(1), [48]) },
    /0001\.npy is no depth map.*\(48\)/,
  ],
  'depth in millimetres': [
    { 'depth/0001.npy': depths(2500) },
    /0001\.npy, pixel 0: no depth in metres.*2500.*millimetres/,
  ],
  'negative depth': [{ 'depth/0001.npy': depths(-1) }, /0001\.npy, pixel 0: no depth in metres.*got -1/],
  'depth that is no number': [{ 'depth/0001.npy': depths(NaN) }, /0001\.npy, pixel 0: no depth in metres.*got NaN/],
  'depth of nothing': [{ 'depth/0004.npy': depths(0) }, /0004\.npy: the depth map is empty/],
  'depth that is cut off': [
    { 'depth/0002.npy': depths(1).subarray(0, 200) },
    /0002\.npy, byte 200: the NumPy array ends too early; expected 320 bytes, got 200 bytes/,
  ],
  'depth in whole numbers': [
    { 'depth/0002.npy': Buffer.from(Buffer.from(depths(1)).toString('latin1').replace('<f4', '<i4'), 'latin1') },
    /0002\.npy, byte 10: another kind of NumPy array.*'<i4'/,
  ],
  'depth column by column': [
    { 'depth/0002.npy': Buffer.from(Buffer.from(depths(1)).toString('latin1').replace('False', 'True '), 'latin1') },
    /0002\.npy, byte 10: another kind of NumPy array.*fortran_order/,
  ],
};

const aachen = 'train/aachen/aachen_000000_000019';
const streetCases: Cases = {
  'a missing camera': [
    { [`camera/${aachen}_camera.json`]: undefined },
    /camera\/train\/aachen\/aachen_000000_000019_camera\.json is missing.*camera_trainvaltest\.zip/,
  ],
  'a missing disparity': [{ [`disparity/${aachen}_disparity.png`]: undefined }, /aachen_000000_000019_disparity\.png is missing/],
  'missing labels': [{ [`gtFine/${aachen}_gtFine_labelIds.png`]: undefined }, /_gtFine_labelIds\.png is missing/],
  'a missing split': [
    Object.fromEntries(['leftImg8bit/val/lindau/lindau_000002_000019_leftImg8bit.png'].map((name) => [name, undefined])),
    /no pictures in .*leftImg8bit\/val/,
  ],
  'a camera without a baseline': [
    { [`camera/${aachen}_camera.json`]: '{"intrinsic": {"fx": 2262}}' },
    /aachen_000000_000019_camera\.json is not the file of a camera.*baseline/,
  ],
  'a camera without a focal length': [
    { [`camera/${aachen}_camera.json`]: cameraJson.replace('2262.52', '0') },
    /_camera\.json is not the file of a camera.*fx/,
  ],
  'a camera that is no JSON': [{ [`camera/${aachen}_camera.json`]: '{"intrinsic": ' }, /_camera\.json is not the file of a camera/],
  'a camera that is a page': [{ [`camera/${aachen}_camera.json`]: page }, /_camera\.json, byte 0: a web page, not a camera/],
  'a label that is none': [
    { [`gtFine/${aachen}_gtFine_labelIds.png`]: labelPng((k) => (k === 2 ? 34 : 7)) },
    /_gtFine_labelIds\.png, pixel 2: no such class.*0 to 33.*got 34/,
  ],
  'disparity of 8 bits': [{ [`disparity/${aachen}_disparity.png`]: labelPng(() => 9) }, /_disparity\.png, byte 24: not a depth map/],
  'disparity of 1 alone': [{ [`disparity/${aachen}_disparity.png`]: disparityPng(() => 1) }, /_disparity\.png: the depth map is empty/],
  'a pointer in place of disparity': [{ [`disparity/${aachen}_disparity.png`]: pointer }, /_disparity\.png, byte 0: a Git LFS pointer/],
  'a picture of another size': [
    { 'leftImg8bit/train/ulm/ulm_000001_000019_leftImg8bit.png': colorPng(1, other) },
    /ulm_000001_000019_leftImg8bit\.png has another size than the picture .*aachen/,
  ],
}; // prettier-ignore

for (const [set, files, cases] of [
  [nyud, roomFiles(), folderCases],
  [cityscapes, streetFiles(), streetCases],
] as const) {
  t.test(`${set.name}: broken files are one clear line each`, async (t) => {
    const root = t.testdir();
    await putAll(path.join(root, 'whole'), files);
    t.equal(await faultOf(set, path.join(root, 'whole')), 'no fault');
    for (const [i, [name, [changes, message]]] of Object.entries(cases).entries()) {
      const folder = path.join(root, String(i));
      await putAll(folder, files, changes);
      const fault = await faultOf(set, folder);
      t.match(fault, message, name);
      t.ok(fault.startsWith(`${folder}/`) || fault.includes(folder), `${name}: the file by its path`);
      t.notMatch(fault, /\n/, `${name}: one line`);
    }
  });
}

type ArrayChanges = Partial<Record<'images' | 'depths' | 'labels', MadeArray | undefined>>;

t.test('nyud: a labelled set that is broken', async (t) => {
  const root = t.testdir();
  const { images, depths: metres, labels } = nyudArrays(3);
  const { width, height } = size;
  const cases: Record<string, readonly [ArrayChanges, RegExp]> = {
    'no labels': [{ labels: undefined }, /labeled\.mat has no array 'labels'; expected images, depths, labels, got depths, images/],
    'fewer depths': [
      { depths: [metres[0].subarray(0, 96), [2, width, height], '<f'] },
      /labeled\.mat: the arrays do not belong together.*depths \(2, 8, 6\)/,
    ],
    'axes that were turned': [
      { images: [images[0], [3, height, width, 3], '<B'] },
      /the arrays do not belong together; expected images \(N, 3, W, H\).*images \(3, 6, 8, 3\)/,
    ],
    'pictures of floats': [{ images: [new Float32Array(images[0]), images[1], '<f'] }, /images has elements of another type.*uint8/],
    'a name of 895': [
      { labels: [(labels[0] as Uint16Array).map((name, k) => (k === 60 ? 895 : name)), labels[1], '<H'] },
      /labeled\.mat, labels, picture 2, pixel 2: no such class.*1 to 894, got 895/,
    ],
    'millimetres': [{ depths: [(metres[0] as Float32Array).map((m) => 1000 * m), metres[1], '<f'] }, /depths, picture 3.*millimetres/],
  }; // prettier-ignore
  for (const [i, [name, [changes, message]]] of Object.entries(cases).entries()) {
    const folder = path.join(root, String(i));
    const arrays = Object.entries({ images, depths: metres, labels, ...changes }).filter(([, array]) => array);
    await putHdf5(path.join(folder, MAT), Object.fromEntries(arrays) as Record<string, MadeArray>);
    const fault = await faultOf(nyud, folder);
    t.match(fault, message, name);
    t.ok(fault.startsWith(path.join(folder, MAT)), `${name}: the file by its path`);
  }
  for (const [what, { bytes, called }] of Object.entries(foreign)) {
    const folder = path.join(root, what.replace(/\W/g, '-'));
    await put(folder, MAT, bytes);
    t.match(await faultOf(nyud, folder), new RegExp(`labeled\\.mat, byte 0: .*(${called.source})`), what);
  }
  const whole = path.join(root, 'whole');
  await putHdf5(path.join(whole, MAT), nyudArrays(3));
  t.equal(await faultOf(nyud, whole), 'no fault');
  const bytes = await readFile(path.join(whole, MAT));
  for (const length of [100, 600, 2000, bytes.length - 100]) {
    const folder = path.join(root, `cut-${length}`);
    await put(folder, MAT, bytes.subarray(0, length));
    t.match(await faultOf(nyud, folder), /labeled\.mat: the HDF5 file is damaged, got /, `${length}`);
  }
  const lists = { trainNdxs: [1, 2], testNdxs: [3] };
  const splits: Record<string, readonly [Buffer, RegExp]> = {
    'a page': [page, /splits\.mat, byte 0: a web page, not a MATLAB 5 file/],
    'a list that is missing': [matOf({ trainNdxs: [1] }, true), /splits\.mat has no list 'testNdxs'.*trainNdxs/],
    'a picture that is not there': [matOf({ ...lists, testNdxs: [4] }, true), /splits\.mat, testNdxs: no such picture; expected 1 to 3, got 4/],
    'a picture of both': [matOf({ ...lists, testNdxs: [2] }, true), /splits\.mat: training and test share a picture.*picture 2/],
    'a file that is cut off': [matOf(lists, true).subarray(0, 170), /splits\.mat: the MATLAB file is damaged or ends too early/],
  }; // prettier-ignore
  for (const [name, [content, message]] of Object.entries(splits)) {
    await put(whole, 'splits.mat', content);
    t.match(await faultOf(nyud, whole), message, name);
  }
});

t.test('a disparity of 1 is named, with its file, and has no depth', async (t) => {
  const root = t.testdir();
  const file = `disparity/${aachen}_disparity.png`;
  await putAll(path.join(root, 'cityscapes'), streetFiles(), { [file]: disparityPng((k) => (k < 3 ? 1 : 900)) });
  const { status, stdout } = await run(['data', 'check', 'cityscapes', '.'], root);
  t.equal(status, 0, stdout);
  t.match(stdout, /doubt: .*aachen_000000_000019_disparity\.png: 3 pixels have a disparity of 0 \(a 1 in the file\)/);
  const request = { ...size, counts: { train: 1, test: 1 }, kind: 'easy' } as const;
  const scenes = await cityscapes.load(path.join(root, 'cityscapes'), request);
  t.same(
    [...(await scenes.cohorts.train.depth(0))].slice(0, 4).map((metres) => metres > 0),
    [false, false, false, true],
  );
  t.match(
    await cityscapes.inspect!(scenes),
    [/aachen_000000_000019_disparity\.png: 3 pixels/],
    'before a training too',
  );
});

t.test('what is said before a training and by a check', async (t) => {
  const root = t.testdir();
  await putAll(path.join(root, 'nyud'), roomFiles(), { 'images/notes.txt': 'x' });
  const { status, stdout } = await run(['data', 'check', 'nyud', '.'], root);
  t.equal(status, 0, stdout);
  t.match(stdout, /pictures read whole: 4 of 4[^]*passed over: 1 of another kind[^]*doubt: segmentation: 0 is void/);
  const none = await checkRooms(root, () => Promise.reject(new Error('broken')), () => undefined).catch(String); // prettier-ignore
  t.equal(none, 'Error: broken', 'what is no fault of the data is not called one');
});
