// Merging run folders: tables that differ in their seeds alone become one; others stay side by side.
import { isDeepStrictEqual } from 'node:util';
import type { RunFolder } from './read-results.ts';
import type { CellData, TableData } from './results.ts';

/** The same table, made in the same way. */
function isSameExperiment(a: TableData, b: TableData): boolean {
  const settings = [...a.settings].filter(([run]) => b.settings.has(run));
  return (
    a.table === b.table &&
    a.preset === b.preset &&
    a.device === b.device &&
    isDeepStrictEqual(a.data, b.data) &&
    isDeepStrictEqual(a.set, b.set) &&
    settings.every(([run, value]) => isDeepStrictEqual(value, b.settings.get(run)))
  );
}

/** Two maps, entries of the first before those of the second. */
const union = <K, V>(a: ReadonlyMap<K, V>, b: ReadonlyMap<K, V>): Map<K, V> => new Map([...b, ...a]);

function mergedCells(
  a: TableData,
  b: TableData,
  differs: (place: string, seed: number) => void,
): Map<string, CellData> {
  const merged = new Map(a.cells);
  for (const [place, { bySeed, reason }] of b.cells) {
    const before = merged.get(place);
    for (const [seed, value] of bySeed) {
      const other = before?.bySeed.get(seed);
      if (other !== undefined && other !== value) differs(place, seed);
    }
    merged.set(place, { bySeed: union(before?.bySeed ?? new Map(), bySeed), reason: before?.reason ?? reason });
  }
  return merged;
}

function merge(a: TableData, b: TableData, problem: (text: string) => void): TableData {
  const differing = new Set<number>();
  const cells = mergedCells(a, b, (_place, seed) => differing.add(seed));
  const name = `${a.paper.name}/${a.table.name}`;
  if (differing.size > 0) {
    const seeds = [...differing].sort((x, y) => x - y).join(', ');
    problem(`${name}: the folders differ in values of seed ${seeds}; those of the first are shown`);
  }
  const curves = [...new Set([...a.curves.keys(), ...b.curves.keys()])].map(
    (label) => [label, union(a.curves.get(label) ?? new Map(), b.curves.get(label) ?? new Map())] as const,
  );
  const costs = a.costs.map((cost) => {
    const other = b.costs.find(({ run }) => run === cost.run);
    return other ? { ...cost, seconds: [...cost.seconds, ...other.seconds] } : cost;
  });
  return {
    ...a,
    seeds: [...new Set([...a.seeds, ...b.seeds])].sort((x, y) => x - y),
    cells,
    settings: union(a.settings, b.settings),
    curves: new Map(curves),
    panels: a.panels.length > 0 ? a.panels : b.panels,
    costs: [...costs, ...b.costs.filter(({ run }) => a.costs.every((cost) => cost.run !== run))],
  };
}

/** The tables of all folders, in the order of the papers; differing values of the same seed are named. */
export function mergeFolders(folders: readonly RunFolder[]): { tables: TableData[]; problems: string[] } {
  const problems = folders.flatMap((folder) => folder.problems);
  const tables: TableData[] = [];
  for (const table of folders.flatMap((folder) => folder.tables)) {
    const at = tables.findIndex((each) => isSameExperiment(each, table));
    if (at === -1) tables.push(table);
    else tables[at] = merge(tables[at]!, table, (text) => problems.push(text));
  }
  return { tables, problems };
}
