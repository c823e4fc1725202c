// The files that people and programs read in a run folder. For each table `<paper>/<table>/`:
//
//   results.json    the paper's cells with our values by seed and their verdicts
//   controls.json   our numbers that the paper does not have
//   claims.json     the paper's claims with effects, intervals and verdicts
//   curves.json     curves by seed, to six digits or as many as keep the file small
//   panels.json     sample pictures of the first seed, scaled down where they are large
//   runs.json       settings, time, arithmetic and memory of its runs
//
// and in the folder itself results.json with all tables. Values are the record; verdicts and claims are made anew from them by
// whoever reads a folder (read-results.ts).
import path from 'node:path';
import { z } from 'zod';
import { boundedCurves, boundedPanels } from '../report/bounded.ts';
import type { CellView, MatrixView, TableView } from '../report/view.ts';
import { presetNames } from './paper.ts';
import { cellsOf } from './runs.ts';
import type { TableData } from './results.ts';
import { writeSealed } from './seal.ts';

/** Raised when a reader of the version before would misunderstand a file. Files without a version are of 1. */
export const RESULTS_VERSION = 2;

const number = z.number();
const oursSchema = z.object({
  mean: number,
  std: number,
  n: number,
  values: z.array(number),
  interval: z.tuple([number, number]).nullable(),
});
const cellSchema = z.object({
  /** Title of the matrix of a control. */
  group: z.string().optional(),
  row: z.string(),
  column: z.string(),
  /** Run and metric behind the cell. */
  run: z.string().optional(),
  metric: z.string().optional(),
  published: number.nullable(),
  /** Values in the order of the table's seeds. */
  ours: oursSchema.nullable(),
  /** Null for a number without a published one. */
  verdict: z.string().nullable(),
  reason: z.string().optional(),
});
/** Schema of `results.json` of a table: what was run, and its cells with their verdicts. */
export const resultsSchema = z.object({
  version: number,
  paper: z.string(),
  table: z.string(),
  /** What was run; null where nothing was. */
  preset: z.enum(presetNames).nullable(),
  device: z.string().nullable(),
  data: z.object({ name: z.string(), real: z.boolean() }).nullable(),
  /** Settings that the command changed; absent where it changed none. */
  set: z.record(z.string(), z.unknown()).optional(),
  seeds: z.array(number),
  cells: z.array(cellSchema),
});
/** Schema of the file of control runs, cell by cell. */
export const controlsSchema = z.object({ version: number, cells: z.array(cellSchema) });
/** Schema of the file of curves, by seed. */
export const curvesSchema = z.object({
  version: number,
  lines: z.array(
    z.object({ label: z.string(), bySeed: z.array(z.object({ seed: number, values: z.array(number.nullable()) })) }),
  ),
});
/** Schema of the file of pictures. */
export const panelsSchema = z.object({
  version: number,
  panels: z.array(z.object({ label: z.string(), images: z.array(z.object({ caption: z.string(), png: z.string() })) })),
});
/** Schema of the file of runs with their settings and costs. */
export const runsSchema = z.object({
  version: number,
  runs: z.array(
    z.object({
      run: z.string(),
      settings: z.unknown(),
      seconds: z.array(number),
      flops: number.optional(),
      peakBytes: number.optional(),
    }),
  ),
});

/** One table of results.json. */
export type TableResult = z.infer<typeof resultsSchema>;
/** A cell as `results.json` holds it. */
export type CellResult = z.infer<typeof cellSchema>;

function cellResult({ ours, published, verdict, reason }: CellView): Omit<CellResult, 'row' | 'column'> {
  return {
    published: published?.value ?? null,
    ours: ours
      ? {
          mean: ours.mean,
          std: ours.std,
          n: ours.bySeed.length,
          values: ours.bySeed.map(({ value }) => value),
          interval: ours.interval ? [...ours.interval] : null,
        }
      : null,
    verdict,
    ...(reason === undefined ? {} : { reason }),
  };
}

function cellResults({ table }: TableData, matrices: readonly MatrixView[]): CellResult[] {
  const placed = cellsOf(table);
  return matrices.flatMap(({ title, columns, rows }) =>
    rows.flatMap(({ name: row, cells }) =>
      cells.flatMap((view, i): CellResult[] => {
        if (!view) return [];
        const column = columns[i]!.name;
        const found = placed.find((each) => each.group === title && each.row === row && each.column === column);
        const { run, metric } = found!.cell;
        return [
          {
            ...(title === undefined ? {} : { group: title }),
            row,
            column,
            ...(run && metric !== undefined ? { run: run.key, metric } : {}),
            ...cellResult(view),
          },
        ];
      }),
    ),
  );
}

/** A table as results.json has it. */
export const tableResult = (known: TableData, { setting, matrix, paper, name }: TableView): TableResult => ({
  version: RESULTS_VERSION,
  paper,
  table: name,
  preset: setting ? known.preset : null,
  device: setting ? setting.device : null,
  data: setting ? { ...setting.data } : null,
  ...(setting && Object.keys(setting.set).length > 0 ? { set: { ...setting.set } } : {}),
  seeds: setting ? [...setting.seeds] : [],
  cells: matrix ? cellResults(known, [matrix]) : [],
});

/** The files of a table by name. A file that would hold nothing is absent. */
export async function tableFiles(known: TableData, view: TableView): Promise<Map<string, object>> {
  const version = RESULTS_VERSION;
  const files = new Map<string, object>([['results.json', tableResult(known, view)]]);
  const controls = cellResults(known, view.besides);
  if (controls.length > 0) files.set('controls.json', { version, cells: controls });
  if (view.claims.length > 0) files.set('claims.json', { version, claims: view.claims });
  if (view.curves) files.set('curves.json', { version, lines: boundedCurves(view.curves.lines) });
  if (view.panels.length > 0) files.set('panels.json', { version, panels: await boundedPanels(view.panels) });
  const runs = view.costs.map(({ run, ...cost }) => ({ run, settings: known.settings.get(run), ...cost }));
  if (runs.length > 0) files.set('runs.json', { version, runs });
  return files;
}

/** Long lists of numbers and pictures are not indented: that would be most of the file. */
const compactFiles: readonly string[] = ['curves.json', 'panels.json'];

/** Writes the files of a table, each with its checksum. */
export async function writeTableFiles(folder: string, files: ReadonlyMap<string, object>): Promise<void> {
  for (const [name, content] of files) {
    await writeSealed(path.join(folder, name), content, { isCompact: compactFiles.includes(name) });
  }
}

/** Writes the files of each table and the list of all of them, each with its checksum. */
export async function writeResults(
  out: string,
  tables: readonly { readonly known: TableData; readonly view: TableView }[],
): Promise<void> {
  for (const { known, view } of tables) {
    await writeTableFiles(path.join(out, view.paper, view.name), await tableFiles(known, view));
  }
  await writeSealed(path.join(out, 'results.json'), {
    version: RESULTS_VERSION,
    tables: tables.map(({ known, view }) => tableResult(known, view)),
  });
}
