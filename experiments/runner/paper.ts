// What a paper declares: its tables as cells with published numbers, the claims about them, its runs and presets, and how one
// run is made. Runs and cells are values: a claim refers to the cells themselves, and several cells may read the same run.
import type { z } from 'zod';
import type { Device, StateDict } from '../../engine/index.ts';
import type { PictureOptions } from '../data/formats/picture.ts';
import type { Parts } from '../parallel/parts.ts';
import type { Checkpoint } from './checkpoint.ts';

/** `tour` is what `wgrad` does without arguments; the others are in the documentation of `reproduce`. */
export const presetNames = ['smoke', 'tour', 'laptop', 'paper'] as const;
/** The size at which a paper is run. */
export type PresetName = (typeof presetNames)[number];

/** One training run of a paper, for any seed. */
export interface Run<Settings extends object = object> {
  /** Its name within the paper, for people and for files. Nothing is read out of it. */
  readonly key: string;
  /** Every number that decides its result. Runs of the same key have the same settings. */
  settings(preset: PresetName): Settings;
  /** True where the result follows from the settings alone, without data and chance: one seed is as good as many. */
  readonly exact?: boolean;
  /** Runs that must be finished before it, of the same seed and the same data: it is made with their weights. */
  readonly needs?: readonly Need[];
}

/** Weights of another run. */
export interface Need {
  readonly run: Run;
  /** The name under which that run keeps them (`RunContext.keep`). */
  readonly weights: string;
}

/** A place in a table: a published number, what we have for it, or both. */
export interface Cell {
  readonly run?: Run;
  /** Name of the number among the metrics of the run. */
  readonly metric?: string;
  /** Read from a curve of the run instead: its value after that share of the training, above 0 and at most 1. */
  readonly point?: { readonly curve: string; readonly share: number };
  /** The number in the paper; undefined where the paper gives none. */
  readonly published?: number;
  /** Spread printed beside the published number. */
  readonly publishedSpread?: number;
  /** Where the published number stands, if not in the table's own source. */
  readonly source?: string;
  /** Why nothing is run for it. */
  readonly reason?: string;
  /** Something to be said about this cell alone, such as a misprint. */
  readonly note?: string;
}

/** How far from a published number counts as the same number, in its units. */
export interface Tolerance {
  of(cell: Cell): number;
  /** Where it comes from: the printed digits, a published spread, the protocol. */
  readonly source: string;
}

/** A column of a table. */
export interface Column {
  readonly name: string;
  /** The better direction; undefined where neither is. */
  readonly better?: 'higher' | 'lower';
  readonly format: (value: number) => string;
  /** Needed where a cell of the column has a published number. */
  readonly tolerance?: Tolerance;
}

/** Rows and columns of cells; null where there is nothing. */
export interface Matrix {
  /** What it is, where it is not the paper's own table. */
  readonly title?: string;
  /** What the rows are. */
  readonly corner: string;
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly [name: string, ...cells: (Cell | null)[]])[];
}

/** The value of a cell for one seed. */
export type CellValue = (cell: Cell) => number;

/** Something that is compared, computed from the cells of one seed. */
export interface Effect {
  /** Absent for a plain difference, which the names of its cells describe. */
  readonly text?: string;
  readonly cells: readonly Cell[];
  of(value: CellValue): number;
  /** Which side of `size` it is claimed to lie on. */
  readonly direction: 'above' | 'below';
  /** In the units of the effect; 0 where only a direction is claimed. */
  readonly size: number;
}

/** Something the paper states about its numbers. */
export interface Claim {
  readonly text: string;
  /** Page, section, table or figure, if not that of the table. */
  readonly source?: string;
  /** All must be as claimed. Written in the format of the first cell. */
  readonly effects: readonly Effect[];
}

/** A table or figure of a paper: its runs, published numbers and claims. */
export interface TableDefinition {
  /** Name on the command line: `table3`. */
  readonly name: string;
  readonly title: string;
  /** Where the published numbers stand: `Table 3`. Absent for a study of ours. */
  readonly source?: string;
  /** Figures among the source that are pictures or curves alone; where it is absent, all of them in a table without numbers. */
  readonly drawn?: string;
  /** Which of the paper's data sets its runs are made on, where it has several: a name for `dataFacts` and `defaultSeeds`. */
  readonly data?: string;
  /** The paper's table in its own shape. Absent for a study of ours. */
  readonly matrix?: Matrix;
  /** Controls, searches and counters: our numbers that the paper does not have. */
  readonly besides?: readonly Matrix[];
  readonly claims?: readonly Claim[];
  /** Paragraphs for the report: what is compared, contradictions inside the paper. */
  readonly notes?: readonly string[];
  /** A conclusion drawn from the means. */
  readonly conclusion?: (value: CellValue) => string;
  /** Curves to draw: names of curves in the results, by run. */
  readonly curves?: readonly { readonly run: Run; readonly curve: string; readonly label: string }[];
  /** What the points of the curves are; epochs unless said otherwise. */
  readonly curveAxis?: string;
  /** For curves of positive values that fall through several powers of ten. */
  readonly curveScale?: 'log';
  /** Draw the matrix as lines: rows along x, one line per column. */
  readonly plot?: { readonly x: string; readonly y: string };
  /** Runs whose sample pictures are shown. */
  readonly pictures?: readonly Run[];
  /** One row for each sample with the pictures of all those runs, equal ones once, instead of a row for each run. */
  readonly picturesTogether?: boolean;
}

