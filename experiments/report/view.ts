// The one view of results that every rendering draws: terminal, Markdown, CSV and HTML. It holds text that is ready to be shown
// beside the numbers it was made from, so that a rendering formats nothing, judges nothing and reads no file.

import type { ClaimVerdict, NumberVerdict } from '../runner/verdict.ts';

export type { ClaimVerdict, NumberVerdict };

/** Everything that a report shows. */
export interface View {
  /** In the order of `wgrad list`. */
  readonly papers: readonly PaperView[];
  /** One for each run folder that was read or written, in the order given. */
  readonly provenance: readonly ProvenanceView[];
  /** Files that could not be used, each named with what is wrong with it. Empty where all is well. */
  readonly problems: readonly string[];
}

/** A paper in a report, with its tables. */
export interface PaperView {
  /** Name on the command line: `dmtl`. */
  readonly name: string;
  readonly title: string;
  readonly citation: string;
  /** Where the paper is silent or contradicts itself, with our choice: one text for each. */
  readonly choices: readonly string[];
  /** A table appears once for each setting (preset, data, device) that it was run with. */
  readonly tables: readonly TableView[];
}

/** A table or figure in a report. */
export interface TableView {
  readonly paper: string;
  /** Name on the command line: `table3`. */
  readonly name: string;
  readonly title: string;
  /** Where the published numbers stand: `Table 3`. Undefined for a study of ours. */
  readonly source: string | undefined;
  /** What was run; undefined where nothing was. */
  readonly setting: SettingView | undefined;
  /** The paper's table in its own shape. Undefined for a study of ours, which is all in `besides`. */
  readonly matrix: MatrixView | undefined;
  /** Controls, searches and counters: our numbers that the paper does not have. Never to be mixed with `matrix`. */
  readonly besides: readonly MatrixView[];
  readonly claims: readonly ClaimView[];
  /** Paragraphs: what is compared, what the numbers mean, contradictions inside the paper. */
  readonly notes: readonly string[];
  /** What the numbers say taken together; only where all that it reads are there. */
  readonly conclusion: string | undefined;
  /** Titles of the axes where the matrix is to be drawn too: rows along x, a line for each column. */
  readonly plot: { readonly x: string; readonly y: string } | undefined;
  readonly curves: CurvesView | undefined;
  /** Sample pictures of the first seed. */
  readonly panels: readonly PanelView[];
  /** By run, in the order of first use. */
  readonly costs: readonly CostView[];
}

/** With what the runs of a table were made. */
export interface SettingView {
  readonly preset: string;
  /** What the preset shrinks, in a sentence. */
  readonly presetText: string;
  readonly device: string;
  readonly data: { readonly name: string; /** False for a stand-in. */ readonly real: boolean };
  /** Settings that the command changed, by key. */
  readonly set: Readonly<Record<string, unknown>>;
  /** Ascending. */
  readonly seeds: readonly number[];
  /** All of that in one line: `preset laptop, data: MNIST, device wasm, seeds 0..2`. A stand-in is called one. */
  readonly text: string;
}

/** A rectangle of cells. */
export interface MatrixView {
  /** What it is, where it is not the paper's own table: `control: half the epochs`. */
  readonly title: string | undefined;
  /** What the rows are: `strategy`. */
  readonly corner: string;
  readonly columns: readonly ColumnView[];
  readonly rows: readonly {
    readonly name: string;
    /** One for each column; null where the paper's table is empty. */ readonly cells: readonly (CellView | null)[];
  }[];
}

/** A column of a table in a report. */
export interface ColumnView {
  readonly name: string;
  /** Which direction is better; undefined where neither is. */
  readonly better: 'higher' | 'lower' | undefined;
}

/** A cell of a table in a report: our value, the published one and the verdict. */
export interface CellView {
  readonly ours: OursView | undefined;
  readonly published: PublishedView | undefined;
  /** Null for a number without a published one, which only claims judge. */
  readonly verdict: NumberVerdict | null;
  /** Why there is no number. */
  readonly reason: string | undefined;
  /** Something to be said about this cell alone, such as a misprint. */
  readonly note: string | undefined;
}

/** Our value of a cell, over the seeds. */
export interface OursView {
  readonly mean: number;
  /** Sample standard deviation over seeds; 0 for a single one. */
  readonly std: number;
  /** The 90 % t interval of the mean; undefined below three seeds. */
  readonly interval: readonly [low: number, high: number] | undefined;
  readonly bySeed: readonly { readonly seed: number; readonly value: number }[];
  /** `0.926 ± 0.007`, or `0.926` for a single seed. */
  readonly text: string;
}

/** The published value of a cell. */
export interface PublishedView {
  readonly value: number;
  /** The spread printed beside it. */
  readonly spread: number | undefined;
  /** Page, table or figure. */
  readonly source: string;
  /** How far from it counts as the same number, and why. */
  readonly tolerance: { readonly value: number; readonly source: string };
  /** `0.858`, or `0.0149 ± 0.0111`. */
  readonly text: string;
}

/** A claim in a report, with its verdict. */
export interface ClaimView {
  readonly text: string;
  /** Page, section, table or figure that states it; or that it is a question of ours. */
  readonly source: string;
  readonly verdict: ClaimVerdict;
  /** Seeds in which all effects are as claimed, of how many. */
  readonly seedsHolding: number;
  readonly seeds: number;
  /** What is compared: one difference, or all adjacent ones of an order. Empty where a number is missing. */
  readonly effects: readonly EffectView[];
  /** Why it was not attempted. */
  readonly reason: string | undefined;
}

/** One comparison of a claim, over the seeds. */
export interface EffectView {
  /** `multitask loss - single task`. */
  readonly text: string;
  readonly mean: number;
  /** The 90 % t interval of the paired difference; undefined below three seeds. */
  readonly interval: readonly [low: number, high: number] | undefined;
  /** The claimed size: the effect must be above it, or below it. */
  readonly claimed: { readonly direction: 'above' | 'below'; readonly size: number };
  readonly verdict: ClaimVerdict;
  /** `+0.012 [0.004, 0.020], claimed above 0`. */
  readonly summary: string;
}

/** Curves in a report, over steps or epochs. */
export interface CurvesView {
  /** The scale of the values; linear unless said otherwise. */
  readonly scale?: 'log';
  /** What a point is: `epoch`. */
  readonly axis: string;
  readonly lines: readonly {
    readonly label: string;
    /** What is measured. Lines of the same quantity can be drawn together. */
    readonly quantity: string;
    /** Values at points 1, 2, ... of each seed. */
    readonly bySeed: readonly { readonly seed: number; readonly values: readonly number[] }[];
  }[];
}

/** The pictures of one sample in a row. */
export interface PanelView {
  readonly label: string;
  readonly images: readonly { readonly caption: string; /** PNG in base64. */ readonly png: string }[];
}

/** What the runs of one kind have cost. */
export interface CostView {
  readonly run: string;
  /** Wall time of the runs' processes, by seed. A resumed run counts its last part only. */
  readonly seconds: readonly number[];
  /** Floating point operations of one run, a multiply-add being two. */
  readonly flops: number | undefined;
  /** Most bytes that tensors held at once. */
  readonly peakBytes: number | undefined;
}

/** Where the numbers of one run folder came from. */
export interface ProvenanceView {
  readonly folder: string;
  /** Versions, machine, device, date: in the order to show. */
  readonly facts: readonly { readonly name: string; readonly value: string }[];
  /** The whole manifest, for reading; undefined where it is missing or refused. */
  readonly manifest: Readonly<Record<string, unknown>> | undefined;
}
