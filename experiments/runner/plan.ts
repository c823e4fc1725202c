// What a command will do, before it does anything: the data, seeds and overrides of each paper, the runs that the chosen tables
// need, with the runs that these need, which of them are on disk, and what the others cost.
import type { DeviceName, Tuning } from '../../engine/index.ts';
import { type PlannedRun, recordOf } from './needs.ts';
import { overridesFor, overridesText } from './overrides.ts';
import type { DataFacts, Paper, PresetName, Run, TableDefinition } from './paper.ts';
import { type CellNeeds, keyOf } from './progress.ts';
import { noData } from './results.ts';
import { cellsOf, type Overrides, runsOf, settingsOf, withNeeds } from './runs.ts';
import { firstSeeds, seedsText } from './seeds.ts';
import type { Notice, RunRequest } from './store.ts';

/** Which tables of a paper to reproduce, and how. */
export interface Selection {
  readonly paper: Paper;
  readonly tables: readonly TableDefinition[];
  /** Overrides the preset of the command for this paper. */
  readonly preset?: PresetName;
  readonly seeds?: readonly number[];
}

/** A paper with its tables, preset, seeds, overrides and data. */
export interface Part {
  readonly paper: Paper;
  readonly tables: readonly TableDefinition[];
  readonly preset: PresetName;
  readonly seeds: readonly number[];
  readonly set: Overrides;
  readonly data: DataFacts;
}

export interface PartOptions {
  readonly selection: readonly Selection[];
  readonly preset: PresetName;
  readonly seeds?: readonly number[] | undefined;
  readonly set?: ReadonlyMap<string, string> | undefined;
  readonly data?: string | undefined;
}

/** Lines about each paper that trains: preset, changed settings, seeds, data, and what is to be said of these. */
export const describeParts = (parts: readonly Part[]): string[] =>
  parts.flatMap(({ paper, preset, seeds, set, data }) => {
    if (data === noData) return [];
    const stand = data.real ? '' : ", a stand-in for the paper's data";
    const change = Object.keys(set).length > 0 ? `, with ${overridesText(set)}` : '';
    return [
      `${paper.name}: preset ${preset}${change}, ${seedsText(seeds)}, data: ${data.name}${stand}`,
      ...(data.remarks ?? []).map((remark) => `${paper.name}: ${remark}`),
    ];
  });

/** The tables by the data set that their runs are made on. */
function byData(tables: readonly TableDefinition[]): Map<string | undefined, TableDefinition[]> {
  const groups = new Map<string | undefined, TableDefinition[]>();
  for (const table of tables) groups.set(table.data, [...(groups.get(table.data) ?? []), table]);
  return groups;
}

const trains = (tables: readonly TableDefinition[]): boolean => tables.some((table) => runsOf(table).length > 0);

/**
 * A part for each paper; of a paper with several data sets one for each of them. Throws DataError or ConfigError where a paper cannot be
 * run with these options.
 */
export async function planParts(options: PartOptions): Promise<Part[]> {
  const parts: Part[] = [];
  for (const { paper, tables: all, preset = options.preset, seeds: own } of options.selection) {
    const set = trains(all) ? overridesFor(paper, all, preset, options.set ?? new Map()) : {};
    for (const [name, tables] of byData(all)) {
      parts.push({
        paper,
        tables,
        preset,
        seeds: options.seeds ?? own ?? firstSeeds(paper.defaultSeeds(preset, name)),
        set: trains(tables) ? set : {},
        data: trains(tables) ? await paper.dataFacts(preset, options.data, name) : noData,
      });
    }
  }
  return parts;
}

/** How runs are made, beside what their part says. */
export interface PlanOptions {
  readonly out: string;
  readonly device: DeviceName;
  readonly data: string | undefined;
  readonly tuning?: Tuning | undefined;
  /** Told of finished runs that are damaged. */
  readonly notice: Notice;
}

/** Some runs of a part and all that they need, for each of its seeds; a run after those that it needs. */
export async function planPart(part: Part, chosen: readonly Run[], options: PlanOptions): Promise<PlannedRun[]> {
  const { paper, preset, seeds, set } = part;
  const { out, device, data, tuning, notice } = options;
  const runs = withNeeds(chosen);
  const wanted = (key: string): Set<string> =>
    new Set(runs.flatMap(({ needs = [] }) => needs.flatMap(({ run, weights }) => (run.key === key ? [weights] : []))));
  const planned = new Map<string, PlannedRun>();
  const keyFor = (run: Run, seed: number): string => keyOf({ paper: paper.name, run: run.key, seed });
  for (const run of runs) {
    for (const seed of seeds) {
      const request: RunRequest = { paper: paper.name, run: run.key, seed, preset, set, device, data, tuning };
      const needs = (run.needs ?? []).map((need) => ({
        by: planned.get(keyFor(need.run, seed))!,
        weights: need.weights,
      }));
      const key = keyFor(run, seed);
      const unread = { key, part, request, needs, cost: paper.cost(settingsOf(run, preset, set)) };
      planned.set(key, { ...unread, record: await recordOf(unread, wanted(run.key), out, notice) });
    }
  }
  return [...planned.values()];
}

/** Every run once, in the order of the tables; what a run needs comes before it. */
export async function planRuns(parts: readonly Part[], options: PlanOptions): Promise<PlannedRun[]> {
  const runs = new Map<string, PlannedRun>();
  for (const part of parts) {
    for (const run of await planPart(part, part.tables.flatMap(runsOf), options)) {
      if (!runs.has(run.key)) runs.set(run.key, run);
    }
  }
  return [...runs.values()];
}

/** What each paper is trained on; of several data sets all of them. */
export function dataByPaper(parts: readonly Part[]): Map<string, DataFacts> {
  const facts = new Map<string, DataFacts>();
  for (const { paper, data } of parts) {
    const before = facts.get(paper.name) ?? noData;
    if (data === noData || before === noData) {
      facts.set(paper.name, before === noData ? data : before);
      continue;
    }
    facts.set(paper.name, {
      name: `${before.name}; ${data.name}`,
      real: before.real && data.real,
      checksums: { ...before.checksums, ...data.checksums },
      remarks: [...(before.remarks ?? []), ...(data.remarks ?? [])],
    });
  }
  return facts;
}

/** The runs that each cell of the tables waits for. */
export const needsOf = (parts: readonly Part[]): CellNeeds =>
  parts.flatMap(({ paper, tables, seeds }) =>
    tables
      .flatMap(cellsOf)
      .flatMap(({ cell: { run } }) =>
        run ? [seeds.map((seed) => keyOf({ paper: paper.name, run: run.key, seed }))] : [],
      ),
  );
