// Whole files in Node. Writing goes to a temporary name and then renames, so that a reader never sees half a file.
// Node's modules are loaded when first needed: browsers have none.
import { DataError, DeviceError } from '../errors.ts';

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
    return await fs.readFile(file);
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

/** Writes `content` to `file` in one step, making its folder. */
export async function writeWhole(file: string, content: string | Uint8Array): Promise<void> {
  const { fs, path, crypto } = await node();
  await makeFolder(path.dirname(file));
  const partial = `${file}.${crypto.randomBytes(4).toString('hex')}.part`;
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
  }
}
