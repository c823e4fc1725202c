// `wgrad watch`: a page that shows run folders as they grow. `wgrad export`: their numbers for other programs. Both read the files of
// single runs, and so see runs that are not finished too.
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { ConfigError, DataError } from '../../engine/index.ts';
import { checkWritable } from '../runner/reproduce.ts';
import { EXIT_FAILED } from './errors.ts';
import { print, printText, say } from './output.ts';
import { untilSignal } from './signals.ts';

export interface WatchFlags {
  port: number;
  host?: string;
}

export interface ExportFlags {
  tensorboard?: string;
}

/** Where `reproduce` writes unless it is told otherwise. */
const USUAL_FOLDER = 'runs';

async function usualFolders(): Promise<string[]> {
  const entries = await readdir(USUAL_FOLDER, { withFileTypes: true }).catch(() => []);
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => path.join(USUAL_FOLDER, name));
  if (folders.length > 0) return folders.sort();
  throw new ConfigError(`there are no run folders in '${USUAL_FOLDER}'`, {
    hint: 'Name the folders to watch, as given to `wgrad reproduce --out`; they need not be there yet',
  });
}

const isFolder = (folder: string): Promise<boolean> =>
  stat(folder).then(
    (found) => found.isDirectory(),
    () => false,
  );

/** Serves the page until the command is stopped. */
export async function watchCommand(given: readonly string[], { port, host }: WatchFlags): Promise<number> {
  const { serveWatch } = await import('../watch/server.ts');
  const folders = given.length > 0 ? [...new Set(given)] : await usualFolders();
  const server = await serveWatch(folders, { port, host });
  for (const folder of folders) if (!(await isFolder(folder))) say(`${folder} is not there yet`);
  print(server.address);
  const { stoppedWith = 0 } = await untilSignal(
    (signal) => new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve())),
  );
  await server.close();
  return stoppedWith;
}

/** Prints the numbers as CSV, or writes event files. Status 1 where a file could not be read, each named on stderr. */
export async function exportCommand(given: readonly string[], { tensorboard }: ExportFlags): Promise<number> {
  const { WatchedFolder } = await import('../watch/folder.ts');
  const folders = given.map((folder) => new WatchedFolder(folder));
  const states = await Promise.all(folders.map((folder) => folder.look()));
  for (const [i, { name }] of states.entries()) {
    if (!folders[i]!.runs().next().done) continue;
    throw new DataError(`there are no runs in '${name}'`, {
      expected: 'a folder with runs/<paper>/<run>/seed-<n>.json',
      hint: 'Give a folder that `wgrad reproduce` has written (--out)',
    });
  }
  if (tensorboard === undefined) {
    const { numbersCsv } = await import('../watch/csv.ts');
    printText(numbersCsv(folders));
  } else {
    const { writeEventFiles } = await import('../watch/tensorboard.ts');
    await checkWritable(tensorboard);
    const count = await writeEventFiles(folders, tensorboard);
    say(`${count} event files in ${tensorboard}: tensorboard --logdir ${tensorboard}`);
  }
  const problems = states.flatMap(({ name, problems }) => problems.map((problem) => path.join(name, problem)));
  for (const problem of problems) say(`wgrad: not used: ${problem}`);
  return problems.length > 0 ? EXIT_FAILED : 0;
}
