// Unpacks tar.gz (POSIX ustar with GNU long names and pax paths): regular files and folders. Leaves out links and devices, and what
// file managers add (`._` companions, .DS_Store). No path gets outside of the folder.
import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createGunzip } from 'node:zlib';
import { DataError } from '../../../engine/index.ts';
import { contentOf } from '../../../engine/io/content.ts';
import { makeFolder } from '../../runner/files.ts';
import { beginningOf } from '../files.ts';
import { isStray } from '../listing.ts';

const BLOCK = 512;

/** Bytes of a stream in pieces of the asked length. */
class Pieces {
  readonly #source: AsyncIterator<Buffer>;
  #kept: Buffer[] = [];
  #length = 0;

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** The next `count` bytes, fewer at the end. */
  async take(count: number): Promise<Buffer> {
    while (this.#length < count) {
      const { value, done } = await this.#source.next();
      if (done) break;
      this.#kept.push(value);
      this.#length += value.length;
    }
    const all = Buffer.concat(this.#kept);
    const piece = all.subarray(0, count);
    this.#kept = [all.subarray(piece.length)];
    this.#length = all.length - piece.length;
    return piece;
  }
}

const text = (header: Buffer, at: number, length: number): string => {
  const field = header.subarray(at, at + length);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end < 0 ? length : end);
};

/** The value of `path` in a pax record: lines of `LENGTH KEY=VALUE`. */
const paxPath = (record: string): string | undefined => /(?:^|\n)\d+ path=([^\n]*)\n/.exec(record)?.[1];

/** `./` before a path is no hidden folder. */
const isStrayPart = (part: string): boolean => part !== '.' && part !== '..' && isStray(part);

/** Unpacks `archive` into `folder`. Returns the number of files. Throws DataError where it is damaged or ends too early. */
export async function unpackTarGz(archive: string, folder: string): Promise<number> {
  const source = createReadStream(archive);
  const gunzip = createGunzip();
  source.on('error', (error) => gunzip.destroy(error));
  const pieces = new Pieces(source.pipe(gunzip));
  let count = 0;
  let at = 0;
  let longName: string | undefined;
  const damage = (message: string, given?: string): DataError =>
    new DataError(`${archive}, unpacked byte ${at}: ${message}`, { given });
  const take = async (length: number): Promise<Buffer> => {
    const piece = await pieces.take(length);
    if (piece.length < length) throw damage('the archive ends too early', `${piece.length} of ${length} bytes`);
    at += length;
    return piece;
  };
  try {
    for (;;) {
      const header = await take(BLOCK);
      if (header.every((byte) => byte === 0)) return count;
      const sum = header.reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 32 : byte), 0);
      if (sum !== parseInt(text(header, 148, 8), 8)) throw damage('not a tar header');
      const size = parseInt(text(header, 124, 12), 8);
      if (!Number.isSafeInteger(size) || size < 0) throw damage('an entry without a size', text(header, 124, 12));
      const kind = String.fromCharCode(header[156]!);
      const content = (await take(Math.ceil(size / BLOCK) * BLOCK)).subarray(0, size);
      if (kind === 'L') longName = text(content, 0, size);
      else if (kind === 'x') longName = paxPath(content.toString('utf8')) ?? longName;
      else {
        const prefix = text(header, 257, 5) === 'ustar' ? text(header, 345, 155) : '';
        const name = longName ?? path.posix.join(prefix, text(header, 0, 100));
        longName = undefined;
        if ((kind !== '0' && kind !== '\0') || name.split('/').some(isStrayPart)) continue;
        const target = path.resolve(folder, name);
        if (!target.startsWith(path.resolve(folder) + path.sep)) throw damage('a path outside the folder', name);
        await makeFolder(path.dirname(target));
        await writeFile(target, content);
        count++;
      }
    }
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    const beginning = await beginningOf(archive);
    const isGzip = beginning?.[0] === 0x1f && beginning[1] === 0x8b;
    const content = beginning && !isGzip ? contentOf(beginning) : undefined;
    throw new DataError(`${archive} cannot be unpacked`, {
      expected: content && 'a tar.gz archive',
      given: content?.name ?? (cause as Error).message,
      hint: content?.hint,
      cause,
    });
  } finally {
    source.destroy();
  }
}
