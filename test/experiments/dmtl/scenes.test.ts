// NYU Depth V2 in dMTL: categories, the balanced subset and its split by rooms, batches, clusters on a map, and the tables on generated rooms
// and on the real samples of ../shared/data/nyuv2, which are written as the labelled set lies.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { createDevice, random, setDefaultDevice } from '../../../engine/index.ts';
import { readPicture } from '../../../experiments/data/formats/picture.ts';
import { readDepthPng } from '../../../experiments/data/formats/png.ts';
import { nyud } from '../../../experiments/data/sets/nyud.ts';
import { categoryOf, sceneCategories, sceneTypes } from '../../../experiments/data/sets/nyud-scenes.ts';
import { openRoomFolder } from '../../../experiments/data/sets/room-folder.ts';
import { resizeNearest, resizePicture } from '../../../experiments/data/resize.ts';
import { furnishedClasses, furnishedRoom } from '../../../experiments/data/synthetic/furnished-rooms.ts';
import { writeRooms } from '../../../experiments/data/synthetic/room-files.ts';
import { clusteringOf } from '../../../experiments/metrics/silhouette.ts';
import { dmtl } from '../../../experiments/papers/dmtl/paper.ts';
import { countScenes, picturesOf } from '../../../experiments/papers/dmtl/scene-histogram.ts';
import { tsne } from '../../../experiments/papers/dmtl/scene-map.ts';
import { overMeasured, SceneCohort } from '../../../experiments/papers/dmtl/scene-pictures.ts';
import { mapSettings, requestOf, sceneSettings } from '../../../experiments/papers/dmtl/scene-presets.ts';
import {
  labelled,
  type ScenePicture,
  scenePictures,
  splitScenes,
} from '../../../experiments/papers/dmtl/scene-split.ts';
import type { RunResult } from '../../../experiments/runner/paper.ts';
import { sharedData } from '../../shared-data.ts';
import { run, smokeOf } from '../command.ts';
import { put } from '../data/files.ts';
import { type MadeArray, putHdf5 } from '../rooms/made-files.ts';

const device = await createDevice('wasm', { threads: 1 });
setDefaultDevice(device);
t.teardown(() => device.dispose());

t.test('the kinds of rooms', (t) => {
  t.equal(sceneTypes.length, 27);
  t.equal(new Set(sceneTypes).size, 27);
  t.same([categoryOf('dinette', '1'), categoryOf('excercise_room', '1')], ['kitchen', 'living room']);
  t.throws(() => categoryOf('kitchn', '0007'), {
    name: 'DataError',
    message: /picture 0007: .*Did you mean 'kitchen'/,
  });
  t.throws(() => categoryOf('', '0007'), { name: 'DataError', message: /got no text/ });
  t.end();
});

/** As many rooms of each kind as given, of one to four pictures each. */
const picturesWith = (counts: Readonly<Record<string, number>>): ScenePicture[] =>
  Object.entries(counts).flatMap(([sceneType, rooms]) =>
    Array.from({ length: rooms }, (_, room) =>
      Array.from({ length: 1 + (room % 4) }, (_, index): ScenePicture => {
        const scene = `${sceneType}_${room}`;
        return { cohort: 'train', index, sceneType, category: categoryOf(sceneType, scene), scene };
      }),
    ).flat(),
  );

