// All that a run folder shows people and programs: the tables' files, the manifest, the report.
import path from 'node:path';
import { writeReport } from '../report/report.ts';
import type { TableView, View } from '../report/view.ts';
import type { Manifest } from './manifest.ts';
import { writeResults } from './result-files.ts';
import type { TableData } from './results.ts';
import { writeSealed } from './seal.ts';

/** `view`: of these tables, in the same order. */
export async function writeFolder(
  out: string,
  tables: readonly TableData[],
  manifest: Manifest,
  view: View,
): Promise<void> {
  const views = view.papers.flatMap(({ tables }): readonly TableView[] => tables);
  await writeResults(
    out,
    tables.map((known, i) => ({ known, view: views[i]! })),
  );
  await writeSealed(path.join(out, 'manifest.json'), manifest);
  await writeReport(path.join(out, 'report.html'), view);
}
