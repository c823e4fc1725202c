// Redwood 3DScan (Choi et al. 2016) as folders: `CLASS/SCAN/rgb/NNNNNNN-TTTTTTTTTTTT.jpg` and `.../depth/NNNNNNN-TTTTTTTTTTTT.png`,
// frame number and time stamp in microseconds. The two streams differ in length and are not synchronous: a frame's depth is the one
// nearest in time, never the one at the same place of the list. Cohorts are cut by scan. Leaves out the meshes.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { DataError, random } from '../../../engine/index.ts';
import { readDataFile } from '../files.ts';
import { readDepthPng } from '../formats/png.ts';
import { readPicture } from '../formats/picture.ts';
import { filesIn, foldersIn, type ListedFile, PassedOver } from '../listing.ts';
import {
  checkDepth,
  objectClasses,
  type ObjectScene,
  type SceneCohort,
  sceneCohorts,
  type SceneCounts,
} from '../object-scenes.ts';

/** Microseconds that a picture and its depth may lie apart. */
export const MOST_APART = 20_000;

interface Stamped extends ListedFile {
  /** Microseconds. */
  readonly time: number;
}

/** A picture and the depth map nearest in time. */
export interface ScanFrame {
  readonly name: string;
  readonly color: string;
  readonly depth: string;
  /** Microseconds from the picture to the depth map. */
  readonly apart: number;
}

export interface Scan {
  /** Class and number: `car/00003`. */
  readonly name: string;
  readonly label: number;
  /** In the order of time. */
  readonly frames: readonly ScanFrame[];
  /** Pictures and depth maps without a partner near enough. */
  readonly unpaired: number;
}

/** What a listing of scans has found. */
export interface ScanList {
  readonly scans: readonly Scan[];
  readonly passedOver: PassedOver;
}

const NAME = /^\d+-(\d+)$/;

/** The files of a stream by time. Names without a time stamp are passed over; throws DataError where no name has one. */
async function streamOf(folder: string, extensions: readonly string[], passedOver: PassedOver): Promise<Stamped[]> {
  const files = await filesIn(folder, extensions, passedOver);
  const stamped = files.flatMap((file) => {
    const time = NAME.exec(file.stem)?.[1];
    if (time === undefined) passedOver.add('extension', file.path);
    return time === undefined ? [] : [{ ...file, time: Number(time) }];
  });
  if (files.length > 0 && stamped.length === 0) {
    throw new DataError(`${files[0]!.path}: no time stamp in its name`, {
      expected: 'NNNNNNN-TTTTTTTTTTTT, frame number and microseconds',
      given: path.basename(files[0]!.path),
      hint: 'Pictures and depth maps are paired by time: take the names of the original archives',
    });
  }
  return stamped.sort((a, b) => a.time - b.time);
}

/** The index of the entry nearest in time. */
function nearestTo(time: number, stream: readonly Stamped[]): number {
  let [low, high] = [0, stream.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (stream[middle]!.time <= time) low = middle;
    else high = middle;
  }
  return Math.abs(stream[high]!.time - time) < Math.abs(stream[low]!.time - time) ? high : low;
}

/** Pairs of pictures and depth maps that are each other's nearest and at most MOST_APART away: indices of both. */
export function pairByTime(
  colors: readonly { readonly time: number }[],
  depths: readonly { readonly time: number }[],
): (readonly [color: number, depth: number])[] {
  if (colors.length === 0 || depths.length === 0) return [];
  const taken = new Map<number, number>();
  colors.forEach(({ time }, i) => {
    const nearest = nearestTo(time, depths as readonly Stamped[]);
    const apart = Math.abs(depths[nearest]!.time - time);
    if (apart > MOST_APART) return;
    const rival = taken.get(nearest);
    if (rival === undefined || apart < Math.abs(depths[nearest]!.time - colors[rival]!.time)) taken.set(nearest, i);
  });
  return [...taken].map(([depth, color]) => [color, depth] as const).sort((a, b) => a[0] - b[0]);
}

const milliseconds = (microseconds: number): string => `${(microseconds / 1000).toFixed(1)} ms`;

/** One scan. Throws DataError, in one line, where a stream is missing or nothing can be paired. */
async function readScan(folder: string, name: string, label: number, passedOver: PassedOver): Promise<Scan> {
  const colors = await streamOf(path.join(folder, 'rgb'), ['.jpg', '.jpeg', '.png'], passedOver);
  const depths = await streamOf(path.join(folder, 'depth'), ['.png'], passedOver);
  const pairs = pairByTime(colors, depths);
  if (pairs.length === 0) {
    const isMissing = colors.length === 0 || depths.length === 0;
    const apart = isMissing ? [] : colors.map(({ time }) => Math.abs(depths[nearestTo(time, depths)]!.time - time));
    throw new DataError(`${folder}: no picture has a depth map at most ${milliseconds(MOST_APART)} away`, {
      given: isMissing
        ? `${colors.length} pictures in rgb and ${depths.length} depth maps in depth`
        : `the nearest are ${milliseconds(Math.min(...apart))} apart`,
      hint: isMissing ? 'Unpack the whole scan' : 'One of the streams is shifted, or from another scan',
    });
  }
  const frames = pairs.map(([c, d]): ScanFrame => {
    const [color, depth] = [colors[c]!, depths[d]!];
    const apart = Math.abs(depth.time - color.time);
    return { name: `${name}/${color.stem}`, color: color.path, depth: depth.path, apart };
  });
  return { name, label, frames, unpaired: colors.length + depths.length - 2 * pairs.length };
}

