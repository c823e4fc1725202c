// One download, resumed where an earlier one ended: bytes go to `TARGET.part`, each to its own place, so that a server which
// ignores the wish for the rest, or a second process at the same file, does no harm. The file gets its name when its SHA-256 is
// the published one. Leaves out which addresses to try.
import { constants } from 'node:fs';
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { DataError, WgradError } from '../../engine/index.ts';
import { contentOf } from '../../engine/io/content.ts';
import { sha256OfFile } from './files.ts';

/** Where the bytes lie until the download is whole. */
export const partialOf = (target: string): string => `${target}.part`;

const sizeOf = (file: string): Promise<number> =>
  stat(file).then(
    ({ size }) => size,
    () => 0,
  );

/** What a body is where its first bytes say that it is no data. */
function pageIn(chunk: Uint8Array): string | undefined {
  const name = contentOf(chunk)?.name;
  return name === 'a web page' || name === 'an XML document' || name === 'a Git LFS pointer' ? name : undefined;
}

/** The byte at which the body of a response begins. Throws DataError for a response that has no body of use. */
function startOf(url: string, response: Response, asked: number): number {
  if (response.status === 206) {
    const first = /^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '')?.[1];
    if (Number(first) === asked) return asked;
    throw new DataError(`${url} cannot be fetched`, {
      expected: `bytes from ${asked} on`,
      given: `bytes from ${first} on`,
    });
  }
  if (!response.ok || !response.body) {
    throw new DataError(`${url} cannot be fetched`, { given: `HTTP status ${response.status}` });
  }
  return 0;
}

async function receive(
  url: string,
  response: Response,
  file: FileHandle,
  start: number,
  touch: () => void,
): Promise<void> {
  let at = start;
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    touch();
    const page = at === 0 ? pageIn(chunk) : undefined;
    if (page) {
      throw new DataError(`${url} is not the published file`, { expected: 'data with its SHA-256', given: page });
    }
    await file.write(chunk, 0, chunk.length, at);
    at += chunk.length;
  }
  // An earlier, longer body may have been another file.
  await file.truncate(at);
  await file.sync();
}

/** One request. Throws DataError where it fails; what has arrived stays in the partial file. */
async function request(url: string, target: string, idleLimit: number): Promise<void> {
  const idle = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const touch = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => idle.abort(new Error(`no data for ${idleLimit / 1000} s`)), idleLimit);
  };
  try {
    touch();
    const asked = await sizeOf(partialOf(target));
    // Compressed on its way, a part of the file would be a part of something else.
    const headers = { 'accept-encoding': 'identity', ...(asked > 0 ? { range: `bytes=${asked}-` } : {}) };
    const response = await fetch(url, { signal: idle.signal, headers });
    // Nothing is left to send: the part is whole, or longer than the file.
    if (response.status === 416 && asked > 0) return;
    const start = startOf(url, response, asked);
    const file = await open(partialOf(target), constants.O_CREAT | constants.O_WRONLY);
    try {
      await receive(url, response, file, start, touch);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof WgradError) throw error;
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : (error as Error);
    throw new DataError(`${url} cannot be fetched`, { given: cause.message, cause: error });
  } finally {
    clearTimeout(timer);
    // A body that is not read to its end would hold its connection.
    idle.abort();
  }
}

/** Requests until the body is whole, as long as each brings the file further. */
async function requestAll(url: string, target: string, idleLimit: number): Promise<void> {
  for (let before = await sizeOf(partialOf(target)); ;) {
    try {
      return await request(url, target, idleLimit);
    } catch (error) {
      const now = await sizeOf(partialOf(target));
      if (now === 0) await rm(partialOf(target), { force: true });
      if (now <= before) throw error;
      before = now;
    }
  }
}

/**
 * Downloads one address to `target`, going on from what an earlier attempt has left. Throws DataError where the server refuses,
 * breaks off or sends something else. What has arrived is kept for the next attempt, unless it is found to be wrong.
 */
export async function download(url: string, target: string, sha256: string, idleLimit: number): Promise<void> {
  const partial = partialOf(target);
  for (;;) {
    const resumed = (await sizeOf(partial)) > 0;
    await requestAll(url, target, idleLimit);
    const found = await sha256OfFile(partial);
    if (found === sha256 || found === undefined) {
      // Where the part is gone, another process has been faster.
      return rename(partial, target).catch(async (error: unknown) => {
        if ((await sha256OfFile(target)) !== sha256) throw error;
      });
    }
    await rm(partial, { force: true });
    // The earlier part may have been of another file.
    if (resumed) continue;
    throw new DataError(`${url} is not the published file`, { expected: `SHA-256 ${sha256}`, given: found });
  }
}
