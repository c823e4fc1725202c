// Files of KITTI depth prediction: exact 16-bit depth, pairs in the official layout, damaged and unsuitable files, samples from
// them, and the queue that makes samples ahead. Real frames where the folder of shared data is beside the checkout.
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { decode, encode } from 'fast-png';
import t from 'tap';
import { listDrives, listSelection, readFrame } from '../../../experiments/data/sets/kitti-depth.ts';
import {
  depthUnits,
  encodeColorPng,
  encodeDepthPng,
  readColorPng,
  readDepthPng,
} from '../../../experiments/data/formats/png.ts';
import { Prefetch } from '../../../experiments/data/prefetch.ts';
import { Frames } from '../../../experiments/data/frames.ts';
import { IGNORED, LogDepth } from '../../../experiments/papers/multidepth/log-depth.ts';
import { settingsOf } from '../../../experiments/papers/multidepth/presets.ts';
import { batchOf, Samples, Targets } from '../../../experiments/papers/multidepth/samples.ts';
import { sharedData } from '../../shared-data.ts';

const folder = t.testdir();
const drive = '2011_09_26_drive_0001_sync';

/** Assertions on whole arrays would work out a difference to print. */
const sameBits = (a: ArrayBufferView, b: ArrayBufferView): boolean =>
  Buffer.from(a.buffer).equals(Buffer.from(b.buffer));

async function write(file: string, content: Uint8Array): Promise<string> {
  const whole = path.join(folder, file);
  await mkdir(path.dirname(whole), { recursive: true });
  await writeFile(whole, content);
  return whole;
}

const colorOf = (width: number, height: number): Promise<Uint8Array> =>
  encodeColorPng({ width, height, data: Uint8Array.from({ length: 3 * width * height }, (_, i) => (i * 7) % 256) });

const depthFile = (root: string, split: string, frame: string, camera = 'image_02'): string =>
  path.join(root, 'depth', split, drive, 'proj_depth', 'groundtruth', camera, `${frame}.png`);

t.test('every value of 16 bits is read and written exactly', async (t) => {
  const data = Uint16Array.from({ length: 65_536 }, (_, i) => i);
  const written = await write('all.png', await encodeDepthPng({ width: 256, height: 256, data }));
  t.ok(
    Buffer.from(decode(await readFile(written)).data.buffer).equals(Buffer.from(data.buffer)),
    'as another decoder has it',
  );
  t.ok(sameBits((await readDepthPng(written)).data, data));
  const foreign = await write('foreign.png', encode({ width: 256, height: 256, data, channels: 1, depth: 16 }));
  t.ok(sameBits((await readDepthPng(foreign)).data, data));
  t.same([0, 0.001, 1, 2.998, 255.9999, 300].map(depthUnits), [1, 1, 256, 767, 65_535, 65_535]);
});

t.test('files that are damaged or no depth maps', async (t) => {
  const depth = await encodeDepthPng({ width: 64, height: 48, data: new Uint16Array(64 * 48).map((_, i) => 500 + i) });
  const cut = await write('cut.png', depth.subarray(0, depth.length >> 1));
  await t.rejects(readDepthPng(cut), {
    name: 'DataError',
    message: /cut\.png, byte \d+: the PNG file is damaged or ends too early/,
  });
  const short = await write('short.png', depth.subarray(0, 12));
  await t.rejects(readDepthPng(short), {
    name: 'DataError',
    message: /short\.png, byte 12: the PNG file is damaged or ends too early/,
  });
  await t.rejects(readDepthPng(path.join(folder, 'none.png')), { name: 'DataError', message: /ENOENT/ });
  const grey = encode({ width: 64, height: 48, data: new Uint8Array(64 * 48), channels: 1, depth: 8 });
  await t.rejects(readDepthPng(await write('grey.png', grey)), {
    name: 'DataError',
    message: /8-bit grey.*keeps 8 bits/,
  });
  await t.rejects(readColorPng(await write('depth.png', depth)), { name: 'DataError', message: /16-bit grey/ });
  const color = await write('color.png', await colorOf(64, 48));
  const pair = (file: string) => ({ name: 'a frame', color, depth: path.join(folder, file) });
  const dark = await encodeDepthPng({ width: 64, height: 48, data: new Uint16Array(64 * 48).fill(200) });
  await write('dark.png', dark);
  await t.rejects(readFrame(pair('dark.png')), { name: 'DataError', message: /no depth beyond 1 m.*values up to 200/ });
  await write('other.png', await encodeDepthPng({ width: 48, height: 64, data: new Uint16Array(64 * 48).fill(600) }));
  await t.rejects(readFrame(pair('other.png')), {
    name: 'DataError',
    message: /differs from that of its picture.*64 x 48, got 48 x 64/,
  });
  await write('empty.png', await encodeDepthPng({ width: 64, height: 48, data: new Uint16Array(64 * 48) }));
  t.equal((await readFrame(pair('empty.png'))).valid, 0, 'a map without measurements is not an error');
});

