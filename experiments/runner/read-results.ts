// Reading run folders back: what can be used, and each file that cannot with what is wrong with it. A damaged file, or one of a
// newer version, is refused by name; the rest of the folder is kept.
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { DataError } from '../../engine/index.ts';
import { papers } from '../papers/index.ts';
import { type Manifest, MANIFEST_VERSION } from './manifest.ts';
import type { Paper, TableDefinition } from './paper.ts';
import {
  controlsSchema,
  curvesSchema,
  panelsSchema,
  RESULTS_VERSION,
  resultsSchema,
  runsSchema,
  type TableResult,
} from './result-files.ts';
import { type CellData, noData, placeOf, type TableData } from './results.ts';
import { cellsOf, runsOf } from './runs.ts';

/** What of a manifest is looked at; the rest is kept as it is. */
const manifestSchema = z.looseObject({
  wgrad: z.string(),
  device: z.record(z.string(), z.unknown()),
  configurations: z.record(z.string(), z.record(z.string(), z.unknown())),
  commandLine: z.array(z.string()),
  finished: z.string(),
});

/** What a run folder holds, as far as it can be read. */
export interface RunFolder {
  readonly folder: string;
  readonly manifest: Manifest | undefined;
  readonly tables: readonly TableData[];
  /** One line for each file that was refused. */
  readonly problems: readonly string[];
  readonly refusals: readonly Refusal[];
  /** The folder of each table's files. */
  readonly places: ReadonlyMap<TableData, string>;
}

/** A file that was not used, or a part of it. */
export interface Refusal {
  readonly file: string;
  /** `stale`: of another version, or about something that this version does not have. */
  readonly kind: 'damaged' | 'stale';
  readonly what: string;
}

/** Folders of a run folder that hold no tables. */
const otherFolders = new Set(['runs', 'cache', 'attempts']);

/** The folders below, and this one, that hold the files of a table. */
async function tableFolders(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const below = entries.filter((entry) => entry.isDirectory() && !otherFolders.has(entry.name));
  const found = await Promise.all(below.map(({ name }) => tableFolders(path.join(folder, name))));
  const own = entries.some(({ name }) => name === 'results.json') ? [folder] : [];
  return [...own, ...found.flat()].sort();
}

/** Reads files of a folder and remembers what was wrong with them. */
class Reader {
  readonly refusals: Refusal[] = [];

  /** The file, checked; undefined if it is not there or refused. */
  async read<T>(file: string, schema: z.ZodType<T>, newest: number): Promise<T | undefined> {
    const value = await this.parse(file);
    if (value === undefined) return undefined;
    const version = (value as { version?: unknown } | null)?.version ?? 1;
    if (version !== newest && !(file.endsWith('manifest.json') && version === 1)) {
      const older = typeof version === 'number' && version < newest;
      const what = older
        ? 'an older version; make it anew'
        : 'a version that this wgrad does not know; use a newer one';
      return this.refuse(file, `it is of version ${String(version)}, ${what}`, 'stale');
    }
    const { success, data, error } = schema.safeParse(value);
    if (success) return data;
    const [issue] = error.issues;
    return this.refuse(file, `${issue?.path.join('.') || 'the whole file'}: ${issue?.message}`);
  }

