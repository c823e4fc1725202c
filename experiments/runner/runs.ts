// The runs of a paper: found by key, and the one place where their settings are computed.
import { isDeepStrictEqual } from 'node:util';
import { ConfigError } from '../../engine/index.ts';
import { asJson } from './difference.ts';
import type { Cell, Column, Matrix, Paper, PresetName, Run, TableDefinition } from './paper.ts';

/** Settings of a run by name; some hold settings of their own. */
export type Settings = Readonly<Record<string, unknown>>;
/** Values by key: a setting's name, with dots below it (`images.size`). */
export type Overrides = Readonly<Record<string, unknown>>;

function changed(settings: Settings, [name, ...below]: readonly string[], value: unknown): Settings {
  if (name === undefined || !Object.hasOwn(settings, name)) return settings;
  if (below.length === 0) return { ...settings, [name]: value };
  const inner = settings[name];
  return isPlain(inner) ? { ...settings, [name]: changed(inner, below, value) } : settings;
}

/** The settings with the overrides in place of their own values. A key that they do not have changes nothing. */
export const applyOverrides = (settings: Settings, set: Overrides = {}): Settings =>
  Object.entries(set).reduce((result, [key, value]) => changed(result, key.split('.'), value), settings);

/** Settings that the runner adds to those of a run where a command asks for them, and that are no paper's. */
export const ownSettings = ['parts'] as const;

/** The settings of a run as they are trained with, recorded and fingerprinted: those of its preset, with what the command changes. */
export const settingsOf = (run: Run, preset: PresetName, set: Overrides = {}): Settings => ({
  ...applyOverrides(run.settings(preset) as Settings, set),
  ...Object.fromEntries(ownSettings.flatMap((key) => (set[key] === undefined ? [] : [[key, set[key]]]))),
});

/** Whether all that is recorded is in `wanted` too, with the same values. */
export function agrees(recorded: unknown, wanted: unknown): boolean {
  if (!isPlain(recorded) || !isPlain(wanted)) return isDeepStrictEqual(recorded, wanted);
  return Object.entries(recorded).every(([name, value]) => agrees(value, wanted[name]));
}

/** Whether a value has values by name: lists are one value. */
export const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Whether settings, perhaps read from a file, are those of the paper. A number that an earlier version did not record was none
 * that could be set.
 */
export const isPaperScale = (run: Run, settings: unknown): boolean =>
  isPlain(settings) && agrees(asJson(settings), asJson(run.settings('paper')));

/** A cell with the place where it stands in its table. */
export interface PlacedCell {
  readonly cell: Cell;
  /** Title of the matrix it stands in; undefined for the paper's own. */
  readonly group: string | undefined;
  readonly row: string;
  readonly column: string;
  readonly format: Column['format'];
}

/** The matrices of a table, the paper's own first. */
export const matricesOf = ({ matrix, besides = [] }: TableDefinition): Matrix[] => [
  ...(matrix ? [matrix] : []),
  ...besides,
];

/** All cells of a table with their places. */
export const cellsOf = (table: TableDefinition): PlacedCell[] =>
  matricesOf(table).flatMap(({ title, columns, rows }) =>
    rows.flatMap(([row, ...cells]) =>
      cells.flatMap((cell, i) => {
        const { name, format } = columns[i]!;
        return cell ? [{ cell, group: title, row, column: name, format }] : [];
      }),
    ),
  );

/** The runs that a table reads (cells, curves and pictures), each once. */
export function runsOf(table: TableDefinition): Run[] {
  const runs = [
    ...cellsOf(table).flatMap(({ cell }) => cell.run ?? []),
    ...(table.curves ?? []).map(({ run }) => run),
    ...(table.pictures ?? []),
  ];
  return [...new Map(runs.map((run) => [run.key, run])).values()];
}

/** The runs with all that these need, each once, a run after those that it needs. */
export function withNeeds(runs: readonly Run[]): Run[] {
  const found = new Map<string, Run>();
  const visit = (run: Run): void => {
    if (found.has(run.key)) return;
    for (const need of run.needs ?? []) visit(need.run);
    found.set(run.key, run);
  };
  runs.forEach(visit);
  return [...found.values()];
}

/** The run of that key. Throws ConfigError where the paper has none. */
export function runNamed(paper: Paper, key: string): Run {
  const run = withNeeds(paper.tables.flatMap(runsOf)).find((each) => each.key === key);
  if (!run) throw new ConfigError(`no run '${key}' in ${paper.name}`);
  return run;
}
