// Reading a data set's files, and their SHA-256.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readFile, stat } from 'node:fs/promises';
import { DataError } from '../../engine/index.ts';

/** The content of a file. Throws DataError with the system's reason where it cannot be read. */
export async function readDataFile(file: string, hint?: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new DataError(`${file} cannot be read`, { given: (cause as NodeJS.ErrnoException).code, hint, cause });
  }
}

/** Bytes that are enough to tell what a file is. */
const BEGINNING = 512;

/** The first bytes of a file, or undefined where it cannot be read. */
export async function beginningOf(file: string): Promise<Buffer | undefined> {
  const handle = await open(file).catch(() => undefined);
  try {
    const read = await handle?.read(Buffer.alloc(BEGINNING), 0, BEGINNING, 0);
    return read?.buffer.subarray(0, read.bytesRead);
  } finally {
    await handle?.close();
  }
}

/** SHA-256 of a file in hexadecimal, or undefined where there is none. */
export async function sha256OfFile(file: string): Promise<string | undefined> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  return hash.digest('hex');
}

/** Files that are asked for their size at once. */
const AT_ONCE = 256;

async function bySize(files: readonly string[]): Promise<Map<number, string[]>> {
  const sizes = new Map<number, string[]>();
  for (let first = 0; first < files.length; first += AT_ONCE) {
    const some = files.slice(first, first + AT_ONCE);
    for (const [i, { size }] of (await Promise.all(some.map((file) => stat(file)))).entries()) {
      sizes.set(size, [...(sizes.get(size) ?? []), some[i]!]);
    }
  }
  return sizes;
}

/**
 * Refuses cohorts that share a file, under whatever name: a validation on what was trained on says nothing. Only files of equal
 * size are read. Throws DataError naming the first two.
 */
export async function refuseSharedFiles(
  data: string,
  first: { readonly name: string; readonly files: readonly string[] },
  second: { readonly name: string; readonly files: readonly string[] },
): Promise<void> {
  const ours = await bySize(first.files);
  const theirs = await bySize(second.files);
  for (const [size, files] of theirs) {
    const candidates = ours.get(size);
    if (!candidates) continue;
    const known = new Map<string | undefined, string>();
    for (const file of candidates) known.set(await sha256OfFile(file), file);
    for (const file of files) {
      const twin = known.get(await sha256OfFile(file));
      if (twin === undefined) continue;
      throw new DataError(`the ${first.name} and the ${second.name} of ${data} share a file`, {
        given: `${twin} and ${file}, which have the same SHA-256`,
        hint: 'Leave it out of one of them: a score on what was trained on says nothing',
      });
    }
  }
}