  async parse(file: string): Promise<unknown> {
    let text: string;
    try {
      text = await readFile(file, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      return this.refuse(file, `it cannot be read: ${(error as Error).message}`);
    }
    try {
      return JSON.parse(text) as unknown;
    } catch (error) {
      return this.refuse(file, `it is damaged: ${(error as Error).message}`);
    }
  }

  refuse(file: string, what: string, kind: Refusal['kind'] = 'damaged'): undefined {
    this.refusals.push({ file, kind, what });
    return undefined;
  }
}

const definitionOf = ({ paper, table }: TableResult): { paper: Paper; table: TableDefinition } | undefined => {
  const found = papers.find(({ name }) => name === paper);
  const definition = found?.tables.find(({ name }) => name === table);
  return found && definition && { paper: found, table: definition };
};

/** The values by place. Cells that the table does not have are named among the problems. */
function cellData(
  { seeds, cells }: TableResult,
  controls: TableResult['cells'],
  table: TableDefinition,
  unknown: (place: string) => void,
): Map<string, CellData> {
  const known = new Set(cellsOf(table).map(placeOf));
  const found = new Map<string, CellData>();
  for (const { group, row, column, ours, reason } of [...cells, ...controls]) {
    const place = placeOf({ group, row, column });
    if (!known.has(place)) unknown([group, row, column].filter(Boolean).join(', '));
    else if (ours && ours.values.length !== seeds.length) unknown(`${row}, ${column}, with values of other seeds`);
    else found.set(place, { bySeed: new Map(ours?.values.map((value, i) => [seeds[i]!, value])), reason });
  }
  return found;
}

async function readTable(
  reader: Reader,
  folder: string,
  manifest: Manifest | undefined,
): Promise<TableData | undefined> {
  const of = (name: string): string => path.join(folder, name);
  const result = await reader.read(of('results.json'), resultsSchema, RESULTS_VERSION);
  if (!result) return undefined;
  const found = definitionOf(result);
  if (!found) return reader.refuse(of('results.json'), `wgrad has no table ${result.paper}/${result.table}`, 'stale');
  const controls = await reader.read(of('controls.json'), controlsSchema, RESULTS_VERSION);
  const curves = await reader.read(of('curves.json'), curvesSchema, RESULTS_VERSION);
  const panels = await reader.read(of('panels.json'), panelsSchema, RESULTS_VERSION);
  const made = await reader.read(of('runs.json'), runsSchema, RESULTS_VERSION);
  const { paper, table } = found;
  const recorded = manifest?.configurations[paper.name] ?? {};
  const keys = runsOf(table).map(({ key }) => key);
  const costs = (made?.runs ?? []).filter(({ run }) => keys.includes(run));
  const lines = curves?.lines.map(({ label, bySeed }) => {
    const values = bySeed.map((line) => [line.seed, line.values.map((value) => value ?? NaN)] as const);
    return [label, new Map(values)] as const;
  });
  return {
    paper,
    table,
    preset: result.preset ?? 'paper',
    device: result.device ?? '',
    data: result.data ?? noData,
    set: result.set ?? {},
    seeds: result.seeds,
    cells: cellData(result, controls?.cells ?? [], table, (place) =>
      reader.refuse(of('results.json'), `${paper.name}/${table.name} has no cell ${place}`, 'stale'),
    ),
    // The manifest is that of the last command: a table that was made before has its own record.
    settings: new Map([
      ...keys.flatMap((key) => (key in recorded ? [[key, recorded[key]] as const] : [])),
      ...costs.map(({ run, settings }) => [run, settings] as const),
    ]),
    curves: new Map(lines),
    panels: panels?.panels ?? [],
    costs: costs.map(({ settings: _, ...cost }) => cost),
  };
}

/** Reads a run folder. Throws DataError where there is none; what is wrong with single files stands among the problems. */
export async function readRunFolder(folder: string): Promise<RunFolder> {
  const reader = new Reader();
  let places: string[];
  try {
    places = await tableFolders(folder);
  } catch (cause) {
    throw new DataError(`there is no run folder '${folder}'`, {
      given: (cause as NodeJS.ErrnoException).code,
      hint: 'Give a folder that `wgrad reproduce` has written (--out)',
      cause,
    });
  }
  const file = path.join(folder, 'manifest.json');
  const manifest = (await reader.read(file, manifestSchema, MANIFEST_VERSION)) as Manifest | undefined;
  const tables = new Map<TableData, string>();
  for (const place of places) {
    // The list of all tables repeats what stands in their own folders.
    if (place === folder && places.length > 1) continue;
    const table = await readTable(reader, place, manifest);
    if (table) tables.set(table, place);
  }
  if (places.length === 0) {
    throw new DataError(`there are no results in '${folder}'`, {
      expected: 'results.json of at least one table below it',
      hint: 'Give a folder that `wgrad reproduce` has written (--out)',
    });
  }
  const order = (each: TableData): number => 1000 * papers.indexOf(each.paper) + each.paper.tables.indexOf(each.table);
  const { refusals } = reader;
  const problems = refusals.map(({ file: refused, what }) => `${refused}: ${what}`);
  const sorted = [...tables.keys()].sort((a, b) => order(a) - order(b));
  return { folder, manifest, tables: sorted, problems, refusals, places: tables };
}
