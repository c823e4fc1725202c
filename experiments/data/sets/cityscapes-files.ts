// The files of Cityscapes (Cordts et al. 2016) as they are downloaded and unpacked, below the data set's folder:
//   leftImg8bit/{train,val}/CITY/STEM_leftImg8bit.png          the pictures
//   gtFine/{train,val}/CITY/STEM_gtFine_labelIds.png           the number of a label for each pixel
//   disparity/{train,val}/CITY/STEM_disparity.png              16 bits: 0 for none, else 256 times the disparity in pixels, plus 1
//   camera/{train,val}/CITY/STEM_camera.json                   baseline in metres and focal length in pixels
// Leaves out the test split, whose labels are not public, the right pictures and the coarse labels.
import path from 'node:path';
import { z } from 'zod';
import { DataError } from '../../../engine/index.ts';
import { contentOf, foreignFile } from '../../../engine/io/content.ts';
import { readDataFile } from '../files.ts';
import { readColorPng, readDepthPng, readLabelPng } from '../formats/png.ts';
import { filesIn, firstFolder, foldersIn, PassedOver } from '../listing.ts';
import {
  checkMetres,
  checkSize,
  classesOf,
  type DepthMap,
  type RoomSource,
  type SourceCohort,
} from '../room-source.ts';
import { type RoomCohortName, VOID } from '../rooms.ts';

/** The parts of the data set: the folder that its archive unpacks to, and what the names of its files end in. */
const parts = {
  image: { folder: 'leftImg8bit', ending: '_leftImg8bit.png' },
  labels: { folder: 'gtFine', ending: '_gtFine_labelIds.png' },
  disparity: { folder: 'disparity', ending: '_disparity.png' },
  camera: { folder: 'camera', ending: '_camera.json' },
} as const;
type Part = keyof typeof parts;

/** The official splits with public labels. */
const splits: Readonly<Record<RoomCohortName, string>> = { train: 'train', test: 'val' };

/** The 19 classes that count, in the order of the labels, with their numbers in the files and their colours. */
export const cityscapesClasses = [
  { name: 'road', id: 7, color: [128, 64, 128] },
  { name: 'sidewalk', id: 8, color: [244, 35, 232] },
  { name: 'building', id: 11, color: [70, 70, 70] },
  { name: 'wall', id: 12, color: [102, 102, 156] },
  { name: 'fence', id: 13, color: [190, 153, 153] },
  { name: 'pole', id: 17, color: [153, 153, 153] },
  { name: 'traffic light', id: 19, color: [250, 170, 30] },
  { name: 'traffic sign', id: 20, color: [220, 220, 0] },
  { name: 'vegetation', id: 21, color: [107, 142, 35] },
  { name: 'terrain', id: 22, color: [152, 251, 152] },
  { name: 'sky', id: 23, color: [70, 130, 180] },
  { name: 'person', id: 24, color: [220, 20, 60] },
  { name: 'rider', id: 25, color: [255, 0, 0] },
  { name: 'car', id: 26, color: [0, 0, 142] },
  { name: 'truck', id: 27, color: [0, 0, 70] },
  { name: 'bus', id: 28, color: [0, 60, 100] },
  { name: 'train', id: 31, color: [0, 80, 100] },
  { name: 'motorcycle', id: 32, color: [0, 0, 230] },
  { name: 'bicycle', id: 33, color: [119, 11, 32] },
] as const;

/** The largest number of a label. */
const LARGEST_ID = 33;
/** Numbers in a file to classes; those that count for nothing, and 255, are void. */
const classOfId: ReadonlyMap<number, number> = new Map([
  ...Array.from({ length: LARGEST_ID + 1 }, (_, id) => [id, VOID] as const),
  [VOID, VOID],
  ...cityscapesClasses.map(({ id }, label) => [id, label] as const),
]);

/** Metres at which depth is cut off. */
export const CITYSCAPES_RANGE = 200;
/** Units of a disparity for each pixel. */
const UNITS_PER_PIXEL = 256;

/** What depth needs of a camera. */
export interface StereoCamera {
  /** Metres between the two cameras. */
  readonly baseline: number;
  /** Focal length in pixels. */
  readonly fx: number;
}

const cameraSchema = z.object({
  extrinsic: z.object({ baseline: z.number().positive() }),
  intrinsic: z.object({ fx: z.number().positive() }),
});

/** Reads the file of a camera. Rejects with DataError, naming the file and what is wrong in it. */
export async function readCamera(file: string): Promise<StereoCamera> {
  const bytes = await readDataFile(file, 'It is in camera_trainvaltest.zip; depth cannot be computed without it');
  if (contentOf(bytes)) throw foreignFile(file, bytes, "a camera's JSON");
  try {
    const { extrinsic, intrinsic } = cameraSchema.parse(JSON.parse(bytes.toString('utf8')));
    return { baseline: extrinsic.baseline, fx: intrinsic.fx };
  } catch (cause) {
    const given = cause instanceof z.ZodError ? z.prettifyError(cause) : (cause as Error).message;
    throw new DataError(`${file} is not the file of a camera`, {
      expected: 'extrinsic.baseline in metres and intrinsic.fx in pixels, both above 0',
      given: given.replace(/\s+/g, ' '),
      cause,
    });
  }
}

/**
 * Metres of a map of disparities: baseline times focal length, divided by (p - 1) / 256; at most `CITYSCAPES_RANGE`. 0 where p is 0,
 * which means none, or 1, which is a disparity of 0.
 */
