// `wgrad diff`: what differs between two run folders, side by side.
import { diffFolders } from '../runner/diff.ts';
import { type Difference, placeText, valueText } from '../runner/difference.ts';
import { readRunFolder } from '../runner/read-results.ts';
import { EXIT_FAILED } from './errors.ts';
import { print, say } from './output.ts';
import { DEFAULT_WIDTH, layOut } from './tables.ts';

/** Characters of a value; claims of an order have a long text. */
const LONGEST = 400;

function section(title: string, [a, b]: readonly [string, string], found: readonly Difference[]): void {
  if (found.length === 0) return;
  const rows = found.map((each) => [
    placeText(each) || 'the table',
    valueText(each.a, LONGEST),
    valueText(each.b, LONGEST),
  ]);
  print(`${title}:`);
  print(`${layOut(['', a, b], rows, process.stdout.columns || DEFAULT_WIDTH)}\n`);
}

/** Returns the exit status: 1 where a file of them could not be used, each named on stderr. Differences are no failure. */
export async function diffCommand(a: string, b: string, { json = false }: { json?: boolean }): Promise<number> {
  const [left, right] = [await readRunFolder(a), await readRunFolder(b)];
  const found = diffFolders(left, right);
  if (json) {
    // What is missing on a side would be left out.
    print(JSON.stringify(found, (_name, value: unknown) => (value === undefined ? null : value), 2));
  } else {
    for (const { name, differences } of found.tables) section(name, [a, b], differences);
    section('manifest', [a, b], found.manifest);
    if (found.tables.length + found.manifest.length === 0) print(`${a} and ${b} say the same`);
  }
  const problems = [...left.problems, ...right.problems];
  for (const problem of problems) say(`wgrad: not used: ${problem}`);
  return problems.length > 0 ? EXIT_FAILED : 0;
}
