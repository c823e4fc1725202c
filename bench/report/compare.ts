// The change between two results: every number that both have, new over old. A busy machine only ever adds time, so a change
// counts as one where the median and the best time have both moved the same way by more than a threshold.
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { ConfigError } from '../../engine/index.ts';
import { layOut } from '../../experiments/cli/tables.ts';
import { isMeasured, type ReadDocument, readDocument } from './document.ts';
import { digits } from './tables.ts';

/** What moved less is noise. */
const THRESHOLD = 0.05;

interface Entry {
  readonly title: string;
  readonly median: number;
  readonly min: number;
  readonly unit: 'ms' | 'MiB';
}

const perMillisecond = (title: string, { median, min }: { median: number; min: number }): Entry => ({
  title,
  median: 1000 * median,
  min: 1000 * min,
  unit: 'ms',
});

/** Our numbers of a result by name. */
export function entriesOf({ cases, groups, steps }: ReadDocument): Map<string, Entry> {
  const entries = new Map<string, Entry>();
  for (const { name, title, ours } of cases) if (isMeasured(ours)) entries.set(name, perMillisecond(title, ours));
  for (const { name, title, kernels } of groups) {
    for (const each of kernels) entries.set(`${name} ${each.kernel}`, perMillisecond(`${each.kernel}, ${title}`, each));
  }
  for (const { name, title, memory } of steps) {
    const bytes = memory.find((each) => each.name === 'wgrad')?.bytes;
    if (bytes === undefined) continue;
    const mebibytes = bytes / 2 ** 20;
    entries.set(`${name} memory`, { title: `memory, ${title}`, median: mebibytes, min: mebibytes, unit: 'MiB' });
  }
  return entries;
}

export interface Change {
  readonly title: string;
  readonly unit: Entry['unit'];
  readonly before: number;
  readonly after: number;
  /** New over old, medians and best. */
  readonly median: number;
  readonly best: number;
  readonly verdict: 'more' | 'less' | 'same';
}

/** Changes of what both results have, largest increase first. */
export function changes(before: ReadDocument, after: ReadDocument): Change[] {
  const old = entriesOf(before);
  const both = [...entriesOf(after)].flatMap(([name, now]): Change[] => {
    const then = old.get(name);
    if (!then) return [];
    const [median, best] = [now.median / then.median, now.min / then.min];
    const least = Math.min(median, best);
    const most = Math.max(median, best);
    const verdict = least > 1 + THRESHOLD ? 'more' : most < 1 - THRESHOLD ? 'less' : 'same';
    return [{ title: now.title, unit: now.unit, before: then.median, after: now.median, median, best, verdict }];
  });
  return both.sort((a, b) => b.median - a.median);
}

/** The tracked result that has most in common with a new one; the newest of several. Throws ConfigError if none has anything. */
export async function baselineFor(
  result: ReadDocument,
  folder: string,
): Promise<{ file: string; document: ReadDocument }> {
  const names = (await readdir(folder).catch(() => [])).filter((file) => file.endsWith('.json'));
  const tracked = await Promise.all(
    names.map(async (name) => {
      const file = path.join(folder, name);
      const document = await readDocument(file).catch(() => undefined);
      if (!document || (document.device ?? result.device) !== result.device) return undefined;
      return { file, document, shared: changes(document, result).length };
    }),
  );
  const found = tracked
    .flatMap((each) => (each && each.shared > 0 ? [each] : []))
    .sort((a, b) => b.shared - a.shared || b.document.finished.localeCompare(a.document.finished));
  if (found[0]) return found[0];
  throw new ConfigError('no tracked result has anything in common with this one', {
    given: result.command,
    hint: 'Name the one to compare with: --against FILE',
  });
}

const percent = (ratio: number): string => `${ratio >= 1 ? '+' : ''}${(100 * (ratio - 1)).toFixed(1)} %`;

/** The changes as a table, and where they come from. */
export function changesText(before: ReadDocument, after: ReadDocument, width: number): string {
  const all = changes(before, after);
  if (all.length === 0) return 'The two results have nothing in common.';
  const rows = all.map(({ title, unit, before, after, median, best, verdict }) => [
    title,
    `${digits(before)} ${unit}`,
    `${digits(after)} ${unit}`,
    percent(median),
    percent(best),
    verdict === 'same' ? '' : verdict,
  ]);
  const loads = [before, after].map(({ machine }) =>
    (machine.loadAverageBefore as number[] | undefined)?.[0]?.toFixed(1),
  );
  const counts = (['more', 'less', 'same'] as const).map(
    (verdict) => `${all.filter((each) => each.verdict === verdict).length} ${verdict}`,
  );
  const ceilings =
    before.ceilings && after.ceilings
      ? `; ceilings: compute ${percent(after.ceilings.gflops / before.ceilings.gflops)}, memory ` +
        percent(after.ceilings.gbps / before.ceilings.gbps)
      : '';
  return [
    `before: ${before.finished}, ${before.device ?? 'several devices'}, load ${loads[0] ?? 'unknown'}: ${before.command}`,
    `after:  ${after.finished}, ${after.device ?? 'several devices'}, load ${loads[1] ?? 'unknown'}: ${after.command}`,
    layOut(['', 'before', 'after', 'median', 'best', ''], rows, width),
    `${counts.join(', ')} (a change is one of more than ${100 * THRESHOLD} % in both)${ceilings}`,
  ].join('\n');
}
