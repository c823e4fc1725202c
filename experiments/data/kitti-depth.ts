// KITTI depth prediction (Uhrig et al. 2017) in its official layout below DIR/kitti:
//   depth/{train,val}/DRIVE/proj_depth/groundtruth/image_0{2,3}/FRAME.png        depth maps
//   raw/DATE/DRIVE/image_0{2,3}/data/FRAME.png, or rgb/DRIVE/image_0{2,3}/...    the pictures they belong to
//   depth_selection/val_selection_cropped/{image,groundtruth_depth}/...          the 1000 validation images
// Leaves out the test set, whose depth is not public, and the sparse input of depth completion.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { DataError } from '../../engine/index.ts';
import { type ColorImage, type DepthImage, readColorPng, readDepthPng } from './png.ts';

export const kittiFolder = (data: string): string => path.join(data, 'kitti');

export interface FramePair {
  /** Name for messages: drive, camera and frame. */
  readonly name: string;
  readonly color: string;
  readonly depth: string;
}

export interface FrameList {
  /** Sorted by the path of the picture. */
  readonly pairs: readonly FramePair[];
  /** Depth maps whose picture is not there; they are left out. */
  readonly missing: readonly string[];
}

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

/** Sorted names in a folder; none if it is not there. */
async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Where a drive's pictures lie: its date is the start of its name. */
function pictureFolder(root: string, drive: string, camera: string): string {
  const plain = path.join(root, 'rgb', drive, camera, 'data');
  return existsSync(plain) ? plain : path.join(root, 'raw', drive.slice(0, 10), drive, camera, 'data');
}

const byPicture = (a: FramePair, b: FramePair): number => (a.color < b.color ? -1 : a.color > b.color ? 1 : 0);

/** The pairs of the official `train` or `val` split below `root` (DIR/kitti). */
export async function listDrives(root: string, split: 'train' | 'val'): Promise<FrameList> {
  const pairs: FramePair[] = [];
  const missing: string[] = [];
  const base = path.join(root, 'depth', split);
  for (const drive of await namesIn(base)) {
    for (const camera of cameras) {
      const folder = path.join(base, drive, 'proj_depth', 'groundtruth', camera);
      const pictures = pictureFolder(root, drive, camera);
      const there = new Set(await namesIn(pictures));
      for (const file of (await namesIn(folder)).filter((name) => name.endsWith('.png'))) {
        const name = `${drive}/${camera}/${file.slice(0, -4)}`;
        if (there.has(file)) pairs.push({ name, color: path.join(pictures, file), depth: path.join(folder, file) });
        else missing.push(name);
      }
    }
  }
  return { pairs: pairs.sort(byPicture), missing };
}

/** The pairs of `val_selection_cropped` below `root` (DIR/kitti). */
export async function listSelection(root: string): Promise<FrameList> {
  const base = path.join(root, 'depth_selection', 'val_selection_cropped');
  const pictures = new Set(await namesIn(path.join(base, 'image')));
  const pairs: FramePair[] = [];
  const missing: string[] = [];
  for (const file of await namesIn(path.join(base, 'groundtruth_depth'))) {
    const picture = file.replace('_groundtruth_depth_', '_image_');
    const pair = { color: path.join(base, 'image', picture), depth: path.join(base, 'groundtruth_depth', file) };
    if (pictures.has(picture)) pairs.push({ name: picture.slice(0, -4), ...pair });
    else missing.push(file);
  }
  return { pairs: pairs.sort(byPicture), missing };
}

/**
 * Decodes a pair. Throws DataError for damaged files, for sizes that differ, and for a depth map that has lost its upper
 * 8 bits. A map without any measurement is no error: its `valid` is 0.
 */
export async function readFrame({ color: colorFile, depth: depthFile }: FramePair): Promise<Frame> {
  const [color, depth] = await Promise.all([readColorPng(colorFile), readDepthPng(depthFile)]);
  const { width, height } = color;
  if (width !== depth.width || height !== depth.height) {
    throw new DataError(`${depthFile}: the depth map has another size than its picture ${colorFile}`, {
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
export const listChecksum = (list: FrameList): string =>
  createHash('sha256')
    .update(list.pairs.map(({ name }) => name).join('\n'))
    .digest('hex');
