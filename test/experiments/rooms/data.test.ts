// The data of the imbalanced-labels paper: NYUDv2 in one file and as a folder, Cityscapes as it is downloaded, upright and in any size, and
// which pictures keep both labels. Broken files are in broken.test.ts.
import { readFile, stat, symlink } from 'node:fs/promises';
import path from 'node:path';
import t, { type Test } from 'tap';
import { random } from '../../../engine/index.ts';
import { cityscapes, nyud, type RoomCohort, type RoomRequest, splitRooms, VOID } from '../../../experiments/index.ts';
import { readMat } from '../../../experiments/data/formats/mat.ts';
import { encodeNpy, readNpy } from '../../../experiments/data/formats/npy.ts';
import { encodeLabelPng, readDepthPng, readLabelPng } from '../../../experiments/data/formats/png.ts';
import { cityscapesClasses, readCamera } from '../../../experiments/data/sets/cityscapes-files.ts';
import {
  nyudClasses,
  nyudClassOfName,
  nyudPalette,
  nyudTrainNumbers,
} from '../../../experiments/data/sets/nyud-classes.ts';
import { sharedData } from '../../shared-data.ts';
import { testedOn } from '../../tested-on.ts';
import { run } from '../command.ts';
import { put } from '../data/files.ts';
import {
  cameraJson,
  colorAt,
  cornerPixels,
  corners,
  labelPng,
  matOf,
  metresAt,
  nameAt,
  newHdf5,
  nyudArrays,
  putAll,
  putHdf5,
  roomFiles,
  size,
  streetFiles,
} from './made-files.ts';

testedOn('host');

const { width, height } = size;
const pixels = Array.from({ length: width * height }, (_, k) => [k % width, Math.floor(k / width)] as const);
const request: RoomRequest = { ...size, counts: { train: 4, test: 2 }, kind: 'easy' };
const MAT = 'nyu_depth_v2_labeled.mat';

/** That a picture is upright and not mirrored: its corners first, then all of it. */
async function isUpright(t: Test, cohort: RoomCohort, index: number, n: number): Promise<void> {
  const image = await cohort.image(index);
  t.same(cornerPixels.map((k) => [...image.subarray(3 * k, 3 * k + 3)]), corners, 'each corner in its place'); // prettier-ignore
  t.same([...image], pixels.flatMap(([x, y]) => colorAt(n, x, y))); // prettier-ignore
  t.same([...(await cohort.depth(index))], pixels.map(([x, y]) => Math.fround(metresAt(n, x, y)))); // prettier-ignore
}

t.test('the labelled set of NYUDv2 is upright, split by its file, and has its kinds of rooms', async (t) => {
  const root = t.testdir();
  const rooms = ['kitchen', 'bedroom', 'kitchen', 'office', 'bathroom'];
  const places = rooms.map((room, i) => `${room}_000${i}`);
  await putHdf5(path.join(root, 'nyud', MAT), nyudArrays(5), rooms, places);
  for (const packed of [true, false]) {
    await put(root, 'nyud/splits.mat', matOf({ testNdxs: [2, 4], trainNdxs: [5, 1, 3] }, packed));
    const { cohorts, ...scenes } = await nyud.load(path.join(root, 'nyud'), request);
    t.same(cohorts.train.names, ['0005', '0001', '0003']);
    t.same(cohorts.test.names, ['0002', '0004']);
    t.same(cohorts.train.sceneTypes, ['bathroom', 'kitchen', 'kitchen']);
    t.same([cohorts.test.sceneTypes, cohorts.test.count], [['bedroom', 'office'], 2]);
    t.same(cohorts.train.scenes, ['bathroom_0004', 'kitchen_0000', 'kitchen_0002']);
    await isUpright(t, cohorts.train, 0, 4);
    await isUpright(t, cohorts.train, 1, 0);
    await isUpright(t, cohorts.test, 1, 3);
    const names = pixels.map(([x, y]) => nameAt(4, x, y));
    t.same([...(await cohorts.train.labels(0))], names.map((name) => nyudClassOfName[name])); // prettier-ignore
    t.match(scenes, { kind: 'nyud', real: true, void: 255, depthRange: 10, ...size });
    t.match(scenes.remarks, [/split by splits\.mat/, /holds 5 pictures, the published one 1449/]);
    t.match(scenes.checksums['splits.mat'], /^[0-9a-f]{64}$/);
  }
});

