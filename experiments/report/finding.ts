// What was found, in one sentence, from the verdicts alone.
import type { ClaimVerdict, NumberVerdict, TableView } from './view.ts';

/** How often each verdict was given. */
export interface Tally {
  readonly claims: ReadonlyMap<ClaimVerdict, number>;
  readonly numbers: ReadonlyMap<NumberVerdict, number>;
}

function counted<T>(verdicts: readonly T[]): Map<T, number> {
  const counts = new Map<T, number>();
  for (const verdict of verdicts) counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
  return counts;
}

/** Claims and the paper's own numbers; what stands beside the paper's tables does not count. */
export function tallyOf(tables: readonly TableView[]): Tally {
  const cells = tables.flatMap(({ matrix }) => matrix?.rows.flatMap((row) => row.cells) ?? []);
  return {
    claims: counted(tables.flatMap(({ claims }) => claims.map(({ verdict }) => verdict))),
    numbers: counted(cells.flatMap((cell) => cell?.verdict ?? [])),
  };
}

const totalOf = (counts: ReadonlyMap<unknown, number>): number => [...counts.values()].reduce((sum, n) => sum + n, 0);

/** `3 hold, 1 is within noise and 2 fail`: each verdict with the verb for one and for several. */
function listed<T>(
  counts: ReadonlyMap<T, number>,
  verbs: readonly (readonly [T, one: string, many: string])[],
): string {
  const parts = verbs.flatMap(([verdict, one, many]) => {
    const n = counts.get(verdict) ?? 0;
    return n === 0 ? [] : [`${n} ${n === 1 ? one : many}`];
  });
  return parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`;
}

function claimPart(counts: Tally['claims']): string {
  const total = totalOf(counts);
  if (total === 0) return '';
  const verbs = [
    ['holds', 'holds', 'hold'],
    ['within noise', 'is within noise', 'are within noise'],
    ['fails', 'fails', 'fail'],
    ['too few seeds', 'has too few seeds to be judged', 'have too few seeds to be judged'],
    ['not attempted', 'was not attempted', 'were not attempted'],
  ] as const;
  return `Of ${total} ${total === 1 ? 'claim' : 'claims'}, ${listed(counts, verbs)}`;
}

function numberPart(counts: Tally['numbers']): string {
  const total = totalOf(counts);
  if (total === 0) return '';
  const numbers = total === 1 ? 'published number' : 'published numbers';
  const why = 'made on a stand-in for the data or below the size of the paper';
  if (counts.get('not comparable') === total) {
    return total === 1
      ? `the one published number has nothing to be compared with, ours being ${why}`
      : `none of the ${total} ${numbers} can be compared with ours, which were ${why}`;
  }
  const verbs = [
    ['reproduced', 'is reproduced', 'are reproduced'],
    ['better than published', 'is surpassed', 'are surpassed'],
    ['not reproduced', 'is not reproduced', 'are not reproduced'],
    ['too few seeds', 'has too few seeds to be judged', 'have too few seeds to be judged'],
    ['not comparable', `cannot be compared (ours was ${why})`, `cannot be compared (ours were ${why})`],
    ['not attempted', 'was not attempted', 'were not attempted'],
  ] as const;
  return `of ${total} ${numbers}, ${listed(counts, verbs)}`;
}

/** `Of 12 claims, 7 hold and 5 fail; of 10 published numbers, 3 are reproduced and 7 are not reproduced.` */
export function finding(tables: readonly TableView[]): string {
  const { claims, numbers } = tallyOf(tables);
  const parts = [claimPart(claims), numberPart(numbers)].filter(Boolean).join('; ');
  if (parts === '') return 'There is no claim and no published number to be judged.';
  return `${parts[0]!.toUpperCase()}${parts.slice(1)}.`;
}
