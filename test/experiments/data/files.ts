// Files for the tests of readers, made byte by byte, so that they can be wrong in one place.
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { crc32, deflateSync, gzipSync } from 'node:zlib';

/** Writes a file below a folder, making what lies between. Returns its path. */
export async function put(folder: string, name: string, content: string | Uint8Array): Promise<string> {
  const file = path.join(folder, name);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, content);
  return file;
}

/** A PNG chunk with its checksum. */
export function chunk(type: string, content: Uint8Array | readonly number[] = []): Buffer {
  const body = Buffer.concat([Buffer.from(type), Buffer.from(content)]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(content.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

export const PNG_SIGNATURE = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);

export interface PngParts {
  readonly width: number;
  readonly height: number;
  readonly bits: number;
  /** 0 grey, 2 RGB, 3 palette, 4 grey + alpha, 6 RGBA. */
  readonly colors: number;
  /** Samples of each row in the order of the file; those of 16 bits and of less than 8 are packed here. */
  readonly samples: ArrayLike<number>;
  /** Chunks before the pixels. */
  readonly extra?: readonly Buffer[];
}

const channelsOf: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/** The bytes of a PNG that is not interlaced. */
export function pngOf({ width, height, bits, colors, samples, extra = [] }: PngParts): Buffer {
  const perRow = width * channelsOf[colors]!;
  const rows = Array.from({ length: height }, (_, y) => {
    const row = Buffer.alloc(1 + Math.ceil((perRow * bits) / 8));
    for (let x = 0; x < perRow; x++) {
      const value = samples[y * perRow + x]!;
      if (bits === 16) row.writeUInt16BE(value, 1 + 2 * x);
      else row[1 + ((x * bits) >> 3)]! |= value << (8 - bits - ((x * bits) & 7));
    }
    return row;
  });
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = bits;
  header[9] = colors;
  const pixels = chunk('IDAT', deflateSync(Buffer.concat(rows)));
  return Buffer.concat([PNG_SIGNATURE, chunk('IHDR', header), ...extra, pixels, chunk('IEND')]);
}

/** IDX: a magic number and sizes, followed by `values`. */
export function idx(magic: number, sizes: readonly number[], values: Uint8Array): Buffer {
  const header = Buffer.alloc(4 + 4 * sizes.length);
  [magic, ...sizes].forEach((word, i) => header.writeUInt32BE(word, 4 * i));
  return Buffer.concat([header, values]);
}

/** The four files of a small MNIST by role; the images of training and test differ. */
export function smallMnist(count = 2): Record<string, Buffer> {
  const files: Record<string, Buffer> = {};
  for (const [part, grey] of [
    ['train', 51],
    ['t10k', 102],
  ] as const) {
    files[`${part}-images`] = idx(2051, [count, 28, 28], new Uint8Array(count * 784).fill(grey));
    files[`${part}-labels`] = idx(
      2049,
      [count],
      new Uint8Array(count).map((_, i) => (grey + i) % 10),
    );
  }
  return files;
}

/** Things that are given in place of data, with what they are to be called. */
export const foreign: Readonly<Record<string, { readonly bytes: Buffer; readonly called: RegExp }>> = {
  'a Git LFS pointer': {
    bytes: Buffer.from(`version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 132735\n`),
    called: /a Git LFS pointer.*git lfs pull/,
  },
  'a git-annex pointer': { bytes: Buffer.from('/annex/objects/SHA256E-s1--abc.png\n'), called: /a git-annex pointer/ },
  'a web page': { bytes: Buffer.from('\n<!doctype html>\n<html><body>Sign in</body></html>'), called: /a web page/ },
  'a page with a byte order mark': {
    bytes: Buffer.from('\ufeff<HTML><TITLE>403</TITLE></HTML>'),
    called: /a web page/,
  },
  'an error of a store': {
    bytes: Buffer.from('<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>'),
    called: /an XML document/,
  },
  'a zip archive': { bytes: Buffer.from('PK\x03\x04\x14\0\0\0\x08\0 and so on', 'latin1'), called: /a zip archive/ },
  'a 7z archive': { bytes: Buffer.from('7z\xbc\xaf\x27\x1c and so on', 'latin1'), called: /a 7z archive/ },
  'an AppleDouble file': { bytes: Buffer.from([0, 5, 22, 7, 0, 2, 0, 0, 77, 97, 99]), called: /an AppleDouble file/ },
  'nothing': { bytes: Buffer.alloc(0), called: /an empty file/ }, // prettier-ignore
  'zeros': { bytes: Buffer.alloc(4096), called: /nothing but zeros/ }, // prettier-ignore
  'text with gzip around it': { bytes: gzipSync('not a picture'), called: /a gzip file|wrong magic|not a picture/ },
};
