// IDX, the file format of MNIST: a big-endian magic number, one 32-bit size per axis, then bytes. Read plain or from gzip.
// Leaves out element types other than uint8.
import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { DataError } from '../../../engine/index.ts';
import { contentOf, foreignFile } from '../../../engine/io/content.ts';
import { readDataFile } from '../files.ts';

/** What an IDX file of bytes holds. */
export interface IdxArray {
  /** Sizes of the axes, the first one counting the items. */
  readonly shape: readonly number[];
  readonly values: Uint8Array;
  /** The whole file, unpacked. */
  readonly content: Uint8Array;
}

/** Type code of uint8 in the third byte of the magic number; the fourth byte is the number of axes. */
const UINT8 = 0x08;
const GZIP = [0x1f, 0x8b] as const;

const hint = 'Fetch the data with `wgrad data fetch mnist --to DIR` and pass `--data DIR`';

const damage = (file: string, byte: number, message: string, expected?: string, given?: string): DataError =>
  new DataError(`${file}, byte ${byte}: ${message}`, {
    expected,
    given,
    hint: 'Fetch it again with `wgrad data fetch mnist`',
  });

/** Inflates a gzip file. Throws DataError with the position in the compressed file where it is damaged or ends. */
export async function gunzipFile(file: string): Promise<Uint8Array> {
  const source = createReadStream(file, { highWaterMark: 1 << 14 });
  const gunzip = createGunzip();
  source.on('error', (error) => gunzip.destroy(error));
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of source.pipe(gunzip)) chunks.push(chunk as Buffer);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'EACCES' || code === 'EISDIR') {
      throw new DataError(`${file} cannot be read`, { given: code, hint, cause });
    }
    const ended = message === 'unexpected end of file';
    throw damage(file, gunzip.bytesWritten, ended ? 'the gzip file ends too early' : `not valid gzip (${message})`);
  } finally {
    source.destroy();
  }
  return Buffer.concat(chunks);
}

/**
 * Parses uncompressed IDX bytes with `axes` axes. Throws DataError, naming the byte of the uncompressed content, on a wrong
 * magic number, a header cut short, or a payload that is shorter or longer than the header says.
 */
export function parseIdx(content: Uint8Array, axes: number, file: string): IdxArray {
  const header = 4 + 4 * axes;
  const magic = (UINT8 << 8) | axes;
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  if (content.length >= 4 && view.getUint32(0) !== magic) {
    if (contentOf(content)) throw foreignFile(file, content, 'an IDX file');
    throw damage(file, 0, 'wrong magic number', String(magic), String(view.getUint32(0)));
  }
  if (content.length < header) {
    throw damage(file, content.length, 'the file ends inside the header', `${header} bytes`, String(content.length));
  }
  const shape = Array.from({ length: axes }, (_, axis) => view.getUint32(4 + 4 * axis));
  const size = shape.reduce((product, n) => product * n, 1);
  if (content.length !== header + size) {
    const at = Math.min(content.length, header + size);
    const fault = content.length < header + size ? 'the file ends inside the values' : 'bytes after the last value';
    throw damage(file, at, fault, `${header + size} bytes`, String(content.length));
  }
  return { shape, values: content.subarray(header), content };
}

/** Reads an IDX file with `axes` axes, gzipped or not: its first bytes tell, whatever its name. Throws DataError as `parseIdx`. */
export async function readIdx(file: string, axes: number): Promise<IdxArray> {
  const bytes = await readDataFile(file, hint);
  const isGzip = GZIP.every((byte, i) => bytes[i] === byte);
  if (isGzip) return parseIdx(await gunzipFile(file), axes, file);
  // A plain file under a gzip's name is as good; anything else there has not been fetched whole.
  if (bytes.length > 0) return parseIdx(bytes, axes, file);
  throw foreignFile(file, bytes, 'an IDX file');
}
