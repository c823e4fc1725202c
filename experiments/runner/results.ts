// What is known of one table: values by place and seed, settings, curves, pictures and costs. It comes from the records of runs
// just made, or from the files of a run folder; verdicts are made from it anew each time.
import type { Cell, DataFacts, Paper, Picture, PresetName, RunResult, TableDefinition } from './paper.ts';
import { cellsOf, type Overrides, type PlacedCell, runsOf } from './runs.ts';
import type { RunRecord } from './store.ts';
import type { CellOutcome } from './verdict.ts';

/** Data of a table without runs. */
export const noData: DataFacts = { name: 'none', real: false, checksums: {} };

/** The values of a cell by seed. */
export interface CellData {
  readonly bySeed: ReadonlyMap<number, number>;
  /** Why seeds are missing. */
  readonly reason?: string | undefined;
}

/** Values at points 1, 2, ... of each seed, by label. */
export type CurveData = ReadonlyMap<string, ReadonlyMap<number, readonly number[]>>;

/** What the runs of one kind have cost. */
export interface Cost {
  readonly run: string;
  /** Of the process of each seed; a resumed run counts its last part only. */
  readonly seconds: readonly number[];
  readonly flops?: number | undefined;
  readonly peakBytes?: number | undefined;
}

/** The values of a table, before they are judged. */
export interface TableData {
  readonly paper: Paper;
  readonly table: TableDefinition;
  readonly preset: PresetName;
  readonly device: string;
  readonly data: Pick<DataFacts, 'name' | 'real'>;
  /** Settings that the command changed. */
  readonly set: Overrides;
  /** Ascending. */
  readonly seeds: readonly number[];
  /** By `placeOf`. */
  readonly cells: ReadonlyMap<string, CellData>;
  /** Settings that the runs were made with, by key. */
  readonly settings: ReadonlyMap<string, unknown>;
  readonly curves: CurveData;
  /** Of the first seed. */
  readonly panels: readonly Picture[];
  readonly costs: readonly Cost[];
}

/** Records and failures of all runs of a command. */
export interface RunOutcomes {
  record(paper: string, run: string, seed: number): RunRecord | undefined;
  failure(paper: string, run: string, seed: number): string | undefined;
}

/** A key for the place of a cell within its table. */
export const placeOf = ({ group, row, column }: Pick<PlacedCell, 'group' | 'row' | 'column'>): string =>
  JSON.stringify([group ?? null, row, column]);

/** The values of a cell in the order of the seeds, if none is missing. */
export function outcomeOf({ cells, seeds }: Pick<TableData, 'cells' | 'seeds'>, placed: PlacedCell): CellOutcome {
  const { reason = 'no run is defined for it' } = placed.cell;
  const found = cells.get(placeOf(placed));
  if (!found) return { reason: placed.cell.run ? 'not among these results' : reason };
  const values = seeds.flatMap((seed) => found.bySeed.get(seed) ?? []);
  if (values.length === seeds.length && values.length > 0) return { values };
  const missing = seeds.find((seed) => !found.bySeed.has(seed));
  return { reason: found.reason ?? (placed.cell.run ? `there is no value of seed ${missing}` : reason) };
}

/** What the labels of all runs begin with, and what is said of some alone: `image 0, dog; mtl, oeq: taken for a cat`. */
function labelOf(rows: readonly (readonly [run: string, picture: Picture])[]): string {
  const parts = rows.map(([run, { label }]) => ({ run, parts: label.split(', ') }));
  const first = parts[0]!.parts;
  const end = first.findIndex((part, i) => parts.some((each) => each.parts[i] !== part));
  const common = end === -1 ? first : first.slice(0, end);
  const runsByRest = new Map<string, string[]>();
  for (const { run, parts: own } of parts) {
    const rest = own.slice(common.length).join(', ');
    if (rest !== '') runsByRest.set(rest, [...(runsByRest.get(rest) ?? []), run]);
  }
  const rests = [...runsByRest].map(([rest, runs]) => `${runs.join(', ')}: ${rest}`);
  return [common.join(', '), ...rests].filter(Boolean).join('; ');
}

