// Pictures as people have them, for prediction and data: JPEG, PNG, WebP and TIFF, in grey or colour, with or without alpha, of 8 or
// 16 bits, turned as their EXIF tag says. What cannot be shown as one 8-bit RGB picture without guessing is refused by name: floats,
// animations, files of several pages, and other formats.
import type { Metadata } from 'sharp';
import { DataError, WgradError } from '../../../engine/index.ts';
import { contentOf, foreignFile } from '../../../engine/io/content.ts';
import { readDataFile } from '../files.ts';
import { checkPng, type ColorImage, loadSharp } from './png.ts';

/** What is read, by the names that `contentOf` has for them. */
const formats = {
  'a JPEG picture': 'JPEG',
  'a PNG picture': 'PNG',
  'a WebP picture': 'WebP',
  'a TIFF picture': 'TIFF',
} as const;
const EXPECTED = 'a JPEG, PNG, WebP or TIFF picture';

/** Samples of a picture that have a place between black and white. */
const depths: readonly string[] = ['uchar', 'ushort'];

function refuseOthers(file: string, { depth, pages = 1 }: Metadata): void {
  if (pages > 1) {
    throw new DataError(`${file} holds ${pages} pictures`, {
      expected: 'one picture',
      hint: 'Save one frame or page as a file of its own',
    });
  }
  if (depth !== undefined && !depths.includes(depth)) {
    throw new DataError(`${file} is a picture of ${depth} samples`, {
      expected: '8 or 16 bits a channel, without a sign',
      hint: 'Where black and white lie is not known: convert it to 8 bits',
    });
  }
}

/** How a picture is read. */
export interface PictureOptions {
  /** The file has blue and red in each other's place, as programs write it that save OpenCV's pictures with other libraries. */
  readonly bgr?: boolean | undefined;
}

/**
 * Reads a picture as 8-bit RGB, the way it is meant to be looked at: turned by its EXIF tag, grey in all three channels, of 16 bits the
 * upper 8, alpha left out. Rejects with DataError, naming the file, for a damaged one and for what it does not read.
 */
export async function readPicture(file: string, { bgr = false }: PictureOptions = {}): Promise<ColorImage> {
  const bytes = await readDataFile(file);
  const name = contentOf(bytes)?.name;
  const format = name === undefined ? undefined : (formats as Readonly<Record<string, string>>)[name];
  if (format === undefined) throw foreignFile(file, bytes, EXPECTED);
  if (format === 'PNG') checkPng(bytes, file);
  try {
    const picture = (await loadSharp())(bytes, { failOn: 'truncated' });
    refuseOthers(file, await picture.metadata());
    const { data, info } = await picture
      .autoOrient()
      .toColourspace('srgb')
      .removeAlpha()
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    const { width, height, channels } = info;
    if (channels !== 3 || data.length !== 3 * width * height) {
      throw new DataError(`${file} does not come out as RGB`, {
        expected: `3 channels, ${3 * width * height} bytes`,
        given: `${channels} channel(s), ${data.length} bytes`,
      });
    }
    const color = new Uint8Array(data);
    if (bgr) for (let i = 0; i < color.length; i += 3) [color[i], color[i + 2]] = [color[i + 2]!, color[i]!];
    return { width, height, data: color };
  } catch (cause) {
    if (cause instanceof WgradError) throw cause;
    const given = (cause as Error).message.trim().replace(/\s+/g, ' ');
    throw new DataError(`${file}: the ${format} file is damaged or ends too early`, {
      given,
      hint: 'Get the file again',
      cause,
    });
  }
}
