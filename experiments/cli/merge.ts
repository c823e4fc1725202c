// `wgrad merge`: run folders as one.
import path from 'node:path';
import { writeJoined } from '../runner/join.ts';
import { EXIT_FAILED } from './errors.ts';
import { print, say } from './output.ts';
import { terminalText } from './report.ts';

export interface MergeFlags {
  out: string;
}

/** Returns the exit status: 1 where a file could not be used, each named on stderr. */
export async function mergeCommand(folders: readonly string[], { out }: MergeFlags): Promise<number> {
  const view = await writeJoined(folders, path.resolve(out), ['wgrad', ...process.argv.slice(2)]);
  print(terminalText(view));
  print(`Report: ${path.join(out, 'report.html')}`);
  for (const problem of view.problems) say(`wgrad: not used: ${problem}`);
  return view.problems.length > 0 ? EXIT_FAILED : 0;
}
