// PNG pictures, depth maps and label maps of data sets, decoded in the thread pool of `sharp` so that training goes on meanwhile.
// The chunks are checked first, so that damage is named with its byte, and what a decoder gives is checked for channels, depth
// and length: decoders add alpha for a tRNS chunk, fill up what is missing, and pass over checksums. `sharp` brings a library
// of its own, so it is loaded where a picture is, and not where only a network's settings are asked for.
import { crc32 } from 'node:zlib';
import type { Sharp } from 'sharp';
import { DataError, WgradError } from '../../../engine/index.ts';
import { foreignFile } from '../../../engine/io/content.ts';
import { readDataFile } from '../files.ts';

/** A picture in colour, 8 bits a channel. */
export interface ColorImage {
  readonly width: number;
  readonly height: number;
  /** Red, green, blue of each pixel, row-major. */
  readonly data: Uint8Array;
}

/** A depth map as KITTI's PNGs hold it. */
export interface DepthImage {
  readonly width: number;
  readonly height: number;
  /** 256 units per metre, row-major; 0 where nothing was measured. */
  readonly data: Uint16Array;
}

/** A class for each pixel, row-major. */
export interface LabelImage {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** Units of a depth map per metre. */
export const UNITS_PER_METRE = 256;
/** The largest depth that a depth map holds, in its units: about 256 metres. */
export const LARGEST_UNIT = 65_535;

const SIGNATURE_BYTES = 8;
/** Length and name before a chunk's content, and the checksum after it. */
const [CHUNK_HEAD, CHUNK_TAIL] = [8, 4];
/** First byte of IHDR's content, and where depth and colours stand. */
const [SIZE_AT, BITS_AT, COLORS_AT] = [16, 24, 25];
const HEADER_BYTES = 33;
const colorTypes: Readonly<Record<number, string>> = {
  0: 'grey',
  2: 'RGB',
  3: 'palette',
  4: 'grey + alpha',
  6: 'RGBA',
};

/** What the header of a PNG file says. */
export interface PngHeader {
  readonly width: number;
  readonly height: number;
  /** Bits of a sample. */
  readonly bits: number;
  readonly colors: string;
}

const DAMAGED = 'the PNG file is damaged or ends too early';

const damaged = (file: string, byte: number, given: string, cause?: unknown): DataError =>
  new DataError(`${file}, byte ${byte}: ${DAMAGED}`, { given, hint: 'Get the file again', cause });

/** The header of a PNG file. Throws DataError, saying what it is instead, for anything else. */
function readPngHeader(bytes: Buffer, file: string): PngHeader {
  const isPng = bytes.length >= SIGNATURE_BYTES && bytes.toString('latin1', 0, SIGNATURE_BYTES) === '\x89PNG\r\n\x1a\n';
  if (!isPng) throw foreignFile(file, bytes, 'a PNG file');
  if (bytes.length < HEADER_BYTES) throw damaged(file, bytes.length, `${bytes.length} bytes`);
  if (bytes.toString('latin1', 12, 16) !== 'IHDR') throw damaged(file, SIGNATURE_BYTES, 'no header (IHDR)');
  const [width, height] = [bytes.readUInt32BE(SIZE_AT), bytes.readUInt32BE(SIZE_AT + 4)];
  if (width === 0 || height === 0) throw damaged(file, SIZE_AT, `a size of ${width} x ${height}`);
  return {
    width,
    height,
    bits: bytes[BITS_AT]!,
    colors: colorTypes[bytes[COLORS_AT]!] ?? `colour type ${bytes[COLORS_AT]}`,
  };
}

/**
 * Walks the chunks to the last one and returns where the pixels begin. Throws DataError at the byte where a chunk is cut off or
 * does not fit its checksum.
 */
function checkChunks(bytes: Buffer, file: string): number {
  let pixels: number | undefined;
  for (let at = SIGNATURE_BYTES; ;) {
    if (at + CHUNK_HEAD > bytes.length) throw damaged(file, bytes.length, `${bytes.length} bytes`);
    const name = bytes.toString('latin1', at + 4, at + CHUNK_HEAD);
    const end = at + CHUNK_HEAD + bytes.readUInt32BE(at);
    if (end + CHUNK_TAIL > bytes.length) throw damaged(file, bytes.length, `${bytes.length} bytes, inside ${name}`);
    if (crc32(bytes.subarray(at + 4, end)) !== bytes.readUInt32BE(end)) {
      throw damaged(file, at, `a checksum other than that of the ${name} chunk`);
    }
    if (name === 'IEND') {
      if (pixels === undefined) throw damaged(file, at, 'no pixels (IDAT)');
      return pixels;
    }
    if (name === 'IDAT') pixels ??= at;
    at = end + CHUNK_TAIL;
  }
}

/** The library that decodes and encodes pictures. */
export const loadSharp = async () => (await import('sharp')).default;

/** Looks at the header and the chunks of a PNG file. Throws DataError at the byte where it is damaged. */
export function checkPng(bytes: Buffer, file: string): void {
  readPngHeader(bytes, file);
  checkChunks(bytes, file);
}

interface Wanted {
  readonly channels: 1 | 3;
  readonly depth: 'uchar' | 'ushort';
  /** What is done to the picture before its samples are taken. */
  readonly transform: (image: Sharp) => Sharp;
}

/** The samples of a whole PNG file, of the wanted channels and depth or not at all. */
async function decode(bytes: Buffer, file: string, header: PngHeader, wanted: Wanted): Promise<Buffer> {
  const pixels = checkChunks(bytes, file);
  const { width, height } = header;
  const { channels, depth, transform } = wanted;
  try {
    // The checksums have been looked at; stricter levels refuse whole files for a remark on their colour profile.
    const image = transform(
      (await loadSharp())(bytes, { failOn: 'truncated', ignoreIcc: channels === 1 }).removeAlpha(),
    );
    const { data, info } = await image.raw({ depth }).toBuffer({ resolveWithObject: true });
    const length = width * height * channels * (depth === 'ushort' ? 2 : 1);
    if (info.width !== width || info.height !== height || info.channels !== channels || data.length !== length) {
      throw new DataError(`${file} decodes to something other than its header says`, {
        expected: `${width} x ${height}, ${channels} channel(s) of ${depth}, ${length} bytes`,
        given: `${info.width} x ${info.height}, ${info.channels} channel(s), ${data.length} bytes`,
      });
    }
    return data;
  } catch (cause) {
    if (cause instanceof WgradError) throw cause;
    throw damaged(file, pixels, (cause as Error).message.trim(), cause);
  }
}

/** Reads an 8-bit picture; grey ones become RGB, alpha is left out. Throws DataError for anything else, and for a damaged file. */
export async function readColorPng(file: string): Promise<ColorImage> {
  const bytes = await readDataFile(file);
  const header = readPngHeader(bytes, file);
  const { width, height, bits, colors } = header;
  if (bits > 8) {
    throw new DataError(`${file}, byte ${BITS_AT}: not an 8-bit picture`, {
      expected: '8-bit RGB',
      given: `${bits}-bit ${colors}`,
    });
  }
  const transform = (image: Sharp): Sharp => image.toColourspace('srgb');
  return { width, height, data: await decode(bytes, file, header, { channels: 3, depth: 'uchar', transform }) };
}

/**
 * Reads a depth map exactly; a value that is declared transparent stays what it is. Throws DataError for a map of 8 bits or with
 * colours or alpha, saying that `unit` was expected, and for a damaged file.
 */
export async function readDepthPng(file: string, unit = 'metres times 256'): Promise<DepthImage> {
  const bytes = await readDataFile(file);
  const header = readPngHeader(bytes, file);
  const { width, height, bits, colors } = header;
  if (bits !== 16 || colors !== 'grey') {
    throw new DataError(`${file}, byte ${BITS_AT}: not a depth map`, {
      expected: `16-bit grey, ${unit}`,
      given: `${bits}-bit ${colors}`,
      hint: bits === 8 ? 'It was saved by a program that keeps 8 bits of 16; take the original file' : undefined,
    });
  }
  const transform = (image: Sharp): Sharp => image.toColourspace('grey16');
  const data = await decode(bytes, file, header, { channels: 1, depth: 'ushort', transform });
  const values = new Uint16Array(data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength));
  return { width, height, data: values };
}