const plain = (name: string): string => name.toLowerCase().replace(/[_-]+/g, ' ').trim();

/** Scans by folder with their classes: `CLASS/SCAN`, or `SCAN` with the data set's own categories.json. */
async function scanFolders(
  root: string,
  passedOver: PassedOver,
): Promise<{ folder: string; name: string; label: number }[]> {
  const names = await foldersIn(root, passedOver);
  const byClass = names.flatMap((name) => {
    const label = (objectClasses as readonly string[]).indexOf(plain(name));
    return label < 0 ? [] : [{ name, label }];
  });
  const found = [];
  for (const { name, label } of byClass) {
    for (const scan of await foldersIn(path.join(root, name), passedOver)) {
      found.push({ folder: path.join(root, name, scan), name: `${objectClasses[label]}/${scan}`, label });
    }
  }
  const categories = path.join(root, 'categories.json');
  if (found.length > 0 || !existsSync(categories)) return found;
  const classes = await readCategories(categories);
  const base = names.includes('rgbd') ? path.join(root, 'rgbd') : root;
  for (const scan of await foldersIn(base, passedOver)) {
    const label = classes.get(scan);
    if (label !== undefined)
      found.push({ folder: path.join(base, scan), name: `${objectClasses[label]}/${scan}`, label });
  }
  return found;
}

async function readCategories(file: string): Promise<Map<string, number>> {
  const bytes = await readDataFile(file);
  try {
    const all = z.record(z.string(), z.array(z.string())).parse(JSON.parse(bytes.toString('utf8')));
    return new Map(objectClasses.flatMap((name, label) => (all[name] ?? []).map((scan) => [scan, label] as const)));
  } catch (cause) {
    throw new DataError(`${file} is not the list of categories`, {
      expected: 'an object of class names, each with a list of scans',
      hint: "Take the file of the data set's own repository, isl-org/redwood-3dscan",
      cause,
    });
  }
}

/** Whether a folder holds scans. */
export const holdsScans = async (root: string): Promise<boolean> =>
  (await scanFolders(root, new PassedOver())).length > 0;

/** The scans below `root`, sorted by name. `most` of each class, if given. */
export async function listScans(root: string, most = Infinity): Promise<ScanList> {
  const passedOver = new PassedOver();
  const scans: Scan[] = [];
  const counts = objectClasses.map(() => 0);
  for (const { folder, name, label } of await scanFolders(root, passedOver)) {
    if (counts[label]!++ < most) scans.push(await readScan(folder, name, label, passedOver));
  }
  return { scans, passedOver };
}

/** `count` of a list, evenly spaced. */
function spread<T>(items: readonly T[], count: number): readonly T[] {
  if (items.length <= count) return items;
  return Array.from({ length: count }, (_, i) => items[Math.floor((i * items.length) / count)]!);
}

/** A frame with the class of its scan. */
export interface LabelledFrame extends ScanFrame {
  readonly label: number;
}

/** The order of the scans is the same for every seed of a run. */
const SPLIT_SEED = 0;

/**
 * Cuts scans into cohorts, each scan into one of them: the scans of a class in random order go to test, then to validation, until the
 * class has its share of the wanted frames there, and to training. Of fewer frames than wanted every cohort gets its part.
 */
export function splitScans(
  scans: readonly Scan[],
  counts: SceneCounts,
  framesPerScan: number,
): Record<SceneCohort, LabelledFrame[]> {
  const cohorts: Record<SceneCohort, LabelledFrame[]> = { train: [], validation: [], test: [] };
  const wanted = counts.train + counts.validation + counts.test;
  const classes = new Set(scans.map(({ label }) => label));
  for (const label of [...classes].sort((a, b) => a - b)) {
    const own = scans.filter((scan) => scan.label === label);
    const frames = own.map((scan) => spread(scan.frames, framesPerScan).map((frame) => ({ ...frame, label })));
    const available = frames.reduce((sum, each) => sum + each.length, 0);
    const share = Math.min(1 / classes.size, available / wanted);
    const order = random(SPLIT_SEED, 'split of the scans', label).permutation(own.length);
    let at = 0;
    for (const cohort of ['test', 'validation', 'train'] as const) {
      const enough = Math.round(counts[cohort] * share);
      const part: LabelledFrame[] = [];
      while (part.length < enough && at < order.length) part.push(...frames[order[at++]!]!);
      cohorts[cohort].push(...part.slice(0, enough));
    }
  }
  // Interleaved by class, so that the first pictures of a cohort show all of them.
  for (const cohort of sceneCohorts) {
    const turn = objectClasses.map(() => 0);
    const ranked = cohorts[cohort].map((frame) => ({ frame, rank: turn[frame.label]!++ }));
    cohorts[cohort] = ranked.sort((a, b) => a.rank - b.rank || a.frame.label - b.frame.label).map(({ frame }) => frame);
  }
  return cohorts;
}

/** Decodes a frame in its own size. Rejects with DataError for damaged files, an empty depth map, and sizes that differ. */
export async function readScanFrame({
  color: colorFile,
  depth: depthFile,
  label,
}: LabelledFrame): Promise<ObjectScene> {
  const [color, depth] = await Promise.all([readPicture(colorFile), readDepthPng(depthFile, 'millimetres')]);
  const { width, height } = color;
  if (width !== depth.width || height !== depth.height) {
    throw new DataError(`${depthFile}: the depth map has another size than its picture ${colorFile}`, {
      expected: `${width} x ${height}`,
      given: `${depth.width} x ${depth.height}`,
    });
  }
  checkDepth(depthFile, depth.data);
  return { width, height, color: color.data, depth: depth.data, label };
}
