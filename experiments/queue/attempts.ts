// Attempts at a run, each in a folder of its own: `attempts/<job>/<attempt>` of the run folder. A worker that was paused and is
// continued after its lease goes on writing there and nowhere else. Which attempt counts is decided once, by the server, when it takes the
// first completion of the job; only that one's files ever move to the place of the run.
import { link, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { makeFolder, readWhole, writeWhole } from '../runner/files.ts';

/** Records and weights: what a finished run leaves. */
const isKept = (name: string): boolean => /\.(json|safetensors)$/.test(name);

/** Whatever the error, there is nothing: it was never there, or somebody else has taken it away. */
async function orNothing<T>(made: Promise<T[]>): Promise<T[]> {
  try {
    return await made;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Files of runs below a folder, relative to it, records last: what they refer to is there before them. */
export async function runFilesBelow(folder: string): Promise<string[]> {
  const entries = await orNothing(readdir(path.join(folder, 'runs'), { recursive: true, withFileTypes: true }));
  const isRecord = (file: string): boolean => file.endsWith('.json');
  return entries
    .filter((entry) => entry.isFile() && isKept(entry.name))
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .sort((a, b) => Number(isRecord(a)) - Number(isRecord(b)) || (a < b ? -1 : 1));
}

const attemptsOf = (out: string, job: string): string => path.join(out, 'attempts', job);
/** The folder of an attempt. */
export const attemptFolder = (out: string, job: string, attempt: string): string =>
  path.join(attemptsOf(out, job), attempt);

/**
 * Moves the files of the attempt that counts to the place of the run, and removes the others. Any process may do it, and several at once:
 * a record that is there is never written over.
 */
export async function publish(out: string, job: string, attempt: string): Promise<void> {
  const from = attemptFolder(out, job, attempt);
  const files = await runFilesBelow(from);
  const records = files.filter((file) => file.endsWith('.json'));
  const there = await Promise.all(records.map((file) => stat(path.join(out, file)).catch(() => undefined)));
  for (const file of there.some(Boolean) ? [] : files) {
    const target = path.join(out, file);
    await makeFolder(path.dirname(target));
    const move = file.endsWith('.json') ? link : rename;
    await move(path.join(from, file), target).catch((error: NodeJS.ErrnoException) => {
      // Another process has just done the same.
      if (error.code !== 'ENOENT' && error.code !== 'EEXIST') throw error;
    });
  }
  await rm(attemptsOf(out, job), { recursive: true, force: true, maxRetries: 3 });
}

/** How far the attempts of a job are: a finished one first, then the one whose checkpoint is the last. */
async function bestAttempt(out: string, job: string): Promise<{ folder: string; files: string[] } | undefined> {
  let best: { folder: string; files: string[]; at: number } | undefined;
  for (const name of await orNothing(readdir(attemptsOf(out, job)))) {
    const folder = attemptFolder(out, job, name);
    const files = await runFilesBelow(folder);
    const times = await Promise.all(
      files.map(async (file) =>
        file.endsWith('.json')
          ? Infinity
          : stat(path.join(folder, file)).then(
              ({ mtimeMs }) => mtimeMs,
              () => 0,
            ),
      ),
    );
    const at = Math.max(0, ...times);
    if (at > (best?.at ?? 0)) best = { folder, files, at };
  }
  return best;
}

/** Takes over what an earlier attempt has left, so that this one goes on from its checkpoint or, where it had ended, is finished. */
export async function takeOver(out: string, job: string, to: string): Promise<void> {
  const best = await bestAttempt(out, job);
  for (const file of best?.files ?? []) {
    // It may be at work still, and is about to write the next checkpoint, or is being removed: then there is the one before, or none.
    const content = await readWhole(path.join(best!.folder, file)).catch(() => undefined);
    if (!content) continue;
    await writeWhole(path.join(to, file), content);
  }
}
