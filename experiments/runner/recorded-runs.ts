// The runs that a run folder says were made, with their numbers: from their own files, or else from the values of the tables.
import { ConfigError } from '../../engine/index.ts';
import type { DataFacts, Paper, PresetName, RunResult } from './paper.ts';
import type { RunFolder } from './read-results.ts';
import { placeOf, type TableData, valueOf } from './results.ts';
import { readRunFiles, runFileOf, type RunFiles } from './run-files.ts';
import { cellsOf, type Overrides, runNamed, runsOf, settingsOf } from './runs.ts';
import { LEAST_SEEDS, summarize } from './statistics.ts';
import type { RunRecord } from './store.ts';

/** Numbers of one run by name. */
export type Numbers = ReadonlyMap<string, number | null>;

/** A run that a folder says was made. */
export interface RecordedRun {
  readonly paper: Paper;
  /** Which of the paper's data sets it was made on, where it has several. */
  readonly dataSet: string | undefined;
  readonly run: string;
  readonly seed: number;
  readonly preset: PresetName;
  /** Settings that the command changed. */
  readonly set: Overrides;
  readonly device: string;
  readonly data: Pick<DataFacts, 'name' | 'real'>;
  readonly settings: unknown;
  /** Its own file, where the folder has it. */
  readonly record: RunRecord | undefined;
  /** All that its file says, or the values of the tables. */
  readonly numbers: Numbers;
  /** The sample standard deviation over seeds of each number; undefined where there are too few. */
  readonly spread: ReadonlyMap<string, number>;
  /** The numbers of a result by the same names. */
  readonly numbersOf: (result: RunResult) => Numbers;
}

/** Every metric and every point of every curve. */
function allNumbers({ metrics, curves = {} }: RunResult): Numbers {
  const points = Object.entries(curves).flatMap(([name, values]) =>
    values.map((value, i) => [`${name}, point ${i + 1}`, value] as const),
  );
  const found = [...Object.entries(metrics), ...points];
  return new Map(found.map(([name, value]) => [name, Number.isFinite(value) ? value : null]));
}

function spreadOf(bySeed: readonly Numbers[], names: Iterable<string>): Map<string, number> {
  const spread = new Map<string, number>();
  for (const name of names) {
    const values = bySeed.flatMap((numbers) => numbers.get(name) ?? []);
    if (values.length >= LEAST_SEEDS) spread.set(name, summarize(values).std);
  }
  return spread;
}

/** The runs of one table that have values, of all seeds. */
function runsOfTable(known: TableData, runs: RunFiles): RecordedRun[] {
  const { paper, table, preset, device, data, seeds, settings, set } = known;
  return runsOf(table).flatMap((run) => {
    const files = new Map(seeds.map((seed) => [seed, runFileOf(runs, known, run.key, seed)?.record]));
    const isOnFile = [...files.values()].every((record) => record !== undefined);
    const placed = cellsOf(table).filter(({ cell }) => cell.run?.key === run.key);
    const fromCells = (result: RunResult): Numbers =>
      new Map(placed.map(({ cell }) => [cell.metric ?? '', valueOf(cell, result) ?? null]));
    const numbersOf = isOnFile ? allNumbers : fromCells;
    const bySeed = new Map(
      seeds.flatMap((seed) => {
        if (isOnFile) return [[seed, allNumbers(files.get(seed)!.result)] as const];
        const values = placed.flatMap(({ cell, group, row, column }) => {
          const value = known.cells.get(placeOf({ group, row, column }))?.bySeed.get(seed);
          return value === undefined ? [] : [[cell.metric ?? '', value] as const];
        });
        return values.length > 0 ? [[seed, new Map(values)] as const] : [];
      }),
    );
    return [...bySeed].map(([seed, numbers]): RecordedRun => ({
      paper,
      dataSet: table.data,
      run: run.key,
      seed,
      preset,
      set,
      device,
      data,
      settings: settings.get(run.key),
      record: isOnFile ? files.get(seed) : undefined,
      numbers,
      spread: spreadOf([...bySeed.values()], numbers.keys()),
      numbersOf,
    }));
  });
}

/** A run of which two tables have values. */
const together = (a: RecordedRun, b: RecordedRun): RecordedRun => ({
  ...a,
  numbers: new Map([...a.numbers, ...b.numbers]),
  spread: new Map([...a.spread, ...b.spread]),
  numbersOf: (result) => new Map([...a.numbersOf(result), ...b.numbersOf(result)]),
});

/**
 * The runs of a folder to make again, `count` of them: of the first seed the cheapest first, then of the next seed. `only` takes
 * the runs of that name, or whose name has it in it, alone. Throws ConfigError where there is none.
 */
export async function chooseRuns(folder: RunFolder, count: number, only?: string): Promise<RecordedRun[]> {
  const files = await readRunFiles(folder.folder);
  const all = new Map<string, RecordedRun>();
  for (const each of folder.tables.flatMap((table) => runsOfTable(table, files))) {
    const key = JSON.stringify([
      each.paper.name,
      each.run,
      each.seed,
      each.preset,
      each.set,
      each.device,
      each.data.name,
    ]);
    const before = all.get(key);
    all.set(key, before && !before.record ? together(before, each) : each);
  }
  const runs = [...all.values()];
  const exactly = runs.filter(({ run }) => run === only);
  const wanted =
    only === undefined ? runs : exactly.length > 0 ? exactly : runs.filter(({ run }) => run.includes(only));
  if (wanted.length === 0) {
    const names = [...new Set(runs.map(({ run }) => run))];
    throw new ConfigError(
      only === undefined ? 'the folder has no run to make again' : `the folder has no run '${only}'`,
      {
        expected: names.join('; ') || 'a folder with values',
      },
    );
  }
  const cost = ({ paper, run, preset, set }: RecordedRun): number =>
    paper.cost(settingsOf(runNamed(paper, run), preset, set));
  return wanted.sort((a, b) => a.seed - b.seed || cost(a) - cost(b) || a.run.localeCompare(b.run)).slice(0, count);
}
