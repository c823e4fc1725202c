// What a paper declares: its tables as cells with published numbers, the claims that order them, its presets, and how one
// training run is made. A run is named by (paper, run key, seed); several cells may read the same run.
import type { z } from 'zod';
import type { Device, StateDict } from '../../engine/index.ts';
import type { Checkpoint } from './checkpoint.ts';

/** `tour` is what `wgrad` does without arguments; the others are in the documentation of `reproduce`. */
export const presetNames = ['smoke', 'tour', 'laptop', 'paper'] as const;
export type PresetName = (typeof presetNames)[number];

export interface CellDefinition {
  readonly row: string;
  readonly column: string;
  /** The number in the paper; null where the paper gives none (controls, lines of a figure without values). */
  readonly published: number | null;
  /** Spread printed beside the published number; shown, not used in the verdict. */
  readonly publishedSpread?: number;
  /** Key of the run behind the cell and the name of the number in its result. Without them the cell is not attempted. */
  readonly run?: string;
  readonly metric?: string;
  /** Why the cell is not attempted. */
  readonly reason?: string;
}

/** The mean of a cell over the seeds. */
export type CellValue = (row: string, column: string) => number;

/** Something the paper states about the order of its numbers. */
export interface Claim {
  readonly text: string;
  /** The cells it is about, as [row, column]. */
  readonly cells: readonly (readonly [row: string, column: string])[];
  holds(value: CellValue): boolean;
}

export interface TableDefinition {
  /** Name on the command line: `table3`. */
  readonly name: string;
  readonly title: string;
  readonly cells: readonly CellDefinition[];
  readonly claims: readonly Claim[];
  /** How far from the published number a cell of the `paper` preset may be, in the table's units. */
  readonly tolerance: number;
  readonly format: (value: number) => string;
  /** True where every preset computes what the paper did, without its data: nothing in the table is smaller. */
  readonly presetIndependent?: boolean;
  /** Paragraphs for the report: what is compared, controls, contradictions inside the paper. */
  readonly notes: readonly string[];
  /** A conclusion drawn from the numbers. */
  readonly conclusion?: (values: CellValue) => string;
  /** Curves over epochs to draw: names of curves in the results, by run key. */
  readonly curves?: readonly { readonly run: string; readonly curve: string; readonly label: string }[];
  /** What the points of the curves are; epochs unless said otherwise. */
  readonly curveAxis?: string;
  /** Draw the cells as lines: rows along x, one line per column. */
  readonly plot?: { readonly x: string; readonly y: string };
  /** Run keys whose sample pictures are shown. */
  readonly pictures?: readonly string[];
  /** One row for each sample with the pictures of all those runs, equal ones once, instead of a row for each run. */
  readonly picturesTogether?: boolean;
}

/** Data that a preset uses, as said in every report. */
export interface DataFacts {
  readonly name: string;
  /** False where generated data stand in for the paper's. */
  readonly real: boolean;
  readonly checksums: Readonly<Record<string, string>>;
}

/** One sample: a row of pictures with captions. */
export interface Picture {
  readonly label: string;
  readonly images: readonly { readonly caption: string; /** PNG, base64 */ readonly png: string }[];
}

/**
 * All numbers that a run ends with. The same run gives the same bits, however often it was killed and resumed; what depends on
 * the machine stands among the diagnostics.
 */
export interface RunResult {
  /** Facts about this execution, such as waits for data. Kept apart from the result. */
  readonly diagnostics?: Readonly<Record<string, number>>;
  readonly metrics: Readonly<Record<string, number>>;
  readonly curves?: Readonly<Record<string, readonly number[]>>;
  readonly pictures?: readonly Picture[];
}

export interface RunContext<Settings extends object = object> {
  /** Key of the run. */
  readonly run: string;
  /** Those of its preset, with what the command changes. */
  readonly settings: Settings;
  readonly seed: number;
  readonly preset: PresetName;
  readonly device: Device;
  /** Folder of real data, or undefined for what the preset generates. */
  readonly data: string | undefined;
  /** Folder for prepared data that the runs of a command share. Without it nothing is kept. */
  readonly cache?: string;
  /** The last checkpoint of this run, if it was stopped. */
  resume(): Promise<Checkpoint | undefined>;
  save(checkpoint: Checkpoint): Promise<void>;
  /** Keeps weights beside the run's record, as safetensors, for use after the run. */
  keep(name: string, state: StateDict, metadata: Readonly<Record<string, string>>): Promise<void>;
  /** Reports units done and lets other events through. To be awaited often. */
  progress(done: number, total: number): Promise<void>;
}

/** `Settings` are those of the paper's runs; methods are declared so that papers of all settings go into one list. */
export interface Paper<Settings extends object = object> {
  /** Name on the command line and of its folder. */
  readonly name: string;
  readonly title: string;
  readonly citation: string;
  readonly tables: readonly TableDefinition[];
  /** One line per preset: what it shrinks. */
  readonly presets: Readonly<Record<PresetName, string>>;
  /** Where the paper is silent or contradicts itself, with our choice. */
  readonly ambiguities: readonly string[];
  /** What the settings of a run that trains may be: every number that decides its result, and no other. */
  readonly settings: z.ZodType<Settings>;
  defaultSeeds(preset: PresetName): number;
  /** Checks that the data are there and says what they are. Throws DataError, or ConfigError where the preset needs more. */
  dataFacts(preset: PresetName, data: string | undefined): Promise<DataFacts>;
  /** Every number that decides the result of a run, for the key of its cache and for the manifest. */
  configuration(run: string, preset: PresetName): Readonly<Record<string, unknown>>;
  /** Arithmetic of a run relative to the paper's other runs, for the order of work and the time left. */
  cost(run: string, preset: PresetName): number;
  train(context: RunContext<Settings>): Promise<RunResult>;
}

/** A claim that numbers rise along a list of cells. Equal numbers are no order: they do not fulfil it. */
export const ascending = (text: string, cells: readonly (readonly [row: string, column: string])[]): Claim => ({
  text,
  cells,
  holds: (value) => cells.slice(1).every(([row, column], i) => value(row, column) > value(...cells[i]!)),
});
