// One command at a time writes to a folder of runs. The lock is a small file with the process that holds it; one whose process is gone (it
// was killed, the machine went down) is taken over.
import { readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { z } from 'zod';
import { ConfigError } from '../../engine/index.ts';
import { notWritable } from './files.ts';

const holderSchema = z.object({ pid: z.int().positive(), host: z.string() });
type Holder = z.infer<typeof holderSchema>;

/** How long the other process may need between making its file and writing into it. */
const WRITING_MS = 200;

/** Signal 0 only asks whether the process exists; EPERM is the answer for one of another user. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Undefined for a file that is gone, or was cut off in the middle of writing. */
async function holderIn(file: string): Promise<Holder | undefined> {
  try {
    return holderSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return undefined;
  }
}

/** Files that this very process has made. */
const own = new Set<string>();

/** Whether the lock holds; whether a process on another machine is alive cannot be seen from here. */
function holds(file: string, { pid, host }: Holder): boolean {
  if (host !== os.hostname()) return true;
  return pid === process.pid ? own.has(file) : isAlive(pid);
}

/** Whether a command is at work in the folder, as far as can be seen from this machine. */
export async function isLocked(folder: string): Promise<boolean> {
  const file = path.resolve(folder, 'lock.json');
  const holder = await holderIn(file);
  return holder !== undefined && holds(file, holder);
}

/**
 * Locks a folder for this process; the function returned unlocks it. Throws ConfigError where another command is at work in it, or
 * where nothing can be written.
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const file = path.resolve(folder, 'lock.json');
  const holder: Holder = { pid: process.pid, host: os.hostname() };
  const unlock = async (): Promise<void> => {
    own.delete(file);
    await rm(file, { force: true });
  };
  for (;;) {
    try {
      await writeFile(file, `${JSON.stringify(holder)}\n`, { flag: 'wx' });
      own.add(file);
      return unlock;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw notWritable(folder, error);
    }
    let other = await holderIn(file);
    if (!other) {
      await setTimeout(WRITING_MS);
      other = await holderIn(file);
    }
    if (other && holds(file, other)) {
      throw new ConfigError(`another command is at work in '${folder}'`, {
        given: `process ${other.pid} on ${other.host}`,
        hint: `Wait for it, stop it, or choose another folder with --out. If there is no such process, remove ${file}`,
      });
    }
    await rm(file, { force: true });
  }
}
