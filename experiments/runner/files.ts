// Writing results so that a reader never sees half a file: to a temporary name, then rename.
import { randomBytes } from 'node:crypto';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import path from 'node:path';

/**
 * Makes a folder and those above it. Node's recursive mkdir never returns where a parent is there but takes no folders
 * (below /proc), so each is made by itself.
 */
export async function makeFolder(folder: string): Promise<void> {
  const parent = path.dirname(path.resolve(folder));
  if (!existsSync(parent)) await makeFolder(parent);
  try {
    await mkdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !(await stat(folder)).isDirectory()) throw error;
  }
}

/** Writes `content` to `file` in one step, making its folder. */
export async function writeWhole(file: string, content: string | Uint8Array): Promise<void> {
  await makeFolder(path.dirname(file));
  const partial = `${file}.${randomBytes(4).toString('hex')}.part`;
  try {
    const handle = await open(partial, 'wx');
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(partial, file);
  } finally {
    await rm(partial, { force: true });
  }
}

export const writeJson = (file: string, value: unknown): Promise<void> =>
  writeWhole(file, `${JSON.stringify(value, null, 2)}\n`);