export function depthOfDisparity(disparity: Uint16Array, { baseline, fx }: StereoCamera): Float32Array {
  return Float32Array.from(disparity, (p) =>
    p > 1 ? Math.min(CITYSCAPES_RANGE, (baseline * fx * UNITS_PER_PIXEL) / (p - 1)) : 0,
  );
}

/** Where an archive's folder lies: where it is unpacked, or inside of a folder with the archive's name. */
const partFolder = (root: string, { folder }: (typeof parts)[Part]): Promise<string | undefined> =>
  firstFolder([folder, `${folder}_trainvaltest/${folder}`].map((place) => path.join(root, place)));

/** Whether a folder holds any part of the data set. */
export const holdsCityscapes = async (root: string): Promise<boolean> =>
  (await Promise.all([parts.image, parts.labels].map((part) => partFolder(root, part)))).some(
    (folder) => folder !== undefined,
  );

/** The path of each part of a picture. */
type PartFiles = Readonly<Record<Part, string>>;

/** The pictures of a split with their files. Rejects with DataError for the first that is missing. */
async function listSplit(
  root: string,
  split: string,
  passedOver: PassedOver,
): Promise<{ readonly names: string[]; readonly files: PartFiles[] }> {
  const places = Object.fromEntries(
    await Promise.all(
      Object.entries(parts).map(async ([part, facts]) => [
        part,
        path.join((await partFolder(root, facts)) ?? path.join(root, facts.folder), split),
      ]),
    ),
  ) as Record<Part, string>;
  const names: string[] = [];
  const files: PartFiles[] = [];
  for (const city of await foldersIn(places.image, passedOver)) {
    const found = {} as Record<Part, Map<string, string>>;
    for (const [part, { ending }] of Object.entries(parts) as [Part, (typeof parts)[Part]][]) {
      // Beside the numbers of labels lie their colours and polygons, which belong there.
      const beside = part === 'labels' ? new PassedOver() : passedOver;
      const listed = await filesIn(path.join(places[part], city), [ending.toLowerCase()], beside);
      found[part] = new Map(listed.map((file) => [file.stem, file.path]));
    }
    for (const [name, image] of found.image) {
      const partOf = (part: Part): string => {
        const file = found[part].get(name);
        if (file !== undefined) return file;
        throw new DataError(`${path.join(places[part], city, name)}${parts[part].ending} is missing`, {
          expected: `a file for each picture of ${places.image}`,
          hint: `It is in ${parts[part].folder}_trainvaltest.zip`,
        });
      };
      names.push(`${city}/${name}`);
      files.push({ image, labels: partOf('labels'), disparity: partOf('disparity'), camera: partOf('camera') });
    }
  }
  return { names, files };
}

/** Counts pixels with a disparity of 0, which has no depth. */
class FlatDisparities {
  readonly #counts = new Map<string, number>();

  look(file: string, disparity: Uint16Array): void {
    const count = disparity.reduce((sum, p) => sum + Number(p === 1), 0);
    if (count > 0) this.#counts.set(file, count);
  }

  lines(): string[] {
    const [first] = this.#counts;
    if (first === undefined) return [];
    const others = this.#counts.size > 1 ? `, and ${this.#counts.size - 1} other files` : '';
    return [`${first[0]}: ${first[1]} pixels have a disparity of 0 (a 1 in the file) and so no depth${others}`];
  }
}

/** Opens Cityscapes. Rejects with DataError where a split has no pictures, or one of them lacks a file. */
export async function openCityscapes(root: string): Promise<RoomSource> {
  const passedOver = new PassedOver();
  const flat = new FlatDisparities();
  let first: Promise<{ readonly file: string; readonly width: number; readonly height: number }> | undefined;
  const cohort = async (name: RoomCohortName): Promise<SourceCohort> => {
    const { names, files } = await listSplit(root, splits[name], passedOver);
    if (names.length === 0) {
      throw new DataError(`there are no pictures in ${path.join(root, parts.image.folder, splits[name])}`, {
        expected: `CITY/NAME${parts.image.ending}`,
        given: passedOver.describe(),
      });
    }
    const check = async (file: string, size: Pick<DepthMap, 'width' | 'height'>): Promise<void> => {
      first ??= readColorPng(files[0]!.image).then(({ width, height }) => ({ width, height, file: files[0]!.image }));
      const known = await first;
      checkSize(file, size, known.file, known);
    };
    return {
      names,
      async image(index) {
        const picture = await readColorPng(files[index]!.image);
        await check(files[index]!.image, picture);
        return picture;
      },
      async labels(index) {
        const file = files[index]!.labels;
        const map = await readLabelPng(file);
        await check(file, map);
        const expected = `0 to ${LARGEST_ID}, the numbers of Cityscapes' labels`;
        return { ...map, data: classesOf(file, map.data, classOfId, expected) };
      },
      async depth(index) {
        const { disparity: file, camera } = files[index]!;
        const stereo = await readCamera(camera);
        const map = await readDepthPng(file, '256 times the disparity in pixels, plus 1');
        await check(file, map);
        flat.look(file, map.data);
        const data = depthOfDisparity(map.data, stereo);
        checkMetres(file, data);
        return { width: map.width, height: map.height, data };
      },
    };
  };
  return {
    cohorts: { train: await cohort('train'), test: await cohort('test') },
    passedOver,
    remarks: [],
    doubts: () => flat.lines(),
  };
}
