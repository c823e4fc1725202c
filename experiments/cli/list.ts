// `wgrad list`: the papers with their tables and presets; with --coverage everything that they print, and what there is of it.
import { papers } from '../papers/index.ts';
import { type CoverageItem, coverageOf, coverageStates, type TrackedResult } from '../runner/coverage.ts';
import { presetNames } from '../runner/paper.ts';
import { runsOf } from '../runner/runs.ts';
import { print, say } from './output.ts';
import { DEFAULT_WIDTH, layOut } from './tables.ts';

export interface ListFlags {
  coverage?: boolean;
  json?: boolean;
}

const width = (): number => process.stdout.columns || DEFAULT_WIDTH;

function listTables(json: boolean): void {
  const rows = papers.flatMap((paper) =>
    paper.tables.map((table) => ({
      table: `${paper.name}/${table.name}`,
      content: table.title,
      attempted: runsOf(table).length > 0,
    })),
  );
  if (json) {
    rows.forEach((row) => print(JSON.stringify(row)));
    return;
  }
  const lines = rows.map(({ table, content, attempted }) => [table, content, attempted ? '' : 'not attempted']);
  print(layOut(['table', 'content', ''], lines, width()));
  print('\nPresets:');
  for (const paper of papers) {
    for (const preset of presetNames) print(`  ${paper.name}, ${preset}: ${paper.presets[preset]}`);
  }
}

function trackedText({ preset, data, seeds, cells: [tracked, all], without, verdict }: TrackedResult): string {
  const run = `${preset}, ${data}, ${seeds} ${seeds === 1 ? 'seed' : 'seeds'}`;
  if (verdict !== undefined) return `${run}: ${verdict}`;
  const part = tracked < all ? [`${tracked} of ${all} cells`] : [];
  return [run, ...part, ...without.map((what) => `without ${what}`)].join(', ');
}

const lineOf = ({ place, kind, what, table = '', state, tracked, why }: CoverageItem): string[] => [
  place,
  kind === 'claim' ? `claim: ${what}` : what,
  state,
  table,
  why ?? tracked.map(trackedText).join('; '),
];

async function listCoverage(json: boolean): Promise<void> {
  const { items, hasResults } = await coverageOf(papers);
  if (!hasResults) say('No tracked results are beside this program: they stand in the repository.');
  if (json) {
    items.forEach((item) => print(JSON.stringify(item)));
    return;
  }
  for (const paper of papers) {
    const own = items.filter((item) => item.paper === paper.name);
    print(`${paper.name}: ${paper.title}`);
    print(layOut(['where', 'what', 'state', 'table', 'results, or why not'], own.map(lineOf), width()));
    print('');
  }
  const count = (state: string): number => items.filter((item) => item.state === state).length;
  print(`${items.length} items; ${coverageStates.map((state) => `${state}: ${count(state)}`).join('; ')}`);
}

/** Lists and returns the exit status. */
export async function listCommand({ coverage = false, json = false }: ListFlags): Promise<number> {
  if (coverage) await listCoverage(json);
  else listTables(json);
  return 0;
}
