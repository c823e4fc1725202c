// Pictures with classes and depth as files, in the layout of MTI-Net's NYUD_MT folder:
//   images/NAME.jpg             the pictures (PNG is as good)
//   segmentation/NAME.png       8 bits, a class for each pixel: 1 to C with 0 for void, or 0 to C - 1 with 255 for void
//   depth/NAME.npy              float32 metres, (H, W) or (H, W, 1), 0 for none
//   gt_sets/{train,val}.txt     the names of the cohorts, one a line
//   scenes.txt                  not of that folder, if it is there: NAME KIND ROOM of each picture, as in `0001 kitchen kitchen_0004`
// Generated rooms lie in the same layout. Leaves out edges and normals, which that folder has too.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { DataError } from '../../../engine/index.ts';
import { contentOf, foreignFile } from '../../../engine/io/content.ts';
import { readDataFile } from '../files.ts';
import { readNpy } from '../formats/npy.ts';
import { readPicture } from '../formats/picture.ts';
import { readLabelPng } from '../formats/png.ts';
import { filesIn, PassedOver } from '../listing.ts';
import { checkMetres, checkSize, classesOf, type RoomSource, type SourceCohort } from '../room-source.ts';
import { type RoomCohortName, roomCohorts, VOID } from '../rooms.ts';

/** The folders of the parts, and what their files end in. */
export const roomParts = {
  image: { folder: 'images', extensions: ['.jpg', '.jpeg', '.png'] },
  labels: { folder: 'segmentation', extensions: ['.png'] },
  depth: { folder: 'depth', extensions: ['.npy'] },
} as const;
type RoomPart = keyof typeof roomParts;

/** The lists of the cohorts. */
export const roomLists: Readonly<Record<RoomCohortName, string>> = {
  train: path.join('gt_sets', 'train.txt'),
  test: path.join('gt_sets', 'val.txt'),
};

async function readList(root: string, cohort: RoomCohortName): Promise<string[]> {
  const file = path.join(root, roomLists[cohort]);
  const bytes = await readDataFile(file, `It holds the names of the ${cohort} pictures, one a line`);
  if (contentOf(bytes)) throw foreignFile(file, bytes, 'a list of names');
  return bytes.toString('utf8').split(/\r?\n/).map((line) => line.trim()).filter((line) => line !== ''); // prettier-ignore
}

/** The lists of both cohorts. Rejects with DataError where one is missing or names a picture that the other one names too. */
async function readLists(root: string): Promise<Record<RoomCohortName, string[]>> {
  const lists = { train: await readList(root, 'train'), test: await readList(root, 'test') };
  const seen = new Set<string>();
  for (const cohort of roomCohorts) {
    for (const name of lists[cohort]) {
      if (seen.has(name)) {
        throw new DataError(`${path.join(root, roomLists[cohort])}: '${name}' is named twice`, {
          expected: 'each picture once, in one of the two lists',
        });
      }
      seen.add(name);
    }
  }
  return lists;
}

/** Which kind of room each picture shows, and which room. */
export const ROOM_SCENES = 'scenes.txt';

/** By the name of the picture; undefined where there is no such list. Rejects with DataError where a line is no such line. */
async function readScenes(
  root: string,
): Promise<((names: readonly string[]) => Pick<SourceCohort, 'sceneTypes' | 'scenes'>) | undefined> {
  const file = path.join(root, ROOM_SCENES);
  if (!existsSync(file)) return undefined;
  const known = new Map<string, readonly [kind: string, room: string]>();
  for (const [i, line] of (await readDataFile(file)).toString('utf8').split(/\r?\n/).entries()) {
    if (line.trim() === '') continue;
    const [name, kind, room, ...rest] = line.trim().split(/\s+/);
    if (room === undefined || rest.length > 0) {
      const given = line.slice(0, 80);
      throw new DataError(`${file}, line ${i + 1}: no picture's room`, { expected: 'NAME KIND ROOM', given });
    }
    known.set(name!, [kind!, room]);
  }
  return (names) => {
    const rooms = names.map((name) => {
      const found = known.get(name);
      if (found) return found;
      throw new DataError(`${file} has no line for the picture ${name}`, {
        expected: 'NAME KIND ROOM for each picture',
      });
    });
    return { sceneTypes: rooms.map(([kind]) => kind), scenes: rooms.map(([, room]) => room) };
  };
}

/** How void is written: the file that shows it, and the class of each value. */
interface VoidCode {
  readonly remark: string;
  readonly expected: string;
  readonly table: ReadonlyMap<number, number>;
}