t.test('the balanced subset, and the split by rooms', (t) => {
  const all = picturesWith({ kitchen: 40, office_kitchen: 8, bedroom: 70, office: 30, bathroom: 40 });
  const two = labelled(all, 'kitchen');
  const kitchens = two.filter(({ label }) => label === 1);
  t.equal(kitchens.length, 120, 'all of them');
  t.equal(two.length, 240, 'and as many others');
  t.ok(new Set(two.filter(({ label }) => label === 0).map(({ category }) => category)).size === 3, 'of all kinds');
  t.same(labelled(all, 'kitchen'), two, 'the same each time');
  t.same([...new Set(labelled(all, 'seven').map(({ label }) => sceneCategories[label]))].sort(), ['bedroom', 'kitchen', 'office', 'washroom']); // prettier-ignore

  const split = splitScenes(two);
  const cohorts = Object.values(split);
  t.equal(cohorts.flat().length, two.length);
  const roomsOf = cohorts.map((cohort) => new Set(cohort.map(({ scene }) => scene)));
  t.equal(new Set(cohorts.flat().map(({ scene }) => scene)).size, roomsOf.reduce((sum, { size }) => sum + size, 0), 'no room is in two cohorts'); // prettier-ignore
  for (const [cohort, share] of [
    ['train', 0.6],
    ['validation', 0.2],
    ['test', 0.2],
  ] as const) {
    for (const label of [0, 1]) {
      const found = split[cohort].filter((picture) => picture.label === label).length / 120;
      t.ok(Math.abs(found - share) < 0.04, `${cohort}, label ${label}: ${found}`);
    }
  }
  const few = splitScenes(labelled(picturesWith({ kitchen: 3, bedroom: 9 }).filter(({ index }) => index === 0), 'kitchen')); // prettier-ignore
  t.same(Object.values(few).map((cohort) => cohort.map(({ label }) => label).sort()), [[0, 1], [0, 1], [0, 1]]); // prettier-ignore
  t.throws(() => splitScenes(labelled(picturesWith({ kitchen: 1, bedroom: 5 }), 'kitchen')), {
    name: 'ConfigError',
    message: /too few rooms for the .* cohort/,
  });
  t.end();
});

t.test('depth over what was measured', (t) => {
  const truth = Float32Array.of(0.5, 0, 0.25, 0);
  const predicted = [0.25, 9, 0.75, -9];
  const { depth, measured } = overMeasured(truth);
  const square = predicted.reduce((sum, value, i) => sum + (value * measured[i]! - depth[i]!) ** 2, 0) / 4;
  t.ok(Math.abs(square - (0.25 ** 2 + 0.5 ** 2) / 2) < 1e-6, `${square}`);
  t.end();
});

t.test('clusters', async (t) => {
  // Two pairs on a line: a = 1, b = 10 or 9 on the mean.
  const { silhouette, neighbours, neighboursByChance } = clusteringOf([[0], [1], [10], [11]], [0, 0, 1, 1]);
  const [outer, inner] = [(10.5 - 1) / 10.5, (9.5 - 1) / 9.5];
  t.ok(Math.abs(silhouette - (outer + inner) / 2) < 1e-12);
  t.equal(neighbours, 1);
  t.ok(Math.abs(neighboursByChance - 1 / 3) < 1e-12);
  const mixed = clusteringOf([[0], [1], [10], [11]], [0, 1, 0, 1]);
  t.ok(mixed.silhouette < 0);
  t.equal(mixed.neighbours, 0);
  t.equal(clusteringOf([[0], [1], [2]], [0, 1, 1]).silhouette, (0 + 0 + 0.5) / 3, 'alone in a group');
  t.throws(() => clusteringOf([[0], [1]], [3, 3]), RangeError);

  // Three clouds in ten dimensions, far from each other.
  const stream = random(1, 'clouds');
  const labels = Array.from({ length: 60 }, (_, i) => i % 3);
  const clouds = labels.map((label) => stream.normalArray(10).map((value, d) => value + (d === label ? 12 : 0)));
  const map = (seed: number): Promise<number[][]> => {
    const normal = random(seed, 'map');
    return tsne(clouds, { perplexity: 30, iterations: 200 }, () => normal.normal());
  };
  const places = await map(2);
  t.same([places.length, places[0]!.length], [60, 2]);
  const seen = clusteringOf(places, labels);
  t.ok(seen.silhouette > 0.5 && seen.neighbours > 0.95, `clusters that are there are seen: ${seen.silhouette}`);
  const shuffled = Array.from(random(3, 'labels').permutation(60), (i) => labels[i]!);
  t.ok(clusteringOf(places, shuffled).silhouette < 0.1, 'and others are not');
  t.same(await map(2), places, 'a function of its numbers');
  t.notSame(await map(4), places);
});