t.test('without its file the split is the published list, and MATLAB has a header of its own', async (t) => {
  const root = t.testdir();
  await putHdf5(path.join(root, 'plain.h5'), nyudArrays(5));
  const header = Buffer.alloc(512, ' ');
  header.write('MATLAB 7.3 MAT-file, Platform: GLNXA64');
  await put(root, MAT, Buffer.concat([header, await readFile(path.join(root, 'plain.h5'))]));
  const { cohorts, remarks } = await nyud.load(root, request);
  t.same([cohorts.train.names, cohorts.test.names], [['0003', '0004', '0005'], ['0001', '0002']]); // prettier-ignore
  t.equal(cohorts.train.sceneTypes, undefined);
  await isUpright(t, cohorts.train, 0, 2);
  t.match(remarks[0], /no splits\.mat, the official split from its published list/);
});

t.test('of a file larger than the bound one picture is read, and no more', async (t) => {
  const file = path.join(t.testdir(), MAT);
  const [count, frame] = [240, 3 * 640 * 480];
  const opened = await newHdf5(file);
  const noise = random(1, 'pictures').uniformArray(frame);
  const data = Uint8Array.from(noise, (value) => 256 * value);
  const sides = [640, 480];
  const images = opened.create_dataset({
    name: 'images',
    data,
    shape: [1, 3, ...sides],
    maxshape: [null, 3, ...sides],
    chunks: [1, 3, ...sides],
  });
  images.resize([count, 3, ...sides]);
  for (let n = 1; n < count; n++) images.write_slice([[n, n + 1], [], [], []], data.fill(n, 0, 1000));
  for (const [name, values] of [
    ['depths', new Float32Array(frame / 3).fill(2)],
    ['labels', new Uint16Array(frame / 3)],
  ] as const) {
    const plane = { name, data: values, shape: [1, ...sides], maxshape: [null, ...sides], chunks: [1, ...sides] };
    opened.create_dataset(plane).resize([count, ...sides]);
  }
  opened.close();
  const bound = 96e6;
  t.ok((await stat(file)).size > 2 * bound, 'the file is larger than the bound');
  const before = process.memoryUsage().rss;
  const whole = { ...request, width: 640, height: 480 };
  const { cohorts } = await nyud.load(path.dirname(file), whole);
  const image = await cohorts.test.image(0);
  t.equal(image.length, frame);
  t.equal(
    image[3 * 640],
    Math.floor(256 * noise[1]!),
    'the second row begins with the second value of the first column',
  );
  await cohorts.test.labels(0);
  await cohorts.test.depth(0);
  const grown = 1024 * process.resourceUsage().maxRSS - before;
  t.ok(grown < bound, `the peak grew by ${(grown / 1e6).toFixed(0)} MB`);
});

t.test("the folder of MTI-Net's authors, void written both ways", async (t) => {
  const root = t.testdir();
  await putAll(path.join(root, 'zero/nyud/NYUD_MT'), roomFiles(), { 'images/.DS_Store': 'x' });
  const zero = await nyud.load(path.join(root, 'zero/nyud'), request);
  t.same([zero.cohorts.train.names, zero.cohorts.test.names], [['0001', '0002', '0003'], ['0004']]); // prettier-ignore
  t.same([...(await zero.cohorts.train.labels(1))], pixels.map((_, k) => ((2 * k) % 41 || VOID + 1) - 1)); // prettier-ignore
  await isUpright(t, zero.cohorts.train, 1, 2);
  t.match(zero.remarks, [/0 is void, 1 to 40 are the classes \(the largest value of 0001\.png is 40\)/]);
  t.match(zero.passedOver!.describe(), /1 hidden .*\.DS_Store/);

  const from255 = Object.fromEntries(
    [1, 2, 3, 4].map((n) => [`segmentation/000${n}.png`, labelPng((k) => (k === 9 && n === 3 ? 255 : (k * n) % 40))]),
  );
  await putAll(path.join(root, 'high/nyud'), roomFiles(), from255);
  const high = await nyud.load(path.join(root, 'high/nyud'), request);
  t.same([...(await high.cohorts.train.labels(0))], pixels.map((_, k) => k % 40)); // prettier-ignore
  t.equal((await high.cohorts.train.labels(2))[9], VOID);
  t.match(high.remarks, [/255 is void, 0 to 39 are the classes \(0003\.png has a 255\)/]);

  const few = Object.fromEntries([1, 2, 3, 4].map((n) => [`segmentation/000${n}.png`, labelPng((k) => k % 5)]));
  await putAll(path.join(root, 'few/nyud'), roomFiles(), few);
  t.match((await nyud.load(path.join(root, 'few/nyud'), request)).remarks, [
    /0 is void.*no map has a 255, and none a 40/,
  ]);
});

