// The numbers of run folders as CSV (RFC 4180), one value a line, for spreadsheets and data frames. Points count from 1; a metric, which
// a run has once, has no point.
import { record } from '../report/csv.ts';
import type { WatchedFolder } from './folder.ts';

const head = ['folder', 'paper', 'run', 'place', 'seed', 'kind', 'name', 'point', 'value'];

/** The numbers of these folders, as they were when last looked at. A value that is not finite is empty. */
export function numbersCsv(folders: readonly WatchedFolder[]): string {
  const lines = [record(head)];
  for (const folder of folders) {
    for (const { paper, run, id, seed, curves, metrics } of folder.runs()) {
      const its = [folder.name, paper, run, id, seed];
      for (const [name, values] of Object.entries(curves)) {
        values.forEach((value, i) => lines.push(record([...its, 'curve', name, i + 1, value ?? undefined])));
      }
      for (const [name, value] of Object.entries(metrics)) {
        lines.push(record([...its, 'metric', name, undefined, value ?? undefined]));
      }
    }
  }
  return `${lines.join('\r\n')}\r\n`;
}