t.test('furnished rooms, as files with their kinds', async (t) => {
  const root = t.testdir();
  await writeRooms(root, 'furnished', { train: 8, test: 1 });
  const { cohorts } = await openRoomFolder(root, furnishedClasses.length);
  t.same([...new Set(cohorts.train.sceneTypes)].sort(), ['bathroom', 'bedroom', 'bookstore', 'classroom', 'kitchen', 'living_room', 'office']); // prettier-ignore
  t.equal(new Set([...cohorts.train.scenes!, ...cohorts.test.scenes!]).size, 9);
  t.same((await cohorts.train.depth(4)).data, furnishedRoom('train', 4).depth);
  const shown = new Set<number>();
  for (let i = 0; i < 24; i++) {
    const { labels, depth } = furnishedRoom('train', i);
    for (const label of labels) shown.add(label);
    t.ok(depth.every((metres) => metres > 0 && metres <= 10)); // prettier-ignore
  }
  t.equal(shown.size, furnishedClasses.length, 'every class is to be seen');
  const list = await readFile(path.join(root, 'scenes.txt'), 'utf8');
  await put(root, 'scenes.txt', list.replace(/^.* kitchen .*\n/, ''));
  await t.rejects(openRoomFolder(root, 15), { name: 'DataError', message: /no line for the picture train-00000/ });
  await put(root, 'scenes.txt', 'train-00000 kitchen\n');
  await t.rejects(openRoomFolder(root, 15), { name: 'DataError', message: /scenes\.txt, line 1: .*NAME KIND ROOM/ });
});

t.test('on the command line, with generated rooms', async (t) => {
  const args = smokeOf('dmtl/table4', '--only', 'test', '--out', 'out', '--jobs', '1');
  const { status, stdout, stderr } = await run(args, t.testdir());
  t.equal(status, 0, stderr);
  t.match(stderr, /preset smoke, seed 0, data: generated rooms \(furnished\).*, a stand-in/);
  t.match(stdout, /test +[\d.]+ \/ 0\.756 .* [\d.]+ \/ 0\.770/);
  t.match(stdout, /claim: multitask loss is above single task on the test pictures: too few seeds/);
});

const samples = sharedData('data/nyuv2');
/** What is to be seen on the samples, by number. */
const shownOn = {
  1: 'kitchen', 433: 'playroom', 464: 'living_room', 568: 'kitchen', 834: 'kitchen', 1039: 'bedroom', 1339: 'living_room', 1396: 'dining_room',
} as const; // prettier-ignore
/** Depth of a few of them. */
const measured = { 433: ['5000_per_m', 5000], 464: ['5000_per_m', 5000], 1339: ['mm', 1000] } as const;

