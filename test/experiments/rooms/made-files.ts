// Small data sets of rooms and streets as files of every layout, each of which can be wrong in one place.
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { deflateSync } from 'node:zlib';
import type { Dataset, File } from 'h5wasm/node';
import { encodeNpy } from '../../../experiments/data/formats/npy.ts';
import { pngOf, put } from '../data/files.ts';

/** Pixels of the pictures, of which no two sides are alike. */
export const size = { width: 8, height: 6 } as const;
const { width, height } = size;
const pixels = width * height;

/** Colours of the corners of every picture: top left, top right, bottom left, bottom right. */
export const corners = [[250, 10, 20], [20, 240, 30], [10, 30, 230], [220, 220, 20]] as const; // prettier-ignore

/** Where the corners lie in a picture, row by row. */
export const cornerPixels = [0, width - 1, (height - 1) * width, pixels - 1] as const;

/** Red, green and blue of a pixel of picture `n`, counted from 0. */
export const colorAt = (n: number, x: number, y: number): readonly number[] => {
  const corner = cornerPixels.indexOf((y * width + x) as (typeof cornerPixels)[number]);
  return corner >= 0 ? corners[corner]! : [40 + 10 * x, 60 + 20 * y, 7 * n];
};
/** Number of an object's name, different at every pixel of a picture. */
export const nameAt = (n: number, x: number, y: number): number => (13 * (y * width + x) + n) % 895;
/** Metres. */
export const metresAt = (n: number, x: number, y: number): number => 1 + x / 4 + y / 16 + n;

/** An array of HDF5 by name: values, shape and h5wasm's name of the type. */
export type MadeArray = readonly [data: Uint8Array | Uint16Array | Float32Array, shape: number[], dtype: string];

/** The arrays of `count` pictures in MATLAB's order, as HDF5 has it: channels, columns, rows. */
export function nyudArrays(count: number): Record<'images' | 'depths' | 'labels', MadeArray> {
  const images = new Uint8Array(count * 3 * pixels);
  const depths = new Float32Array(count * pixels);
  const labels = new Uint16Array(count * pixels);
  for (let n = 0; n < count; n++) {
    for (let x = 0; x < width; x++) {
      for (let y = 0; y < height; y++) {
        const at = (n * width + x) * height + y;
        depths[at] = metresAt(n, x, y);
        labels[at] = nameAt(n, x, y);
        colorAt(n, x, y).forEach((value, c) => (images[((3 * n + c) * width + x) * height + y] = value));
      }
    }
  }
  return {
    images: [images, [count, 3, width, height], '<B'],
    depths: [depths, [count, width, height], '<f'],
    labels: [labels, [count, width, height], '<H'],
  };
}

/** Opens a new HDF5 file for writing. */
export async function newHdf5(file: string): Promise<File> {
  const library = await import('h5wasm/node');
  await library.ready;
  await mkdir(path.dirname(file), { recursive: true });
  return new library.File(file, 'w');
}

/** Writes arrays and, as MATLAB does cell arrays, lists of texts. */
export async function putHdf5(
  file: string,
  arrays: Readonly<Record<string, MadeArray>>,
  sceneTypes?: readonly string[],
  scenes?: readonly string[],
): Promise<void> {
  const opened = await newHdf5(file);
  for (const [name, [data, shape, dtype]] of Object.entries(arrays))
    opened.create_dataset({ name, data, shape, dtype });
  const lists = Object.entries({ sceneTypes, scenes }).filter((entry): entry is [string, string[]] => !!entry[1]);
  const cells = lists.length > 0 ? opened.create_group('#refs#') : undefined;
  for (const [list, texts] of lists) {
    const references = texts.map((text, i) => {
      const data = Uint16Array.from(text, (character) => character.charCodeAt(0));
      const name = `${list}${i}`;
      cells!.create_dataset({ name, data, shape: [text.length, 1] });
      return (cells!.get(name) as Dataset).create_reference();
    });
    opened.create_dataset({ name: list, data: references, shape: [1, references.length] });
  }
  opened.close();
}

const element = (type: number, content: Buffer): Buffer => {
  const tag = Buffer.alloc(8);
  tag.writeUInt32LE(type, 0);
  tag.writeUInt32LE(content.length, 4);
  return Buffer.concat([tag, content, Buffer.alloc(type === 15 ? 0 : (8 - (content.length % 8)) % 8)]);
};
const words = (...values: number[]): Buffer => Buffer.from(Int32Array.from(values).buffer);