t.test('pairs in the official layout', async (t) => {
  const root = path.join(folder, 'kitti');
  const depth = await encodeDepthPng({ width: 64, height: 48, data: new Uint16Array(64 * 48).fill(600) });
  for (const [frame, camera] of [['0000000007', 'image_03'], ['0000000005', 'image_02'], ['0000000009', 'image_02']] as const) {
    await write(path.relative(folder, depthFile(root, 'train', frame, camera)), depth);
  } // prettier-ignore
  // One drive's pictures lie in the official place, with the date.
  for (const [frame, camera] of [
    ['0000000007', 'image_03'],
    ['0000000005', 'image_02'],
  ] as const) {
    await write(`kitti/raw/2011_09_26/${drive}/${camera}/data/${frame}.png`, await colorOf(64, 48));
  }
  const train = await listDrives(root, 'train');
  t.same(
    train.pairs.map(({ name }) => name),
    [`${drive}/image_02/0000000005`, `${drive}/image_03/0000000007`],
  );
  t.same(train.missing, [`${drive}/image_02/0000000009`], 'a pair without its picture is left out and told');
  t.equal((await readFrame(train.pairs[1]!)).valid, 64 * 48);
  const selection = 'kitti/depth_selection/val_selection_cropped';
  await write(`${selection}/image/${drive}_image_0000000005_image_02.png`, await colorOf(64, 48));
  await write(`${selection}/groundtruth_depth/${drive}_groundtruth_depth_0000000005_image_02.png`, depth);
  await write(`${selection}/groundtruth_depth/${drive}_groundtruth_depth_0000000006_image_02.png`, depth);
  const validation = await listSelection(root);
  t.same([validation.pairs.length, validation.missing.length], [1, 1]);
  t.match(await listDrives(root, 'val'), { pairs: [], missing: [], passedOver: { count: 0 } });
});

