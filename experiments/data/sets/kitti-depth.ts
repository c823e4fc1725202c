// KITTI depth prediction (Uhrig et al. 2017) in its official layout below DIR/kitti:
//   depth/{train,val}/DRIVE/proj_depth/groundtruth/image_0{2,3}/FRAME.png        depth maps
//   raw/DATE/DRIVE/image_0{2,3}/data/FRAME.png, or rgb/DRIVE/image_0{2,3}/...    the pictures they belong to
//   depth_selection/val_selection_cropped/{image,groundtruth_depth}/...          the 1000 validation images
// Leaves out the test set, whose depth is not public, and the sparse input of depth completion.
import { createHash } from 'node:crypto';
import path from 'node:path';
import { DataError } from '../../../engine/index.ts';
import { type ColorImage, type DepthImage, readColorPng, readDepthPng } from '../formats/png.ts';
import { filesIn, firstFolder, foldersIn, PassedOver } from '../listing.ts';

/** The files of a frame: a picture and its depth map. */
export interface FramePair {
  /** Name for messages: drive, camera and frame. */
  readonly name: string;
  readonly color: string;
  readonly depth: string;
}

/** What a listing of frames has found. */
export interface FrameList {
  /** Sorted by the path of the picture. */
  readonly pairs: readonly FramePair[];
  /** Depth maps whose picture is not there; they are left out. */
  readonly missing: readonly string[];
  /** What else lies in the folders. */
  readonly passedOver: PassedOver;
}

/** A picture with its depth map, both decoded. */
export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly color: ColorImage['data'];
  readonly depth: DepthImage['data'];
  /** Pixels with a measurement. */
  readonly valid: number;
}

/** A real map goes beyond 255 units, 1 m; one that was scaled down to 8 bits and saved with 16 does not. */
const LARGEST_OF_8_BITS = 255;

const cameras = ['image_02', 'image_03'] as const;

/** Where a drive's pictures lie: its date is the start of its name. */
async function pictureFolder(root: string, drive: string, camera: string): Promise<string> {
  const date = drive.slice(0, 10);
  const places = [
    ['rgb', drive],
    ['raw', date, drive],
    ['raw', drive],
    [date, drive],
  ].map((parts) => path.join(root, ...parts, camera, 'data'));
  return (await firstFolder(places)) ?? places[1]!;
}

/** Where the drives of a split lie: in the place the archive is to be unpacked to, or where it is unpacked without thinking. */
const drivesFolder = (root: string, split: string): Promise<string | undefined> =>
  firstFolder(
    ['depth', 'data_depth_annotated', path.join('depth', 'data_depth_annotated'), '.'].map((place) =>
      path.join(root, place, split),
    ),
  );

const selectionFolder = (root: string): Promise<string | undefined> =>
  firstFolder(
    ['depth_selection', '.', path.join('depth', 'depth_selection'), 'depth'].map((place) =>
      path.join(root, place, 'val_selection_cropped'),
    ),
  );

/** Whether a folder holds any part of the data set. */
export async function holdsKitti(root: string): Promise<boolean> {
  const parts = await Promise.all([drivesFolder(root, 'train'), drivesFolder(root, 'val'), selectionFolder(root)]);
  return parts.some((part) => part !== undefined);
}

const byPicture = (a: FramePair, b: FramePair): number => (a.color < b.color ? -1 : a.color > b.color ? 1 : 0);

const EXTENSIONS = ['.png'] as const;

/** The pairs of the official `train` or `val` split below `root` (DIR/kitti). */
export async function listDrives(root: string, split: 'train' | 'val'): Promise<FrameList> {
  const pairs: FramePair[] = [];
  const missing: string[] = [];
  const passedOver = new PassedOver();
  const base = await drivesFolder(root, split);
  for (const drive of base ? await foldersIn(base, passedOver) : []) {
    let frames = 0;
    for (const camera of cameras) {
      const folder = path.join(base!, drive, 'proj_depth', 'groundtruth', camera);
      const maps = await filesIn(folder, EXTENSIONS, passedOver);
      const files = await filesIn(await pictureFolder(root, drive, camera), EXTENSIONS, passedOver);
      const pictures = new Map(files.map(({ stem, path: file }) => [stem, file]));
      for (const { stem, path: depth } of maps) {
        const name = `${drive}/${camera}/${stem}`;
        const color = pictures.get(stem);
        if (color === undefined) missing.push(name);
        else pairs.push({ name, color, depth });
      }
      frames += maps.length;
    }
    if (frames === 0) passedOver.add('empty', path.join(base!, drive));
  }
  return { pairs: pairs.sort(byPicture), missing, passedOver };
}

/** The pairs of `val_selection_cropped` below `root` (DIR/kitti). */
export async function listSelection(root: string): Promise<FrameList> {
  const pairs: FramePair[] = [];
  const missing: string[] = [];
  const passedOver = new PassedOver();
  const base = await selectionFolder(root);
  if (base === undefined) return { pairs, missing, passedOver };
  const files = await filesIn(path.join(base, 'image'), EXTENSIONS, passedOver);
  const pictures = new Map(files.map(({ stem, path: file }) => [stem, file]));
  for (const { stem, path: depth } of await filesIn(path.join(base, 'groundtruth_depth'), EXTENSIONS, passedOver)) {
    const name = stem.replace('_groundtruth_depth_', '_image_');
    const color = pictures.get(name);
    if (color === undefined) missing.push(path.basename(depth));
    else pairs.push({ name, color, depth });
  }
  return { pairs: pairs.sort(byPicture), missing, passedOver };
}

/**
 * Decodes a pair. Throws DataError for damaged files, for sizes that differ, and for a depth map that has lost its upper
 * 8 bits. A map without any measurement is not an error: its `valid` is 0.
 */
export async function readFrame({ color: colorFile, depth: depthFile }: FramePair): Promise<Frame> {
  const [color, depth] = await Promise.all([readColorPng(colorFile), readDepthPng(depthFile)]);
  const { width, height } = color;
  if (width !== depth.width || height !== depth.height) {
    throw new DataError(`${depthFile}: the size of the depth map differs from that of its picture ${colorFile}`, {
      expected: `${width} x ${height}`,
      given: `${depth.width} x ${depth.height}`,
    });
  }
  let [valid, largest] = [0, 0];
  for (const value of depth.data) {
    if (value > 0) valid++;
    if (value > largest) largest = value;
  }
  if (valid > 0 && largest <= LARGEST_OF_8_BITS) {
    throw new DataError(`${depthFile}: no depth beyond 1 m`, {
      expected: 'metres times 256, in 16 bits',
      given: `values up to ${largest}`,
      hint: 'It was saved by a program that keeps 8 bits of 16; take the original file',
    });
  }
  return { width, height, color: color.data, depth: depth.data, valid };
}

/** SHA-256 over the names of a list's frames: 180 GB of files are not read for a checksum. */
export const listChecksum = (list: Pick<FrameList, 'pairs'>): string =>
  createHash('sha256')
    .update(list.pairs.map(({ name }) => name).join('\n'))
    .digest('hex');