/**
 * Reads a map of classes as they are in the file: 8-bit grey, or the indices of an 8-bit palette. Throws DataError for anything
 * else, where a class would have to be guessed from a colour, and for a damaged file; `hint` says where a missing one comes from.
 */
export async function readLabelPng(file: string, hint?: string): Promise<LabelImage> {
  const bytes = await readDataFile(file, hint);
  const header = readPngHeader(bytes, file);
  const { width, height, bits, colors } = header;
  if (bits !== 8 || (colors !== 'grey' && colors !== 'palette')) {
    throw new DataError(`${file}, byte ${BITS_AT}: not a map of classes`, {
      expected: '8-bit grey or palette',
      given: `${bits}-bit ${colors}`,
      hint: 'Take the original file: a program that saves colours or fewer bits changes the classes',
    });
  }
  if (colors === 'grey') {
    const transform = (image: Sharp): Sharp => image.toColourspace('b-w');
    return { width, height, data: await decode(bytes, file, header, { channels: 1, depth: 'uchar', transform }) };
  }
  // libvips gives colours and no indices. It is asked all the same, since the other decoder fills up missing rows.
  await decode(bytes, file, header, { channels: 3, depth: 'uchar', transform: (image) => image.toColourspace('srgb') });
  const { decode: decodeIndices } = await import('fast-png');
  const { data, channels, depth } = decodeIndices(bytes);
  if (channels !== 1 || depth !== 8 || data.length !== width * height) {
    throw damaged(file, HEADER_BYTES, `${data.length} indices of ${depth} bits`);
  }
  return { width, height, data: Uint8Array.from(data) };
}

/** Metres to units of a depth map: rounded, and from 1 to 65535, since 0 means no measurement. */
export const depthUnits = (metres: number): number =>
  Math.min(LARGEST_UNIT, Math.max(1, Math.round(UNITS_PER_METRE * metres)));

/** Encodes a depth map as KITTI's 16-bit grey PNG. */
export async function encodeDepthPng({ width, height, data }: DepthImage): Promise<Uint8Array> {
  const sharp = await loadSharp();
  const image = sharp(data, { raw: { width, height, channels: 1 } });
  return image.toColourspace('grey16').png().toBuffer();
}

/** Encodes a map of classes as an 8-bit grey PNG. */
export async function encodeLabelPng({ width, height, data }: LabelImage): Promise<Uint8Array> {
  const sharp = await loadSharp();
  return sharp(data, { raw: { width, height, channels: 1 } })
    .toColourspace('b-w')
    .png()
    .toBuffer();
}

/** Encodes a picture as an 8-bit RGB PNG. */
export async function encodeColorPng({ width, height, data }: ColorImage): Promise<Uint8Array> {
  const sharp = await loadSharp();
  return sharp(data, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
}

/** Encodes a picture as JPEG without subsampled colours. */
export async function encodeJpeg({ width, height, data }: ColorImage): Promise<Uint8Array> {
  const sharp = await loadSharp();
  return sharp(data, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 95, chromaSubsampling: '4:4:4' })
    .toBuffer();
}
