// What a command will do, before it does anything: the data, seeds and overrides of each paper, the runs that the chosen tables
// need, which of them are on disk, and what the others cost.
import type { DeviceName, Tuning } from '../../engine/index.ts';
import { overridesFor, overridesText } from './overrides.ts';
import type { DataFacts, Paper, PresetName, TableDefinition } from './paper.ts';
import { type CellNeeds, keyOf } from './progress.ts';
import { noData } from './results.ts';
import { cellsOf, type Overrides, runsOf, settingsOf } from './runs.ts';
import { firstSeeds, seedsText } from './seeds.ts';
import { type Notice, type RunRecord, type RunRequest, RunStore } from './store.ts';

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

export interface PlannedRun {
  readonly key: string;
  readonly part: Part;
  readonly request: RunRequest;
  /** Arithmetic relative to the paper's other runs. */
  readonly cost: number;
  /** The finished run, where it is on disk. */
  readonly record: RunRecord | undefined;
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

/** Throws DataError or ConfigError where a paper cannot be run with these options. */
export async function planParts(options: PartOptions): Promise<Part[]> {
  const parts: Part[] = [];
  for (const { paper, tables, preset = options.preset, seeds: own } of options.selection) {
    const seeds = options.seeds ?? own ?? firstSeeds(paper.defaultSeeds(preset));
    const trains = tables.some((table) => runsOf(table).length > 0);
    const set = trains ? overridesFor(paper, tables, preset, options.set ?? new Map()) : {};
    parts.push({
      paper,
      tables,
      preset,
      seeds,
      set,
      data: trains ? await paper.dataFacts(preset, options.data) : noData,
    });
  }
  return parts;
}

/** Every run once, in the order of the tables. `notice` is told of finished runs that are damaged. */
export async function planRuns(
  parts: readonly Part[],
  {
    out,
    device,
    data,
    tuning,
    notice,
  }: {
    out: string;
    device: DeviceName;
    data: string | undefined;
    tuning: Tuning | undefined;
    notice: Notice;
  },
): Promise<PlannedRun[]> {
  const runs = new Map<string, PlannedRun>();
  for (const part of parts) {
    const { paper, preset, seeds, set } = part;
    for (const run of part.tables.flatMap(runsOf)) {
      for (const seed of seeds) {
        const request: RunRequest = { paper: paper.name, run: run.key, seed, preset, set, device, data, tuning };
        const key = keyOf(request);
        if (runs.has(key)) continue;
        const record = await new RunStore(out, request, paper, part.data).read(notice);
        runs.set(key, { key, part, request, cost: paper.cost(settingsOf(run, preset, set)), record });
      }
    }
  }
  return [...runs.values()];
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
