// Whole files in Node. Writing goes to a temporary name and then renames, so that a reader never sees half a file.
// Node's modules are loaded when first needed: browsers have none.
import { DataError, DeviceError, WriteError } from '../errors.ts';

/** Bytes that one call reads: the system's own limit is below 2 GiB. */
const READ_BYTES = 2 ** 30;

async function node() {
  if (typeof process !== 'object' || !process.versions?.node) {
    throw new DeviceError('there are no files here', {
      hint: 'In a browser use readStateDict and writeStateDict on bytes',
    });
  }
  const [fs, path, crypto] = await Promise.all([
    import('node:fs/promises'),
    import('node:path'),
    import('node:crypto'),
  ]);
  return { fs, path, crypto };
}

/** The content of a file. Throws DataError, with the reason, if it cannot be read. */
export async function readWhole(file: string): Promise<Uint8Array> {
  const { fs } = await node();
  try {
    const handle = await fs.open(file);
    try {
      const { size } = await handle.stat();
      // What has no size beforehand, such as a pipe, is read by Node, whose limit is 2 GiB.
      if (size === 0) return await handle.readFile();
      const content = new Uint8Array(size);
      let done = 0;
      for (let got = 1; got > 0 && done < size; done += got) {
        ({ bytesRead: got } = await handle.read(content, done, Math.min(READ_BYTES, size - done), done));
      }
      return content.subarray(0, done);
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw new DataError(`${file} cannot be read`, { given: (cause as Error).message, cause });
  }
}

/**
 * Makes a folder and those above it. Node's recursive mkdir never returns where a parent is there but takes no folders
 * (below /proc), so each is made by itself.
 */
export async function makeFolder(folder: string): Promise<void> {
  const { fs, path } = await node();
  const parent = path.dirname(path.resolve(folder));
  const isThere = await fs.access(parent).then(
    () => true,
    () => false,
  );
  if (!isThere) await makeFolder(parent);
  try {
    await fs.mkdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !(await fs.stat(folder)).isDirectory()) throw error;
  }
}

/** A file under way that nobody has written to for so long was left by a process that was ended by force. */
const STALE_MS = 60_000;

/** Removes what writes of `file`, or of files whose names go on from its name, have left when they were ended by force. */
export async function removeLeftovers(file: string): Promise<void> {
  const { fs, path } = await node();
  const folder = path.dirname(file);
  for (const name of await fs.readdir(folder)) {
    if (!name.startsWith(path.basename(file)) || !/\.[0-9a-f]{8}\.part$/.test(name)) continue;
    const left = path.join(folder, name);
    const found = await fs.stat(left).catch(() => undefined);
    if (found && Date.now() - found.mtimeMs > STALE_MS) await fs.rm(left, { force: true });
  }
}

/** What to do about a write that failed, by the system's code. */
const remedies: Readonly<Record<string, string>> = {
  ENOSPC: 'The disk is full: make room, or choose another folder',
  EDQUOT: 'The quota of disk space is used up: make room, or choose another folder',
  EFBIG: 'The file is larger than the system allows (see `ulimit -f`)',
  EROFS: 'The file system is read-only: choose another folder',
  EACCES: 'Choose a folder that you may write to',
  EPERM: 'Choose a folder that you may write to',
};

/** Files under way, to be removed when the process ends before their time. */
const partials = new Set<string>();

async function removePartialsAtExit(): Promise<void> {
  const { rmSync } = await import('node:fs');
  process.once('exit', () => partials.forEach((file) => rmSync(file, { force: true })));
}
let isWatchingExit = false;

/**
 * Writes `content` to `file` in one step, making its folder: whatever happens, the file is the old one or the new one. Devices
 * and pipes (`/dev/stdout`) are written to as they are. Throws WriteError with the reason.
 */
export async function writeWhole(file: string, content: string | Uint8Array): Promise<void> {
  const { fs, path, crypto } = await node();
  if (!isWatchingExit) {
    isWatchingExit = true;
    await removePartialsAtExit();
  }
  try {
    const there = await fs.stat(file).catch(() => undefined);
    if (there && !there.isFile() && !there.isDirectory()) {
      await fs.writeFile(file, content);
      return;
    }
    await makeFolder(path.dirname(file));
    const partial = `${file}.${crypto.randomBytes(4).toString('hex')}.part`;
    partials.add(partial);
    try {
      const handle = await fs.open(partial, 'wx');
      try {
        await handle.writeFile(content);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await fs.rename(partial, file);
    } finally {
      await fs.rm(partial, { force: true });
      partials.delete(partial);
    }
  } catch (cause) {
    const { code = '', message } = cause as NodeJS.ErrnoException;
    throw new WriteError(`${file} cannot be written`, { given: message, hint: remedies[code], cause });
  }
}