/** A MAT file of MATLAB 5 with columns of doubles; `packed` as MATLAB 7 does it. */
export function matOf(columns: Readonly<Record<string, readonly number[]>>, packed: boolean): Buffer {
  const header = Buffer.alloc(128, ' ');
  header.write('MATLAB 5.0 MAT-file');
  header.writeUInt16LE(0x0100, 124);
  header.write('IM', 126);
  const arrays = Object.entries(columns).map(([name, values]) => {
    const parts = [
      element(6, words(6, 0)),
      element(5, words(values.length, 1)),
      element(1, Buffer.from(name)),
      element(9, Buffer.from(Float64Array.from(values).buffer)),
    ];
    const matrix = element(14, Buffer.concat(parts));
    return packed ? element(15, deflateSync(matrix)) : matrix;
  });
  return Buffer.concat([header, ...arrays]);
}

/** A grey PNG with a class for each pixel. */
export const labelPng = (value: (pixel: number) => number, sides: { width: number; height: number } = size): Buffer =>
  pngOf({
    ...sides,
    bits: 8,
    colors: 0,
    samples: Array.from({ length: sides.width * sides.height }, (_, k) => value(k)),
  });

/** Picture `n` as a PNG. */
export const colorPng = (n: number, sides: { width: number; height: number } = size): Buffer => {
  const samples = Array.from({ length: sides.width * sides.height }, (_, k) =>
    colorAt(n, k % sides.width, Math.floor(k / sides.width)),
  );
  return pngOf({ ...sides, bits: 8, colors: 2, samples: samples.flat() });
};

/** Metres of picture `n` as NumPy saves them. */
export const depthNpy = (n: number): Uint8Array =>
  encodeNpy({
    shape: [height, width],
    values: Float32Array.from({ length: pixels }, (_, k) => metresAt(n, k % width, Math.floor(k / width))),
  });

type Files = Readonly<Record<string, string | Uint8Array>>;

/** Three training pictures and one of the test, in the layout of NYUD_MT: 0 is void, and class 40 is there. */
export const roomFiles = (): Record<string, string | Uint8Array> => ({
  ...Object.fromEntries(
    [1, 2, 3, 4].flatMap((n): [string, string | Uint8Array][] => [
      [`images/000${n}.png`, colorPng(n)],
      [`segmentation/000${n}.png`, labelPng((k) => (k * n) % 41)],
      [`depth/000${n}.npy`, depthNpy(n)],
    ]),
  ),
  'gt_sets/train.txt': '0001\n0002\r\n0003\n\n',
  'gt_sets/val.txt': '0004',
});

/** A camera of Cityscapes, with what is not read. */
export const cameraJson = JSON.stringify({
  extrinsic: { baseline: 0.209313, pitch: 0.038, roll: 0, x: 1.7, y: 0.1, yaw: -0.019, z: 1.22 },
  intrinsic: { fx: 2262.52, fy: 2265.3, u0: 1096.98, v0: 513.137 },
});

/** A 16-bit map of disparities. */
export const disparityPng = (value: (pixel: number) => number): Buffer =>
  pngOf({ ...size, bits: 16, colors: 0, samples: Array.from({ length: pixels }, (_, k) => value(k)) });

/** Two training pictures of two cities and one of validation, as Cityscapes is unpacked. */
export function streetFiles(): Record<string, string | Uint8Array> {
  const files: Record<string, string | Uint8Array> = {};
  for (const [n, [split, city, stem]] of [
    ['train', 'aachen', 'aachen_000000_000019'],
    ['train', 'ulm', 'ulm_000001_000019'],
    ['val', 'lindau', 'lindau_000002_000019'],
  ].entries()) {
    const place = `${split}/${city}/${stem}`;
    files[`leftImg8bit/${place}_leftImg8bit.png`] = colorPng(n);
    files[`gtFine/${place}_gtFine_labelIds.png`] = labelPng((k) => k % 34);
    files[`gtFine/${place}_gtFine_color.png`] = colorPng(n);
    files[`gtFine/${place}_gtFine_polygons.json`] = '{}';
    files[`disparity/${place}_disparity.png`] = disparityPng((k) => (k % 7 === 0 ? 0 : 1000 * k + n));
    files[`camera/${place}_camera.json`] = cameraJson;
  }
  return files;
}

/** Writes files below a folder; `undefined` leaves one out. */
export async function putAll(
  folder: string,
  files: Files,
  changes: Readonly<Record<string, string | Uint8Array | undefined>> = {},
): Promise<void> {
  for (const [name, content] of Object.entries({ ...files, ...changes })) {
    if (content !== undefined) await put(folder, name, content);
  }
}