t.test('samples', async (t) => {
  const settings = { ...settingsOf({ weighting: 'learned', classes: 4 }, 'smoke'), batch: 2, patch: 48 };
  const [width, height] = [70, 60];
  const space = new LogDepth({ bounds: [2, 125] });
  const depth = Uint16Array.from({ length: width * height }, (_, i) => (i % 3 === 0 ? 0 : 256 * 3 + i));
  const color = Uint8Array.from({ length: 3 * width * height }, (_, i) => i % 251);
  const frame = { width, height, color, depth, valid: 1 };
  const targets = new Targets(space, settings);
  const at = { left: 5, top: 7, width: 48, height: 48 };
  const [plain, flipped] = [false, true].map((flip) => batchOf([frame], [{ ...at, flip }], targets));
  const source = 7 * width + 5;
  t.equal(plain!.picture[0], Math.fround(color[3 * source + 2]! / 255), 'blue comes first');
  t.equal(plain!.picture[2 * 48 * 48], Math.fround(color[3 * source]! / 255), 'red comes last');
  t.equal(plain!.target[1], Math.fround(space.encode(depth[source + 1]! / 256)));
  t.equal(plain!.labels[1], depth[source + 1] ? space.classOf(space.encode(depth[source + 1]! / 256), 4) : IGNORED);
  t.equal(flipped!.target[47], plain!.target[0], 'all three are flipped');
  t.equal(flipped!.picture[46], plain!.picture[1]);
  t.equal(
    batchOf([{ ...frame, depth: new Uint16Array(depth.length) }], [{ ...at, flip: false }], targets).withoutDepth,
    1,
  );
  const floored = new Targets(space, { classes: 4, wholeMetres: true });
  t.equal(floored.depth[3 * 256 - 1], 0, 'below 3 m everything is missing once metres are whole');

  const pairs: { name: string; color: string; depth: string }[] = [];
  for (let i = 0; i < 5; i++) {
    const one = { width, height, data: depth.map((value) => (value > 0 ? value + i : 0)) };
    const colorName = await write(`samples/${i}-color.png`, await encodeColorPng({ width, height, data: color }));
    pairs.push({
      name: `frame ${i}`,
      color: colorName,
      depth: await write(`samples/${i}.png`, await encodeDepthPng(one)),
    });
  }
  const samples = new Samples(new Frames({ pairs }), settings, 3);
  const epochs = [0, 4, 8].map((first) => [0, 1, 2, 3].map((i) => samples.frameOf(first + i)));
  for (const epoch of epochs)
    t.equal(new Set(epoch).size, 4, 'no frame twice in an epoch, whose last batch is dropped');
  t.notSame(epochs[0], epochs[1]);
  const later = await samples.batch(3);
  const resumed = await new Samples(new Frames({ pairs }), settings, 3).batch(3);
  t.ok(sameBits(resumed.picture, later.picture), 'a batch depends on its number alone');
  t.ok(sameBits(resumed.target, later.target));
  t.notOk(sameBits((await samples.batch(2)).target, later.target));
  await t.rejects(new Samples(new Frames({ pairs }), { ...settings, patch: 64 }, 3).batch(0), {
    name: 'DataError',
    message: /frame \d is smaller than a training patch.*64 x 64 or more, got 70 x 60/,
  });
});

t.test('the queue makes values ahead, in order, and counts waits', async (t) => {
  let [running, most] = [0, 0];
  const make = async (index: number): Promise<number> => {
    most = Math.max(most, ++running);
    await sleep(5 - index);
    running--;
    return index;
  };
  const queue = new Prefetch(make, { first: 1, end: 5, ahead: 3 });
  t.equal(await queue.next(), 1);
  t.equal(queue.waiting, 3);
  await sleep(30);
  t.same([await queue.next(), await queue.next(), await queue.next()], [2, 3, 4]);
  t.equal(await queue.next(), undefined);
  t.same([most, queue.stalls], [3, 0]);
  const slow = new Prefetch((index) => sleep(10, index), { end: 3, ahead: 1 });
  while ((await slow.next()) !== undefined);
  t.equal(slow.stalls, 2, 'all but the first');
  const broken = new Prefetch(
    (index) => (index === 1 ? Promise.reject(new Error('bad file')) : Promise.resolve(index)),
    {
      end: 3,
      ahead: 3,
    },
  );
  t.equal(await broken.next(), 0);
  await sleep(5);
  await t.rejects(broken.next(), { message: 'bad file' });
});

const real = sharedData('data/kitti');
if (!real) {
  t.pass('real frames', { skip: 'the folder of shared data is not beside this checkout' });
} else {
  t.test('real frames', async (t) => {
    const { pairs, missing } = await listDrives(real, 'train');
    t.same([pairs.length, missing.length], [4, 0]);
    for (const pair of pairs) {
      const frame = await readFrame(pair);
      t.same([frame.width, frame.height], [1242, 375]);
      const share = frame.valid / frame.depth.length;
      t.ok(share > 0.17 && share < 0.22, `${share} of the pixels are measured`);
    }
    const other = decode(await readFile(pairs[0]!.depth));
    const ours = await readDepthPng(pairs[0]!.depth);
    t.ok(sameBits(ours.data, Uint16Array.from(other.data)), 'exact');
    await mkdir(path.join(folder, 'linked'));
    await symlink(path.join(real, 'depth'), path.join(folder, 'linked', 'depth'));
    t.equal((await listDrives(path.join(folder, 'linked'), 'train')).missing.length, 4);
  });
}
