// The record of Redwood's object scans (Choi et al. 2016) as DenseDepth takes them: three classes, as folders of scans or as the
// course's arrays, with generated scenes as its stand-in.
import { createHash } from 'node:crypto';
import path from 'node:path';
import { DataError } from '../../../engine/index.ts';
import { type DataCheck, type DataSet, firstFault, howToGet } from '../dataset.ts';
import { sha256OfFile } from '../files.ts';
import { PassedOver } from '../listing.ts';
import {
  CachedScenes,
  type LoadedScenes,
  objectClasses,
  type ObjectScene,
  resizeScene,
  type SceneCohort,
  sceneCohorts,
  type SceneRequest,
} from '../object-scenes.ts';
import { objectSceneFolder, writeObjectScenes } from '../synthetic/object-scene-files.ts';
import { arrayFiles, SceneArrays, splitArrays } from './redwood-arrays.ts';
import { holdsScans, listScans, MOST_APART, readScanFrame, type ScanList, splitScans } from './redwood-scans.ts';

/** Millimetres that the sensor does not reach: what lies beyond is in another unit. */
const FARTHEST = 20_000;
/** Share of the files without a partner above which a stream looks shifted. */
const MANY_UNPAIRED = 0.1;

/** Cohorts of whatever kind of place a scene is read from. */
function cohortsOf<Place>(
  places: Record<SceneCohort, Place[]>,
  read: (place: Place) => ObjectScene | Promise<ObjectScene>,
) {
  return Object.fromEntries(
    sceneCohorts.map((cohort) => {
      const own = places[cohort];
      return [cohort, new CachedScenes(own.length, (index) => read(own[index]!))];
    }),
  ) as unknown as LoadedScenes['cohorts'];
}

const countsOf = (places: Record<SceneCohort, readonly unknown[]>): string =>
  sceneCohorts.map((cohort) => `${places[cohort].length} ${cohort}`).join(' + ');

/** What is odd about a list of scans, and no fault. */
function unpairedRemarks({ scans }: Pick<ScanList, 'scans'>): string[] {
  const unpaired = scans.reduce((sum, scan) => sum + scan.unpaired, 0);
  const shifted = scans.filter(({ frames, unpaired }) => unpaired > MANY_UNPAIRED * (2 * frames.length + unpaired));
  return [
    ...(unpaired > 0
      ? [`${unpaired} pictures and depth maps without a partner within ${MOST_APART / 1000} ms left out`]
      : []),
    ...(shifted.length > 0
      ? [`${shifted.length} scans have lost more than a tenth of their files so (the first: ${shifted[0]!.name})`]
      : []),
  ];
}

/** A training needs pictures. */
function refuseNone(root: string, { train }: Record<SceneCohort, readonly unknown[]>, given: string): void {
  if (train.length > 0) return;
  throw new DataError(`there is nothing to train on of Redwood in '${root}'`, {
    given,
    hint: howToGet(redwood, 'DIR'),
  });
}

async function loadScans(root: string, list: ScanList, request: SceneRequest, title: string, real: boolean) {
  const places = splitScans(list.scans, request.counts, request.framesPerScan);
  refuseNone(root, places, `${list.scans.length} scans, of which each is in one cohort only`);
  const names = sceneCohorts.flatMap((cohort) => [cohort, ...places[cohort].map(({ name }) => name)]);
  return {
    name: `${title}, ${countsOf(places)}`,
    real,
    checksums: { frames: createHash('sha256').update(names.join('\n')).digest('hex') },
    passedOver: list.passedOver,
    cohorts: cohortsOf(places, async (frame) => resizeScene(await readScanFrame(frame), request)),
    remarks: unpairedRemarks(list),
  };
}

async function loadArrays(root: string, request: SceneRequest): Promise<LoadedScenes> {
  const passedOver = new PassedOver();
  const files = await arrayFiles(root, passedOver);
  const arrays = [];
  for (const file of files) arrays.push(await SceneArrays.open(file));
  const places = splitArrays(arrays, request.counts);
  refuseNone(root, places, files.length > 0 ? 'arrays of the test alone' : 'neither scans nor arrays');
  const checksums: Record<string, string> = {};
  for (const file of files) checksums[path.basename(file)] = (await sha256OfFile(file))!;
  return {
    name: `${redwood.title} (arrays), ${countsOf(places)}`,
    real: true,
    checksums,
    passedOver,
    cohorts: cohortsOf(places, ({ arrays: from, index }) => from.read(index, request)),
    remarks: ['the arrays name no scans: training and validation are cut by picture, and share scans'],
  };
}

const load = async (root: string, request: SceneRequest): Promise<LoadedScenes> =>
  (await holdsScans(root))
    ? loadScans(root, await listScans(root), request, redwood.title, true)
    : loadArrays(root, request);

