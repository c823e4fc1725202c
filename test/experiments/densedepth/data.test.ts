// The data of DenseDepth: scans paired by time and cut by scan, the course's arrays, generated scenes, and broken input of every kind.
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { File } from 'h5wasm/node';
import t from 'tap';
import { objectClasses, redwood, type SceneRequest } from '../../../experiments/index.ts';
import { encodeDepthPng, encodeJpeg } from '../../../experiments/data/formats/png.ts';
import { listScans, pairByTime, type Scan, splitScans } from '../../../experiments/data/sets/redwood-scans.ts';
import { writeObjectScenes } from '../../../experiments/data/synthetic/object-scene-files.ts';
import { objectScene } from '../../../experiments/data/synthetic/object-scenes.ts';
import { sharedData } from '../../shared-data.ts';
import { run } from '../command.ts';
import { put } from '../data/files.ts';

const size = { width: 16, height: 12 };
const request: SceneRequest = { ...size, counts: { train: 6, validation: 3, test: 3 }, framesPerScan: 9 };

const stamp = (frame: number, time: number): string =>
  `${String(frame).padStart(7, '0')}-${String(time).padStart(12, '0')}`;

const depthOf = (value: (k: number) => number) => ({
  ...size,
  data: Uint16Array.from({ length: 192 }, (_, k) => value(k)),
});
const usual = await encodeDepthPng(depthOf((k) => (k % 5 ? 1000 + k : 0)));
const picture = await encodeJpeg({ ...size, data: new Uint8Array(3 * 192).fill(90) });

/** Parts of a scan that may be unusual. */
interface ScanParts {
  frames?: number;
  late?: number;
  depth?: Uint8Array;
  depths?: number;
}

/** A scan whose pictures are 33.4 ms apart and whose depth maps come `late` microseconds after them. */
async function putScan(folder: string, parts: ScanParts = {}): Promise<void> {
  const { frames = 4, late = 4000, depth = usual, depths = frames } = parts;
  for (let i = 0; i < frames; i++) await put(folder, `rgb/${stamp(i + 1, 33_400 * i)}.jpg`, picture);
  for (let i = 0; i < depths; i++) await put(folder, `depth/${stamp(i + 1, 33_400 * i + late)}.png`, depth);
}

t.test('generated scenes look as the specification says', (t) => {
  const scenes = Array.from({ length: 60 }, (_, i) => objectScene('statistics', i, i % 3));
  const depths = scenes.map(({ depth }) => depth);
  const all = depths.flatMap((depth) => [...depth]);
  const zero = all.filter((value) => value === 0).length / all.length;
  const mean = all.reduce((sum, value) => sum + value, 0) / all.length / 1000;
  t.ok(zero > 0.12 && zero < 0.28, `${zero} of the pixels without depth`);
  t.ok(mean > 2.3 && mean < 3.9, `${mean} m on the mean`);
  t.ok(Math.max(...depths.map((depth) => Math.max(...depth))) <= 8000);
  t.ok(
    depths.every((depth) => depth.slice(-3).every((value) => value === 0)),
    'nothing at the border',
  );
  const equal = (a: Uint16Array, b: Uint16Array): boolean => Buffer.from(a.buffer).equals(Buffer.from(b.buffer));
  t.ok(equal(objectScene('statistics', 7, 1).depth, scenes[7]!.depth), 'a function of cohort, index and class');
  t.notOk(equal(objectScene('other', 7, 1).depth, scenes[7]!.depth));
  t.same(new Set(scenes.map(({ dominant }) => dominant)), new Set([0, 1, 2]));
  t.end();
});

t.test('frames are paired by time', (t) => {
  const at = (...times: number[]) => times.map((time) => ({ time }));
  t.same(pairByTime(at(0, 33_000, 66_000), at(30_000, 64_000, 99_000)), [[1, 0], [2, 1]]); // prettier-ignore
  t.same(pairByTime(at(0, 10_000), at(9_000)), [[1, 0]], 'the nearer of two'); // prettier-ignore
  t.same(pairByTime(at(0), at(20_000)), [[0, 0]], 'exactly 20 ms');
  t.same(pairByTime(at(0), at(20_001)), []);
  t.same(pairByTime([], at(1)), []);
  // A stream that has lost every third frame: by position all pairs after the first loss would be wrong.
  const colors = Array.from({ length: 30 }, (_, i) => ({ time: 33_333 * i }));
  const depths = colors.filter((_, i) => i % 3 !== 1).map(({ time }) => ({ time: time + 7000 }));
  const pairs = pairByTime(colors, depths);
  t.equal(pairs.length, 20);
  t.ok(pairs.every(([c, d]) => depths[d]!.time - colors[c]!.time === 7000));
  t.end();
});