t.test('Cityscapes: classes, and depth from disparity and camera', async (t) => {
  const root = t.testdir();
  await putAll(path.join(root, 'cityscapes'), streetFiles());
  const { cohorts, ...scenes } = await cityscapes.load(path.join(root, 'cityscapes'), request);
  t.same(cohorts.train.names, ['aachen/aachen_000000_000019', 'ulm/ulm_000001_000019']);
  t.same(cohorts.test.names, ['lindau/lindau_000002_000019']);
  t.match(scenes, { kind: 'cityscapes', depthRange: 200, passedOver: { count: 0 } });
  const image = await cohorts.test.image(0);
  t.same([...image], pixels.flatMap(([x, y]) => colorAt(2, x, y))); // prettier-ignore
  const trainIds: Record<number, number> = {
    7: 0, 8: 1, 11: 2, 12: 3, 13: 4, 17: 5, 19: 6, 20: 7, 21: 8, 22: 9, 23: 10, 24: 11, 25: 12, 26: 13, 27: 14, 28: 15, 31: 16,
    32: 17, 33: 18,
  }; // prettier-ignore
  t.same([...(await cohorts.train.labels(0))], pixels.map((_, k) => trainIds[k % 34] ?? VOID)); // prettier-ignore
  const depth = await cohorts.train.depth(1);
  for (const k of pixels.keys()) {
    const p = k % 7 === 0 ? 0 : 1000 * k + 1;
    const metres = p === 0 ? 0 : Math.min(200, (0.209313 * 2262.52) / ((p - 1) / 256));
    t.ok(Math.abs(depth[k]! - metres) <= 1e-6 * metres, `pixel ${k}: ${depth[k]} ${metres}`);
  }
  t.same(scenes.classes, cityscapesClasses.map(({ name }) => name)); // prettier-ignore
});

t.test('archives of Cityscapes that are unpacked into folders of their names', async (t) => {
  const root = t.testdir();
  const moved = Object.entries(streetFiles()).map(([name, content]) => {
    const [part] = name.split('/') as [string];
    return [part === 'gtFine' ? name : `${part}_trainvaltest/${name}`, content] as const;
  });
  await putAll(root, Object.fromEntries(moved));
  t.equal((await cityscapes.load(root, request)).cohorts.train.count, 2);
});

t.test('another size: depth is not scaled, and classes and depth get no new values', async (t) => {
  const root = t.testdir();
  await putAll(root, streetFiles());
  const half = { ...request, width: width / 2, height: height / 2 };
  const whole = (await cityscapes.load(root, request)).cohorts.train;
  const { cohorts } = await cityscapes.load(root, half);
  const expected = Array.from({ length: half.width * half.height }, (_, k) => {
    const [x, y] = [k % half.width, Math.floor(k / half.width)];
    return (2 * y + 1) * width + 2 * x + 1;
  });
  const [depth, labels] = [await whole.depth(0), await whole.labels(0)];
  t.same([...(await cohorts.train.depth(0))], expected.map((k) => depth[k])); // prettier-ignore
  t.same([...(await cohorts.train.labels(0))], expected.map((k) => labels[k])); // prettier-ignore
  t.equal((await cohorts.train.image(0)).length, 3 * half.width * half.height);
});

t.test('the official split and the classes of NYUDv2', (t) => {
  t.equal(nyudTrainNumbers.length, 795);
  t.same(
    [...nyudTrainNumbers],
    [...new Set(nyudTrainNumbers)].sort((a, b) => a - b),
    'each once, in order',
  );
  t.ok(nyudTrainNumbers[0]! >= 1 && nyudTrainNumbers.at(-1)! <= 1449);
  t.same(
    [nyudClasses.length, new Set(nyudClasses).size, nyudPalette.length, nyudClassOfName.length],
    [40, 40, 40, 895],
  );
  t.equal(nyudClassOfName[0], VOID);
  const counts = new Map<number, number>();
  for (const label of nyudClassOfName) counts.set(label, (counts.get(label) ?? 0) + 1);
  t.same([counts.get(37), counts.get(38), counts.get(39), counts.size], [68, 82, 707, 41]);
  t.end();
});