async function standIn(request: SceneRequest): Promise<LoadedScenes> {
  const root = objectSceneFolder();
  const { train, validation, test } = request.counts;
  const perClass = Math.ceil((train + validation + test) / objectClasses.length);
  await writeObjectScenes(root, perClass);
  return loadScans(root, await listScans(root, perClass), request, redwood.standInName, false);
}

/** Depth maps of each cohort that are looked at before a training. */
const LOOKED_AT = 4;

class Doubts {
  #far = 0;
  #first = '';

  look(name: string, { depth }: ObjectScene): void {
    if (!depth.some((value) => value > FARTHEST)) return;
    if (this.#far++ === 0) this.#first = name;
  }

  lines(): string[] {
    if (this.#far === 0) return [];
    return [`${this.#far} depth maps reach beyond ${FARTHEST / 1000} m (the first: ${this.#first}): not millimetres?`];
  }
}

async function inspect({ cohorts, remarks }: LoadedScenes): Promise<string[]> {
  const doubts = new Doubts();
  for (const cohort of sceneCohorts) {
    const scenes = cohorts[cohort];
    for (let i = 0; i < Math.min(LOOKED_AT, scenes.count); i++) doubts.look(`${cohort} ${i}`, await scenes.read(i));
  }
  return [...remarks, ...doubts.lines()];
}

async function check(folder: string, progress: (done: number, total: number) => void): Promise<DataCheck> {
  const passedOver = new PassedOver();
  const counts: Record<string, string | number> = {};
  const doubts = new Doubts();
  const remarks: string[] = [];
  const readAll = async (total: number, read: (index: number) => Promise<[string, ObjectScene]>): Promise<void> => {
    for (let i = 0; i < total; i++) {
      doubts.look(...(await read(i)));
      counts['frames read whole'] = `${i + 1} of ${total}`;
      progress(i + 1, total);
    }
  };
  const fault = await firstFault(async () => {
    if (await holdsScans(folder)) {
      const list = await listScans(folder);
      passedOver.addAll(list.passedOver);
      remarks.push(...unpairedRemarks(list));
      for (const [label, name] of objectClasses.entries()) {
        const own = list.scans.filter((scan) => scan.label === label);
        counts[`scans of ${name}`] = own.length;
        counts[`frames of ${name}`] = own.reduce((sum, { frames }) => sum + frames.length, 0);
      }
      counts['files without a partner in time (left out)'] = list.scans.reduce(
        (sum, { unpaired }) => sum + unpaired,
        0,
      );
      const frames = list.scans.flatMap((scan) => scan.frames.map((frame) => ({ ...frame, label: scan.label })));
      await readAll(frames.length, async (i) => [frames[i]!.name, await readScanFrame(frames[i]!)]);
      return;
    }
    for (const file of await arrayFiles(folder, passedOver)) {
      const arrays = await SceneArrays.open(file);
      counts[`pictures in ${path.basename(file)}`] = arrays.count;
      await readAll(arrays.count, (i) => Promise.resolve([`${file} ${i}`, arrays.read(i, { width: 128, height: 96 })]));
    }
  });
  return { folder, counts, passedOver, doubts: [...remarks, ...doubts.lines()], fault };
}

/** Redwood's object scans: RGB-D videos of cars, trash containers and bicycles. */
export const redwood: DataSet<LoadedScenes, SceneRequest> = {
  name: 'redwood',
  title: 'Redwood 3DScan',
  content:
    'RGB-D videos of single objects (Choi et al. 2016): cars, trash containers and bicycles are the classes of DenseDepth.',
  licence: 'public domain',
  size: 'about 500 MB a scan; the paper has 42 of them',
  page: 'http://redwood-data.org/3dscan/',
  folder: 'redwood',
  layouts: [
    'DIR/redwood/CLASS/SCAN/{rgb/NNNNNNN-TTTTTTTTTTTT.jpg, depth/NNNNNNN-TTTTTTTTTTTT.png}   CLASS: car, trash container, bicycle',
    'DIR/redwood/SCAN/{rgb,depth}/... or DIR/redwood/rgbd/SCAN/... beside categories.json of isl-org/redwood-3dscan',
    'Names hold the number of the frame and its time in microseconds; depth is 16-bit grey, millimetres, 0 for none.',
    'A picture is paired with the depth map nearest in time, at most 20 ms away; what has no partner is left out and counted.',
    'DIR/redwood/*.h5   the arrays of the course: X uint8 (N, 96, 128, 3), Y millimetres (N, 96, 128), classes (N); `test` in the name',
  ],
  origins: [],
  files: {},
  byHand: [
    '1. The scans of a class are listed in categories.json of https://github.com/isl-org/redwood-3dscan.',
    '2. Download their archives as its README says, and unpack each into DIR/redwood/CLASS/SCAN.',
  ],
  standInName: 'generated object scenes',
  holds: async (folder) => (await holdsScans(folder)) || (await arrayFiles(folder, new PassedOver())).length > 0,
  load,
  standIn,
  inspect,
  check,
};