t.test('on real samples', { skip: samples ? false : 'no ../shared/data' }, async (t) => {
  const root = t.testdir();
  const [width, height, numbers] = [80, 60, Object.keys(shownOn).map(Number)];
  const pixels = width * height;
  const images = new Uint8Array(numbers.length * 3 * pixels);
  // Where the samples have no depth, one pixel says a metre: a map without a measurement is refused.
  const depths = new Float32Array(numbers.length * pixels);
  for (const [n, number] of numbers.entries()) {
    const place = number === 834 ? 'official_index_crop_625x468' : 'official_index';
    const name = `${String(number).padStart(6, '0')}.png`;
    const picture = await resizePicture(await readPicture(path.join(samples!, place, 'rgb', name)), { width, height });
    depths[n * pixels] = 1;
    const known = measured[number as keyof typeof measured] as readonly [string, number] | undefined;
    const map = known && (await readDepthPng(path.join(samples!, place, `depth_${known[0]}`, name)));
    const metres = map && resizeNearest(Float32Array.from(map.data, (value) => value / known[1]), map.width, map.height, width, height); // prettier-ignore
    for (let x = 0; x < width; x++) {
      for (let y = 0; y < height; y++) {
        for (let c = 0; c < 3; c++) images[((3 * n + c) * width + x) * height + y] = picture[3 * (y * width + x) + c]!;
        if (metres) depths[(n * width + x) * height + y] = metres[y * width + x]!;
      }
    }
  }
  const arrays: Record<string, MadeArray> = {
    images: [images, [numbers.length, 3, width, height], '<B'],
    depths: [depths, [numbers.length, width, height], '<f'],
    labels: [new Uint16Array(numbers.length * pixels), [numbers.length, width, height], '<H'],
  };
  const kinds: string[] = Object.values(shownOn);
  const mat = path.join(root, 'nyud/nyu_depth_v2_labeled.mat');
  await putHdf5(mat, arrays, kinds, kinds.map((kind, i) => `${kind}_${i}`)); // prettier-ignore

  const size = 32;
  const data = await nyud.load(path.join(root, 'nyud'), requestOf(size, { train: 1, test: 1 }));
  const pictures = scenePictures(data);
  t.equal(pictures.length, numbers.length);
  t.match(countScenes(data).metrics, { pictures: 8, [picturesOf.category('kitchen')]: 3, [picturesOf.sceneType('playroom')]: 1 }); // prettier-ignore

  // Picture 433: a billiard table in a room of which the sensor has measured two thirds.
  const playroom = labelled(pictures, 'seven').filter(({ sceneType }) => sceneType === 'playroom');
  const { input, depth, label } = await new SceneCohort(data, playroom).batch([0]);
  t.same([...label], [sceneCategories.indexOf('living room')]);
  const found = depth.filter((value) => value > 0);
  t.ok(found.length / depth.length > 0.55 && found.length / depth.length < 0.75, `${found.length} of ${depth.length}`);
  t.ok(
    found.every((value) => value > 0.149 && value < 0.594),
    '1.50 to 5.93 m over 10 m',
  );
  t.ok(input.every((value) => value >= -1 && value <= 1));
  const mirrored = (await new SceneCohort(data, playroom, { share: 1, seed: 0 }).batch([0])).input;
  const columns = Array.from({ length: size }, (_, x) => size - 1 - x);
  t.same(columns.map((x) => mirrored[5 * size + x]), [...input.subarray(5 * size, 6 * size)]); // prettier-ignore

  t.match(await dmtl.dataFacts('smoke', root, 'nyud'), { real: true, name: /^NYUDv2/ });
  const made = (settings: Parameters<typeof dmtl.train>[0]['settings']): Promise<RunResult> =>
    dmtl.train({
      ...{ run: 'samples', seed: 0, preset: 'smoke', device, data: root, settings },
      resume: () => Promise.resolve(undefined),
      save: () => Promise.resolve(),
      keep: () => Promise.resolve(),
      progress: () => Promise.resolve(),
    });
  const plane = await made(mapSettings('smoke'));
  t.ok(Object.values(plane.metrics).every(Number.isFinite));
  t.match(plane.metrics, { pictures: 8, 'neighboursByChance, kitchens': (3 * 2 + 5 * 4) / (8 * 7) });
  t.match(plane.pictures, [{ images: [{ caption: /^kitchen orange, / }] }]);
  for (const strategy of ['singleTask', 'multitaskLoss'] as const) {
    const { metrics, pictures: shown } = await made(sceneSettings({ labels: 'kitchen', strategy }, 'smoke'));
    t.match(metrics, { 'train pictures': 2, 'validation pictures': 2, 'test pictures': 2 });
    t.ok(Object.values(metrics).every(Number.isFinite));
    t.equal('depthRmse' in metrics, strategy === 'multitaskLoss');
    t.equal(shown?.length, strategy === 'multitaskLoss' ? 1 : undefined);
  }

  await putHdf5(mat.replace(root, path.join(root, 'bare')), arrays, kinds);
  await t.rejects(dmtl.dataFacts('smoke', path.join(root, 'bare'), 'nyud'), {
    name: 'DataError',
    message: /without their kinds of rooms/,
  });
});