t.test('every scan is in one cohort, and classes are balanced', (t) => {
  const scans = Array.from({ length: 30 }, (_, i): Scan => {
    const frames = Array.from({ length: 20 }, (_, k) => ({ name: `${i}/${k}`, color: '', depth: '', apart: 0 }));
    return { name: String(i), label: i % 3, frames, unpaired: 0 };
  });
  const counts = { train: 60, validation: 15, test: 30 };
  const cohorts = splitScans(scans, counts, 5);
  const scanOf = (name: string): string => name.split('/')[0]!;
  const owners = Object.values(cohorts).map((frames) => new Set(frames.map(({ name }) => scanOf(name))));
  t.equal(
    new Set(owners.flatMap((set) => [...set])).size,
    owners.reduce((sum, set) => sum + set.size, 0),
  );
  for (const cohort of ['train', 'validation', 'test'] as const) {
    t.equal(cohorts[cohort].length, counts[cohort]);
    for (const label of [0, 1, 2]) {
      t.equal(cohorts[cohort].filter((frame) => frame.label === label).length, counts[cohort] / 3);
    }
  }
  t.same(cohorts, splitScans(scans, counts, 5));
  const few = splitScans(scans.slice(0, 9), counts, 2);
  t.ok(
    Object.values(few).every((frames) => frames.length > 0),
    'of too few every cohort gets a part',
  );
  t.end();
});

t.test('folders of scans', async (t) => {
  const root = path.join(t.testdir(), 'redwood');
  for (const name of ['Car', 'trash_container', 'bicycle']) {
    for (const scan of ['00001', '00002', '00003', '00004']) await putScan(path.join(root, name, scan));
  }
  await put(root, 'Car/00001/rgb/.DS_Store', 'x');
  await put(root, `Car/00001/rgb/${stamp(9, 9e8)}.jpg`, picture);
  const loaded = await redwood.load(root, request);
  t.match(loaded, { name: /^Redwood 3DScan, 6 train \+ 3 validation \+ 3 test$/, real: true });
  t.match(loaded.passedOver!.describe(), /1 hidden/);
  t.match(loaded.remarks, [/^1 pictures and depth maps without a partner within 20 ms/]);
  const scene = await loaded.cohorts.train.read(0);
  t.same([scene.width, scene.height, scene.label], [16, 12, 0]);
  t.same([...scene.depth.slice(0, 3)], [0, 1001, 1002], 'millimetres, exactly');
  const small = await redwood.load(root, { ...request, width: 8, height: 4 });
  t.equal((await small.cohorts.train.read(0)).depth[0], 1000 + 16 + 1, 'nearest, with half-pixel centres');

  await rm(path.join(root, 'trash_container'), { recursive: true });
  const flat = path.join(t.testdir(), 'redwood');
  for (const scan of ['00004', '00007', '00003', '09999']) await putScan(path.join(flat, 'rgbd', scan));
  await writeFile(
    path.join(flat, 'categories.json'),
    JSON.stringify({ 'car': ['00003'], 'trash container': ['00007'], 'bicycle': ['00004'] }), // prettier-ignore
  );
  const { scans } = await listScans(flat);
  t.same(scans.map(({ name }) => name).sort(), ['bicycle/00004', 'car/00003', 'trash container/00007']);
});

