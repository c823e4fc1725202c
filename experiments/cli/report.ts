// `wgrad report`: the tables of run folders, judged anew from their values, in the terminal or as a document on stdout.
import { buildView, provenanceView } from '../report/build.ts';
import { csvText } from '../report/csv.ts';
import { markdownText } from '../report/markdown.ts';
import { htmlText } from '../report/report.ts';
import type { View } from '../report/view.ts';
import { joinFolders } from '../runner/join.ts';
import { EXIT_FAILED } from './errors.ts';
import { printText, say } from './output.ts';
import { DEFAULT_WIDTH, tableText } from './tables.ts';

export interface ReportFlags {
  markdown?: boolean;
  csv?: boolean;
  html?: boolean;
}

/** The view of run folders. Throws DataError for a folder that is not one. */
export async function viewOfFolders(folders: readonly string[]): Promise<View> {
  const { folders: read, tables, problems } = await joinFolders(folders);
  const provenance = read.map(({ folder, manifest }) => provenanceView(folder, manifest));
  return buildView(tables, provenance, problems);
}

/** All tables as the terminal shows them. */
export const terminalText = ({ papers }: View): string =>
  papers
    .flatMap(({ tables }) => tables)
    .map((table) => `${tableText(table, process.stdout.columns || DEFAULT_WIDTH)}\n`)
    .join('\n');

/** Prints the report and returns the exit status: 1 where a file could not be used, each named on stderr. */
export async function reportCommand(folders: readonly string[], flags: ReportFlags): Promise<number> {
  const view = await viewOfFolders(folders);
  const text = flags.markdown
    ? markdownText(view)
    : flags.csv
      ? csvText(view)
      : flags.html
        ? await htmlText(view)
        : terminalText(view);
  printText(text);
  for (const problem of view.problems) say(`wgrad: not used: ${problem}`);
  return view.problems.length > 0 ? EXIT_FAILED : 0;
}