/** Something that the paper prints and that no table or claim names as its source. */
export interface OtherItem {
  /** Where it stands: `Figure 5`, `text`. */
  readonly place: string;
  readonly what: string;
  /** The table, by name, that answers it, or why nothing is run for it. */
  readonly answer: { readonly table: string } | { readonly why: string };
}

/** Data that a preset uses, as said in every report. */
export interface DataFacts {
  readonly name: string;
  /** False where generated data stand in for the paper's. */
  readonly real: boolean;
  readonly checksums: Readonly<Record<string, string>>;
  /** What is to be said aloud and decides nothing: files that were passed over, doubts about the data. */
  readonly remarks?: readonly string[];
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

/** What a run is given to work with. */
export interface RunContext {
  /** Key of the run. */
  readonly run: string;
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
  /** Files of the weights that the run needs, by the key of the run that has kept them. */
  readonly needed?: ReadonlyMap<string, string>;
  /** Keeps weights beside the run's record, as safetensors, for use after the run. */
  keep(name: string, state: StateDict, metadata: Readonly<Record<string, string>>): Promise<void>;
  /** Whether training steps are run as they are, without `compile`. The bits are the same either way. Default: false. */
  readonly eager?: boolean | undefined;
  /** The parts that the batches of its steps are made of. Default: each batch is one. */
  readonly parts?: Parts | undefined;
  /** Reports units done and lets other events through. To be awaited often. */
  progress(done: number, total: number): Promise<void>;
}

/** What a paper trains with: the settings are those of the run and the preset, after all changes asked for. */
export interface TrainContext<Settings extends object = object> extends RunContext {
  readonly settings: Settings;
}

/** What `wgrad predict` may be asked for besides. */
export interface PredictOptions extends PictureOptions {
  /** Depth maps alone, each under the name of its picture, as test servers take them. */
  readonly upload?: boolean | undefined;
}

/** A trained network for `wgrad predict`. */
export interface Predictor {
  readonly parameterCount: number;
  /** Writes what it makes of one picture to a folder. Returns what the picture was and where the result is, in words. */
  predict(image: string, out: string, options?: PredictOptions): Promise<string>;
}

/** `Settings` are those of the paper's runs; methods are declared so that papers of all settings go into one list. */
export interface Paper<Settings extends object = object> {
  /** Name on the command line and of its folder. */
  readonly name: string;
  readonly title: string;
  readonly citation: string;
  readonly tables: readonly TableDefinition[];
  /** What it prints besides, for the list of all that it prints (`wgrad list --coverage`). */
  readonly otherItems?: readonly OtherItem[];
  /** One line per preset: what it shrinks. */
  readonly presets: Readonly<Record<PresetName, string>>;
  /** Where the paper is silent or contradicts itself, with our choice. */
  readonly ambiguities: readonly string[];
  /** What the settings of a run that trains may be: every number that decides its result, and no other. */
  readonly settings: z.ZodType<Settings>;
  /** `set` is the `data` of the tables, where the paper has several data sets. */
  defaultSeeds(preset: PresetName, set?: string): number;
  /** Checks that the data are there and says what they are. Throws DataError, or ConfigError where the preset needs more. */
  dataFacts(preset: PresetName, data: string | undefined, set?: string): Promise<DataFacts>;
  /** Arithmetic of a run relative to the paper's other runs, for the order of work and the time left. */
  cost(settings: Settings): number;
  /**
   * Why a step of a run with these settings cannot be made of so many parts of its batch (`--parts`); undefined where it can be.
   * Without it no run of the paper can.
   */
  parts?(settings: Settings, count: number): string | undefined;
  train(context: TrainContext<Settings>): Promise<RunResult>;
  /** What it adds to the quick tour. */
  readonly tour?: { readonly tables: readonly string[]; readonly preset: PresetName };
  /** Predictions for pictures from the weights that its runs keep. */
  readonly predict?: {
    /** Throws ConfigError where two pictures would be written to the same files, or one over itself. */
    check(images: readonly string[], out: string, options?: PredictOptions): void;
    /** The network of a file of weights. Throws DataError for a damaged file, ConfigError for the weights of another network. */
    load(weights: string): Promise<Predictor>;
  };
}