t.test('broken scans are one clear line', async (t) => {
  const folder = t.testdir();
  const cases: [string, ScanParts, RegExp][] = [
    ['shifted', { late: 5_000_000 }, /car\/1: no picture has a depth map at most 20\.0 ms away.*nearest are 4899\.8 ms apart.*shifted/],
    ['alone', { depths: 0 }, /car\/1: no picture has a depth map.*4 pictures in rgb and 0 depth maps.*whole scan/],
    ['empty', { depth: await encodeDepthPng(depthOf(() => 0)) }, /depth\/0000001-000000004000\.png: the depth map is empty/],
    ['metres', { depth: await encodeDepthPng(depthOf((k) => k % 4)) }, /no depth beyond 255 mm.*values up to 3/],
  ]; // prettier-ignore
  for (const [name, scan, message] of cases) {
    await putScan(path.join(folder, name, 'redwood/car/1'), scan);
    const { status, stdout, stderr } = await run(['data', 'check', 'redwood', name], folder);
    t.equal(status, 1, stderr);
    const lines = stdout.split('\n').filter((line) => line.includes('first fault'));
    t.equal(lines.length, 1);
    t.match(lines[0], message);
  }
  const nameless = path.join(folder, 'nameless/redwood');
  await put(nameless, 'car/1/rgb/00000.jpg', picture);
  await put(nameless, 'car/1/depth/00000.png', usual);
  await t.rejects(redwood.load(nameless, request), {
    name: 'DataError',
    message: /00000\.jpg: no time stamp in its name/,
  });
  await t.rejects(redwood.load(path.join(folder, 'empty'), request), {
    name: 'DataError',
    message: /nothing to train on of Redwood in .*neither scans nor arrays/,
  });

  const far = path.join(folder, 'far/redwood');
  const tenths = await encodeDepthPng(depthOf((k) => 30_000 + k));
  for (const scan of ['1', '2', '3', '4']) await putScan(path.join(far, 'car', scan), { depth: tenths });
  const loaded = await redwood.load(far, request);
  t.match(await redwood.inspect!(loaded), [
    /12 depth maps reach beyond 20 m \(the first: .*not millimetres|depth maps reach/,
  ]);
});

interface Arrays {
  X?: [Uint8Array | Float32Array, number[], string];
  Y?: [Int32Array, number[], string];
  classes?: [Int32Array, number[], string];
}

/** Generated scenes as the course's arrays. */
function arraysOf(count: number): Required<Arrays> {
  const scenes = Array.from({ length: count }, (_, i) => objectScene('arrays', i, i % 3));
  const pixels = 96 * 128;
  const x = new Uint8Array(3 * pixels * count);
  const y = new Int32Array(pixels * count);
  scenes.forEach(({ color, depth }, i) => {
    x.set(color, 3 * pixels * i);
    y.set(depth, pixels * i);
  });
  return {
    X: [x, [count, 96, 128, 3], '<B'],
    Y: [y, [count, 96, 128], '<i'],
    classes: [Int32Array.from(scenes, ({ label }) => label), [count, 1], '<i'],
  };
}

async function putArrays(file: string, arrays: Arrays): Promise<void> {
  const library = await import('h5wasm/node');
  await library.ready;
  await put(path.dirname(file), path.basename(file), '');
  const opened: File = new library.File(file, 'w');
  for (const [name, [data, shape, dtype]] of Object.entries(arrays) as [string, Required<Arrays>['Y']][]) {
    opened.create_dataset({ name, data, shape, dtype });
  }
  opened.close();
}

t.test("the course's arrays", async (t) => {
  const root = path.join(t.testdir(), 'redwood');
  await putArrays(path.join(root, 'train.h5'), arraysOf(10));
  await putArrays(path.join(root, 'test.h5'), arraysOf(3));
  const whole = { ...request, width: 128, height: 96 };
  const loaded = await redwood.load(root, whole);
  t.match(loaded.name, /\(arrays\), 6 train \+ 3 validation \+ 3 test/);
  t.match(loaded.remarks, [/cut by picture/]);
  t.match(Object.keys(loaded.checksums).sort(), ['test.h5', 'train.h5']);
  const scene = await loaded.cohorts.train.read(2);
  const original = Array.from({ length: 10 }, (_, i) => objectScene('arrays', i, i % 3)).find(
    ({ depth, label }) => label === scene.label && Buffer.from(depth.buffer).equals(Buffer.from(scene.depth.buffer)),
  );
  t.ok(original && Buffer.from(scene.color).equals(Buffer.from(original.color)), 'the same scene as was written');
  const most = await redwood.load(root, { ...whole, counts: { train: 99, validation: 9, test: 9 } });
  t.match(most.name, /9 train \+ 1 validation \+ 3 test/);
  const { status, stdout } = await run(['data', 'check', 'redwood', root], root);
  t.equal(status, 0, stdout);
  t.match(stdout, /pictures in train\.h5: 10[^]*no fault/);
});

t.test('broken arrays are one clear line', async (t) => {
  const folder = t.testdir();
  const { X, Y, classes } = arraysOf(2);
  const cases: [string, Arrays, RegExp][] = [
    ['lacking', { X, Y }, /train\.h5 has no array 'classes': expected X, Y, classes, got X, Y|train\.h5 has no array 'classes'/],
    ['other', { X, Y: [Y[0].subarray(0, 96 * 128), [1, 96, 128], '<i'], classes }, /do not belong together.*Y \(1, 96, 128\)/],
    ['fourth', { X, Y, classes: [Int32Array.of(0, 3), [2], '<i'] }, /classes\[1\]: no such class.*got 3/],
    ['floats', { X: [new Float32Array(X[0]), X[1], '<f'], Y, classes }, /X has elements of another type.*uint8/],
    ['empty', { X, Y: [Y[0].map((v, k) => (k < 96 * 128 ? v : 0)), Y[1], '<i'], classes }, /Y\[1\]: the depth map is empty/],
    ['below', { X, Y: [Y[0].map((v) => v - 5), Y[1], '<i'], classes }, /Y\[0\]: no depth in millimetres.*got -5/],
  ]; // prettier-ignore
  for (const [name, arrays, message] of cases) {
    const file = path.join(folder, name, 'redwood/train.h5');
    await putArrays(file, arrays);
    const { status, stdout } = await run(['data', 'check', 'redwood', name], folder);
    t.equal(status, 1, name);
    t.match(
      stdout.split('\n').find((line) => line.includes('first fault')),
      message,
      name,
    );
  }
  const whole = await readFile(path.join(folder, 'empty/redwood/train.h5'));
  await put(folder, 'cut/redwood/train.h5', whole.subarray(0, 4000));
  await put(folder, 'page/redwood/train.h5', '<!doctype html><html></html>');
  await t.rejects(redwood.load(path.join(folder, 'cut/redwood'), request), {
    name: 'DataError',
    message: /train\.h5: the HDF5 file is damaged/,
  });
  await t.rejects(redwood.load(path.join(folder, 'page/redwood'), request), {
    name: 'DataError',
    message: /train\.h5, byte 0: a web page, not an HDF5 file/,
  });
});

t.test('generated scenes are written and read as scans', async (t) => {
  const root = t.testdir();
  await writeObjectScenes(root, 2);
  const { scans } = await listScans(root);
  t.same(
    scans.map(({ name }) => name).sort(),
    objectClasses.flatMap((name) => [`${name}/00000`, `${name}/00001`]).sort(),
  );
  const loaded = await redwood.load(root, {
    width: 128,
    height: 96,
    counts: { train: 3, validation: 0, test: 3 },
    framesPerScan: 1,
  });
  const read = await loaded.cohorts.test.read(1);
  const made = [0, 1].map((index) => objectScene('scans', index, read.label));
  const same = made.find(({ depth }) => Buffer.from(depth.buffer).equals(Buffer.from(read.depth.buffer)));
  t.ok(same, 'depth to the bit');
  const error = read.color.reduce((sum, value, i) => sum + Math.abs(value - same!.color[i]!), 0) / read.color.length;
  t.ok(error > 0 && error < 4, `colours as JPEG keeps them: ${error} of 255 off`);
  const stand = await redwood.standIn(request);
  t.match(stand, { real: false, name: /^generated object scenes, 6 train \+ 3 validation \+ 3 test/ });
});

const sample = sharedData('data/redwood/open3d_sample_RGBD');
t.test('real pictures and depth maps', { skip: sample ? false : 'no ../shared/data/redwood' }, async (t) => {
  const root = path.join(t.testdir(), 'redwood');
  for (let i = 0; i < 5; i++) {
    const name = String(i).padStart(5, '0');
    for (const label of objectClasses) {
      const scan = path.join(root, label, `0000${i}`);
      await cp(path.join(sample!, 'color', `${name}.jpg`), path.join(scan, 'rgb', `${stamp(1, 0)}.jpg`));
      await cp(path.join(sample!, 'depth', `${name}.png`), path.join(scan, 'depth', `${stamp(1, 12_000)}.png`));
    }
  }
  const loaded = await redwood.load(root, {
    ...request,
    width: 128,
    height: 96,
    counts: { train: 9, validation: 3, test: 3 },
  });
  const { depth, color } = await loaded.cohorts.train.read(0);
  const measured = [...depth].filter((value) => value > 0);
  t.ok(measured.length > 0.8 * depth.length && measured.length < 0.95 * depth.length, 'a tenth is not measured');
  t.ok(Math.min(...measured) > 900 && Math.max(...measured) < 2800, 'millimetres');
  t.ok(new Set(color).size > 100);
  t.same(await redwood.inspect!(loaded), []);
});
