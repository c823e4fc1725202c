// PNG pictures and depth maps of data sets, decoded in the thread pool of `sharp` so that training goes on meanwhile.
// Depth maps are 16-bit grey: metres = value / 256, 0 is no measurement (KITTI). Leaves out every other format. `sharp` brings
// a library of its own, so it is loaded where a picture is, and not where only a network's settings are asked for.
import { readFile } from 'node:fs/promises';
import { DataError } from '../../engine/index.ts';

export interface ColorImage {
  readonly width: number;
  readonly height: number;
  /** Red, green, blue of each pixel, row-major. */
  readonly data: Uint8Array;
}

export interface DepthImage {
  readonly width: number;
  readonly height: number;
  /** 256 units per metre, row-major; 0 where nothing was measured. */
  readonly data: Uint16Array;
}

/** Units of a depth map per metre. */
export const UNITS_PER_METRE = 256;
const LARGEST_UNIT = 65_535;

const SIGNATURE = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);
/** Signature, length and name of the first chunk, and the fields of IHDR that are read here. */
const HEADER_BYTES = 26;
const colorTypes: Readonly<Record<number, string>> = {
  0: 'grey',
  2: 'RGB',
  3: 'palette',
  4: 'grey + alpha',
  6: 'RGBA',
};

interface PngHeader {
  readonly bits: number;
  readonly colors: string;
}

function headerOf(bytes: Buffer, file: string): PngHeader {
  if (
    bytes.length < HEADER_BYTES ||
    !bytes.subarray(0, 8).equals(SIGNATURE) ||
    bytes.toString('latin1', 12, 16) !== 'IHDR'
  ) {
    throw new DataError(`${file}, byte 0: not a PNG file`, { given: `${bytes.length} bytes` });
  }
  return { bits: bytes[24]!, colors: colorTypes[bytes[25]!] ?? `colour type ${bytes[25]}` };
}

async function bytesOf(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new DataError(`${file} cannot be read`, { given: (cause as NodeJS.ErrnoException).code, cause });
  }
}

const damaged = (file: string, bytes: Buffer, cause: unknown): DataError =>
  new DataError(`${file}: the PNG file is damaged or ends too early`, {
    given: `${bytes.length} bytes (${(cause as Error).message.trim()})`,
    hint: 'Get the file again',
    cause,
  });

/** Reads an 8-bit picture; grey ones become RGB. Throws DataError for anything else, and for a damaged file. */
export async function readColorPng(file: string): Promise<ColorImage> {
  const bytes = await bytesOf(file);
  const { bits, colors } = headerOf(bytes, file);
  if (bits > 8) {
    throw new DataError(`${file}, byte 24: not a picture of 8 bits`, {
      expected: '8-bit RGB',
      given: `${bits}-bit ${colors}`,
    });
  }
  try {
    const image = (await loadSharp())(bytes, { failOn: 'truncated' }).removeAlpha().toColourspace('srgb').raw();
    const { data, info } = await image.toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, data };
  } catch (cause) {
    throw damaged(file, bytes, cause);
  }
}

const loadSharp = async () => (await import('sharp')).default;

/** Reads a depth map exactly. Throws DataError for a map of 8 bits or with colours, and for a damaged file. */
export async function readDepthPng(file: string): Promise<DepthImage> {
  const bytes = await bytesOf(file);
  const { bits, colors } = headerOf(bytes, file);
  if (bits !== 16 || colors !== 'grey') {
    throw new DataError(`${file}, byte 24: not a depth map`, {
      expected: '16-bit grey, metres times 256',
      given: `${bits}-bit ${colors}`,
      hint: bits === 8 ? 'It was saved by a program that keeps 8 bits of 16; take the original file' : undefined,
    });
  }
  try {
    const image = (await loadSharp())(bytes, { failOn: 'truncated' }).toColourspace('grey16').raw({ depth: 'ushort' });
    const { data, info } = await image.toBuffer({ resolveWithObject: true });
    const values = new Uint16Array(data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength));
    return { width: info.width, height: info.height, data: values };
  } catch (cause) {
    throw damaged(file, bytes, cause);
  }
}

/** Metres to units of a depth map: rounded, and from 1 to 65535, since 0 means no measurement. */
export const depthUnits = (metres: number): number =>
  Math.min(LARGEST_UNIT, Math.max(1, Math.round(UNITS_PER_METRE * metres)));

export async function encodeDepthPng({ width, height, data }: DepthImage): Promise<Buffer> {
  const sharp = await loadSharp();
  const image = sharp(data, { raw: { width, height, channels: 1 } });
  return image.toColourspace('grey16').png().toBuffer();
}

export async function encodeColorPng({ width, height, data }: ColorImage): Promise<Buffer> {
  const sharp = await loadSharp();
  return sharp(data, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
}