/** The pictures of several runs of one sample in one row, equal pictures once; labels that differ become captions. */
function together(rows: readonly (readonly [run: string, picture: Picture])[]): Picture {
  const images = rows.flatMap(([run, picture]) =>
    picture.images.map(({ caption, png }) => ({ caption: `${run}: ${caption}`, png })),
  );
  const first = (png: string): number => images.findIndex((image) => image.png === png);
  return {
    label: labelOf(rows),
    images: images.filter(({ png }, i) => first(png) === i),
  };
}

function panelsOf(table: TableDefinition, record: (run: string) => RunRecord | undefined): Picture[] {
  const runs = (table.pictures ?? []).flatMap(({ key }) => {
    const pictures = record(key)?.result.pictures;
    return pictures ? [{ key, pictures }] : [];
  });
  if (!table.picturesTogether) {
    return runs.flatMap(({ key, pictures }) => pictures.map((each) => ({ ...each, label: `${key}, ${each.label}` })));
  }
  const samples = Math.max(0, ...runs.map(({ pictures }) => pictures.length));
  return Array.from({ length: samples }, (_, i) =>
    together(runs.flatMap(({ key, pictures }) => (pictures[i] ? [[key, pictures[i]] as const] : []))),
  );
}

/** The number of a cell in the result of its run. */
export function valueOf({ metric = '', point }: Cell, result: RunResult | undefined): number | undefined {
  if (!point) return result?.metrics[metric];
  const curve = result?.curves?.[point.curve];
  return curve?.[Math.ceil(point.share * curve.length) - 1];
}

/** Gathers a table from the records of its runs. */
export function gatherTable(
  paper: Paper,
  table: TableDefinition,
  setting: { preset: PresetName; device: string; data: DataFacts; seeds: readonly number[]; set?: Overrides },
  outcomes: RunOutcomes,
): TableData {
  const { preset, device, seeds, set = {} } = setting;
  const runs = runsOf(table);
  const record = (run: string, seed: number): RunRecord | undefined => outcomes.record(paper.name, run, seed);
  const cells = new Map<string, CellData>();
  for (const placed of cellsOf(table)) {
    const { run, metric } = placed.cell;
    if (!run) continue;
    const bySeed = new Map<number, number>();
    let reason: string | undefined;
    for (const seed of seeds) {
      const value = valueOf(placed.cell, record(run.key, seed)?.result);
      if (value !== undefined && Number.isFinite(value)) bySeed.set(seed, value);
      else reason ??= outcomes.failure(paper.name, run.key, seed) ?? `the run of seed ${seed} has no '${metric}'`;
    }
    cells.set(placeOf(placed), { bySeed, reason });
  }
  const records = runs.map(({ key }) => [key, seeds.flatMap((seed) => record(key, seed) ?? [])] as const);
  const curves = (table.curves ?? []).map(({ run, curve, label }) => {
    const values = seeds.flatMap((seed) => {
      const points = record(run.key, seed)?.result.curves?.[curve];
      return points ? [[seed, points] as const] : [];
    });
    return [label, new Map(values)] as const;
  });
  return {
    paper,
    table,
    preset,
    device,
    data: runs.length > 0 ? setting.data : noData,
    set,
    seeds: [...seeds].sort((a, b) => a - b),
    cells,
    settings: new Map(records.flatMap(([key, [first]]) => (first ? [[key, first.configuration]] : []))),
    curves: new Map(curves),
    panels: panelsOf(table, (key) => record(key, seeds[0]!)),
    costs: records.flatMap(([run, list]) =>
      list.length > 0
        ? [{ run, seconds: list.map(({ seconds }) => seconds), flops: list[0]!.flops, peakBytes: list[0]!.peakBytes }]
        : [],
    ),
  };
}