t.test('which pictures keep both labels', async (t) => {
  const counts = (train: number, test: number) => ({ train: { count: train }, test: { count: test } });
  const split = splitRooms(counts(795, 654), { labelled: 250, hidden: 250, validation: 295, validateOn: 'train' });
  const all = [...split.labelled, ...split.hidden, ...split.validation.indices];
  t.same([...all].sort((a, b) => a - b), Array.from({ length: 795 }, (_, i) => i), 'each picture once'); // prettier-ignore
  t.same([split.labelled.length, split.hidden.length, split.validation.cohort], [250, 250, 'train']);
  t.not(split.labelled.join(), [...split.labelled].sort((a, b) => a - b).join(), 'permuted');
  const again = splitRooms(counts(795, 654), { labelled: 500, hidden: 0, validation: 295, validateOn: 'train' });
  t.same(again.labelled, [...split.labelled, ...split.hidden], 'rows of a table share their pictures');
  t.same(again.validation, split.validation);
  const small = splitRooms(counts(2975, 500), { labelled: 200, hidden: 100, validation: 200, validateOn: 'test' });
  t.same(small.validation, { cohort: 'test', indices: Array.from({ length: 200 }, (_, i) => i) });
  const large = splitRooms(counts(2975, 500), { labelled: 2725, hidden: 250, validation: 500, validateOn: 'test' });
  t.same(large.labelled.slice(0, 300), [...small.labelled, ...small.hidden]);
  t.equal(new Set([...large.labelled, ...large.hidden]).size, 2975);
  for (const [wanted, message] of [
    [{ labelled: 300, hidden: 300, validation: 200, validateOn: 'train' }, /training cohort; expected 800, got 795/],
    [{ labelled: 300, hidden: 300, validation: 700, validateOn: 'test' }, /test cohort; expected 700, got 654/],
  ] as const) {
    t.throws(() => splitRooms(counts(795, 654), wanted), { name: 'ConfigError', message });
  }
  await Promise.resolve();
});

t.test('arrays of NumPy, as numpy.save writes them', async (t) => {
  const folder = t.testdir();
  const values = Float32Array.from({ length: 12 }, (_, i) => i / 3);
  for (const shape of [[12], [3, 4], [2, 3, 2]]) {
    const bytes = encodeNpy({ shape, values });
    t.equal((bytes.length - 48) % 64, 0, 'aligned');
    t.same(await readNpy(await put(folder, 'a.npy', bytes)), { shape, values });
  }
  const header = "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 1), }".padEnd(117);
  const long = Buffer.alloc(12);
  long.write('\x93NUMPY\x02\x00', 'latin1');
  long.writeUInt32LE(118, 8);
  const doubles = Buffer.concat([long, Buffer.from(`${header}\n`), Buffer.from(Float64Array.of(0.5, 7).buffer)]);
  t.same(await readNpy(await put(folder, 'b.npy', doubles)), { shape: [2, 1], values: Float32Array.of(0.5, 7) });
});

/** What the README of the tracked results says of the two real pictures: whether classes tell some of the depth. */
async function whatTheySay(t: Test, ...pictures: readonly RoomCohort[]): Promise<void> {
  const facts = await Promise.all(pictures.map(classDepths));
  const round = (value: number): number => Math.round(value * 100) / 100;
  t.same(facts.map(({ isVoid, isUnmeasured }) => [isVoid, isUnmeasured].map(round)), [[0.12, 0.34], [0.1, 0.37]]); // prettier-ignore
  t.same(
    facts.map(({ classes }) => classes.size),
    [7, 9],
    'classes with a measured depth',
  );
  t.equal([...facts[0]!.classes.keys()].filter((label) => facts[1]!.classes.has(label)).length, 5, 'in both');
  const rmse = ({ points }: ClassDepths, expected: (label: number) => number): number =>
    round(Math.sqrt(mean(points.map(([label, metres]) => (metres - expected(label)) ** 2))));
  const own = facts.map((one) => [rmse(one, () => one.mean), rmse(one, (label) => one.classes.get(label)!)]);
  t.same(own, [[1.02, 0.55], [0.79, 0.44]], 'round its mean, round the means of its classes'); // prettier-ignore
  const [first, second] = facts as [ClassDepths, ClassDepths];
  const across = ([[first, second], [second, first]] as const).map(([from, to]) => [
    rmse(to, () => from.mean),
    rmse(to, (label) => from.classes.get(label) ?? from.mean),
  ]); // prettier-ignore
  t.same(across, [[1.1, 0.82], [1.28, 0.93]], 'the same with the means of the other picture'); // prettier-ignore
}

