// From the records of finished runs to the files people read: results.json per table and for the whole command.
import path from 'node:path';
import { writeJson } from './files.ts';
import type { Overrides } from './overrides.ts';
import type { CellDefinition, DataFacts, Paper, PresetName, TableDefinition } from './paper.ts';
import type { RunRecord } from './store.ts';
import { type CellOutcome, type CellResult, type ClaimResult, judge } from './verdict.ts';

/** Data of a table without runs. */
export const noData: DataFacts = { name: 'none', real: false, checksums: {} };

/** One table as written to results.json. */
export interface TableResult {
  paper: string;
  table: string;
  preset: PresetName;
  device: string;
  data: string;
  /** Settings that the command changed; absent where it changed none. */
  set?: Overrides;
  cells: CellResult[];
}

/** A judged table with what the report shows beside it. */
export interface JudgedTable {
  readonly paper: Paper;
  readonly table: TableDefinition;
  readonly data: DataFacts;
  readonly seeds: readonly number[];
  readonly result: TableResult;
  readonly claims: readonly ClaimResult[];
  /** Records of the table's runs in the order of their seeds, by run key. */
  readonly records: ReadonlyMap<string, readonly RunRecord[]>;
}

/** Records and failures of all runs of a command. */
export interface RunOutcomes {
  record(paper: string, run: string, seed: number): RunRecord | undefined;
  failure(paper: string, run: string, seed: number): string | undefined;
}

/** Run keys that a table reads: its cells, curves and pictures. */
export const runsOf = (table: TableDefinition): string[] => [
  ...new Set([
    ...table.cells.flatMap((cell) => cell.run ?? []),
    ...(table.curves ?? []).map((curve) => curve.run),
    ...(table.pictures ?? []),
  ]),
];

function outcomeOf(paper: Paper, cell: CellDefinition, seeds: readonly number[], outcomes: RunOutcomes): CellOutcome {
  const { run, metric } = cell;
  if (run === undefined || metric === undefined) return { reason: cell.reason ?? 'no run is defined for it' };
  const values: number[] = [];
  for (const seed of seeds) {
    const value = outcomes.record(paper.name, run, seed)?.result.metrics[metric];
    if (value === undefined) {
      return { reason: outcomes.failure(paper.name, run, seed) ?? `the run of seed ${seed} has no '${metric}'` };
    }
    values.push(value);
  }
  return { values };
}

export function judgeTable(
  paper: Paper,
  table: TableDefinition,
  setting: { preset: PresetName; device: string; data: DataFacts; seeds: readonly number[]; set?: Overrides },
  outcomes: RunOutcomes,
): JudgedTable {
  const { preset, device, seeds, set = {} } = setting;
  const data = runsOf(table).length > 0 ? setting.data : noData;
  const isChanged = Object.keys(set).length > 0;
  // With other settings than the paper's it is another experiment.
  const comparable = !isChanged && (table.presetIndependent === true || (preset === 'paper' && data.real));
  const { cells, claims } = judge(table, (cell) => outcomeOf(paper, cell, seeds, outcomes), comparable);
  const records = new Map<string, RunRecord[]>();
  for (const run of runsOf(table)) {
    records.set(
      run,
      seeds.flatMap((seed) => outcomes.record(paper.name, run, seed) ?? []),
    );
  }
  const result: TableResult = {
    paper: paper.name,
    table: table.name,
    preset,
    device,
    data: data.name,
    ...(isChanged ? { set } : {}),
    cells,
  };
  return { paper, table, data, seeds, result, claims, records };
}

/** The table without its controls: every cell that is left has a verdict. */
const withoutControls = (result: TableResult): TableResult => ({
  ...result,
  cells: result.cells.filter(({ verdict }) => verdict !== null),
});

/**
 * Writes `OUT/<paper>/<table>/results.json` for each table, with controls.json (our numbers that the paper does not have) and
 * claims.json beside it, and `OUT/results.json` with all tables in a list.
 */
export async function writeResults(out: string, tables: readonly JudgedTable[]): Promise<void> {
  for (const { result, claims } of tables) {
    const folder = path.join(out, result.paper, result.table);
    await writeJson(path.join(folder, 'results.json'), withoutControls(result));
    await writeJson(path.join(folder, 'claims.json'), claims);
    const controls = result.cells.filter(({ verdict }) => verdict === null);
    if (controls.length > 0) await writeJson(path.join(folder, 'controls.json'), controls);
  }
  await writeJson(
    path.join(out, 'results.json'),
    tables.map(({ result }) => withoutControls(result)),
  );
}