/** Looks at maps of classes until one shows how void is written: only then is a 255 there, or a class as large as their number. */
async function voidCode(files: readonly string[], classes: number): Promise<VoidCode> {
  const zero = (why: string): VoidCode => ({
    remark: `segmentation: 0 is void, 1 to ${classes} are the classes (${why})`,
    expected: `0 for void, 1 to ${classes}`,
    table: new Map([[0, VOID], ...Array.from({ length: classes }, (_, i) => [i + 1, i] as const)]),
  });
  for (const file of files) {
    const { data } = await readLabelPng(file);
    const largest = data.reduce((most, value) => Math.max(most, value), 0);
    if (largest === classes) return zero(`the largest value of ${path.basename(file)} is ${largest}`);
    if (largest === VOID) {
      return {
        remark: `segmentation: ${VOID} is void, 0 to ${classes - 1} are the classes (${path.basename(file)} has a ${VOID})`,
        expected: `0 to ${classes - 1}, ${VOID} for void`,
        table: new Map([[VOID, VOID], ...Array.from({ length: classes }, (_, i) => [i, i] as const)]),
      };
    }
    if (largest > classes) {
      const { table, expected } = zero('');
      classesOf(file, data, table, `${expected}; or 0 to ${classes - 1} with ${VOID} for void`);
    }
  }
  return zero(`no map has a ${VOID}, and none a ${classes}: taken for MTI-Net's own files`);
}

/** The path of each part of a picture. */
type PartFiles = Readonly<Record<RoomPart, string>>;

async function listParts(root: string, passedOver: PassedOver): Promise<(name: string) => PartFiles> {
  const parts = new Map<RoomPart, Map<string, string>>();
  for (const [part, { folder, extensions }] of Object.entries(roomParts) as [
    RoomPart,
    (typeof roomParts)[RoomPart],
  ][]) {
    const files = await filesIn(path.join(root, folder), extensions, passedOver);
    parts.set(part, new Map(files.map((file) => [file.stem, file.path])));
  }
  return (name) => {
    const fileOf = (part: RoomPart): string => {
      const file = parts.get(part)!.get(name);
      if (file !== undefined) return file;
      const { folder, extensions } = roomParts[part];
      throw new DataError(`${path.join(root, folder, name)}${extensions[0]} is missing`, {
        expected: `a file for each name in ${Object.values(roomLists).join(' and ')}`,
        hint: 'Get the file, or take its name out of the list',
      });
    };
    return { image: fileOf('image'), labels: fileOf('labels'), depth: fileOf('depth') };
  };
}

/** Opens a folder of pictures with `classes` classes. Rejects with DataError where a list or a file of a picture is missing. */
export async function openRoomFolder(root: string, classes: number): Promise<RoomSource> {
  const lists = await readLists(root);
  const passedOver = new PassedOver();
  const filesOf = await listParts(root, passedOver);
  const files = { train: lists.train.map(filesOf), test: lists.test.map(filesOf) };
  const all = [...files.train, ...files.test];
  if (all.length === 0) {
    throw new DataError(`${path.join(root, roomLists.train)} names no pictures`, { expected: 'a name on each line' });
  }
  const first = all[0]!.image;
  const size = await readPicture(first);
  const code = await voidCode(
    all.map(({ labels }) => labels),
    classes,
  );
  const scenesOf = await readScenes(root);
  const cohort = (name: RoomCohortName): SourceCohort => ({
    names: lists[name],
    ...scenesOf?.(lists[name]),
    async image(index) {
      const file = files[name][index]!.image;
      const picture = await readPicture(file);
      checkSize(file, picture, first, size);
      return picture;
    },
    async labels(index) {
      const file = files[name][index]!.labels;
      const { width, height, data } = await readLabelPng(file);
      checkSize(file, { width, height }, first, size);
      return { width, height, data: classesOf(file, data, code.table, code.expected) };
    },
    async depth(index) {
      const file = files[name][index]!.depth;
      const { shape, values } = await readNpy(file);
      const [height = 0, width = 0, ...rest] = shape;
      if (shape.length < 2 || rest.some((axis) => axis !== 1)) {
        throw new DataError(`${file} is no depth map`, {
          expected: 'an array (H, W) or (H, W, 1)',
          given: `(${shape.join(', ')})`,
        });
      }
      checkSize(file, { width, height }, first, size);
      checkMetres(file, values);
      return { width, height, data: values };
    },
  });
  return { cohorts: { train: cohort('train'), test: cohort('test') }, passedOver, remarks: [code.remark] };
}