/** Class and depth of the pixels of a picture that have both. */
interface ClassDepths {
  readonly points: readonly (readonly [label: number, metres: number])[];
  readonly mean: number;
  /** Mean depth of each class, metres. */
  readonly classes: ReadonlyMap<number, number>;
  /** Shares of all pixels. */
  readonly isVoid: number;
  readonly isUnmeasured: number;
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

async function classDepths(cohort: RoomCohort): Promise<ClassDepths> {
  const [labels, depth] = [await cohort.labels(0), await cohort.depth(0)];
  const all = Array.from(labels, (label, k) => [label, depth[k]!] as const);
  const points = all.filter(([label, metres]) => label !== VOID && metres > 0);
  const meanOf = (of: ClassDepths['points']): number => mean(of.map(([, metres]) => metres));
  const classes = new Set(points.map(([label]) => label));
  return {
    points,
    mean: meanOf(points),
    classes: new Map([...classes].map((one) => [one, meanOf(points.filter(([label]) => label === one))])),
    isVoid: mean(all.map(([label]) => Number(label === VOID))),
    isUnmeasured: mean(all.map(([, metres]) => Number(metres === 0))),
  };
}

const shared = sharedData('data/nyuv2');
t.test('real pictures of NYUDv2', { skip: shared ? false : 'no ../shared/data/nyuv2' }, async (t) => {
  const splits = await readMat(path.join(shared!, 'meta/splits.mat'));
  t.same([...splits.get('trainNdxs')!], [...nyudTrainNumbers], 'the official split is the published list');
  t.equal(splits.get('testNdxs')!.length, 654);
  const mapping = await readMat(path.join(shared!, 'meta/classMapping40.mat'));
  t.same([...mapping.get('mapClass')!].map((label) => label - 1), [...nyudClassOfName.subarray(1)], 'the official map'); // prettier-ignore

  // Two pictures have everything: made into the layout of MTI-Net's folder, class + 1, 255 to 0.
  const root = path.join(t.testdir(), 'nyud');
  const measured = new Map<string, number>();
  for (const name of ['000433', '000464']) {
    const depth = await readDepthPng(path.join(shared!, 'official_index/depth_5000_per_m', `${name}.png`), '1/5000 m');
    const labels = await readLabelPng(path.join(shared!, 'official_index/seg40', `${name}.png`));
    const values = Float32Array.from(depth.data, (value) => value / 5000);
    measured.set(name, values.filter((metres) => metres > 0).length / values.length);
    await put(root, `depth/${name}.npy`, encodeNpy({ shape: [480, 640], values }));
    const classes = labels.data.map((label) => (label === 255 ? 0 : label + 1));
    await put(root, `segmentation/${name}.png`, await encodeLabelPng({ ...labels, data: classes }));
    await put(root, `images/.keep`, '');
    await symlink(path.join(shared!, 'official_index/rgb', `${name}.png`), path.join(root, 'images', `${name}.png`));
  }
  await put(root, 'gt_sets/train.txt', '000433\n');
  await put(root, 'gt_sets/val.txt', '000464\n');
  const { cohorts, remarks } = await nyud.load(root, { ...request, width: 640, height: 480 });
  for (const cohort of [cohorts.train, cohorts.test]) {
    const [labels, depth] = [await cohort.labels(0), await cohort.depth(0)];
    const original = await readLabelPng(path.join(shared!, 'official_index/seg40', `${cohort.names[0]}.png`));
    t.same(labels, original.data);
    const share = depth.filter((metres) => metres > 0).length / depth.length;
    t.equal(share, measured.get(cohort.names[0]!));
    t.ok(
      share > 0.6 && share < 0.7 && depth.every((metres) => metres < 6),
      'a third is not measured, and nothing beyond 6 m',
    );
    t.equal((await cohort.image(0)).length, 3 * 640 * 480);
  }
  await whatTheySay(t, cohorts.train, cohorts.test);
  t.match(remarks, [/0 is void/]);
  const checked = await run(['data', 'check', 'nyud', path.dirname(root)], t.testdirName);
  t.equal(checked.status, 0, checked.stdout);
  t.match(checked.stdout, /training pictures: 1[^]*test pictures: 1[^]*pictures read whole: 2 of 2[^]*no fault/);
});

t.test('a camera with all that Cityscapes writes', async (t) => {
  t.same(await readCamera(await put(t.testdir(), 'camera.json', cameraJson)), { baseline: 0.209313, fx: 2262.52 });
});
