// Runs, cells and columns of the tables of DenseDepth, and what was printed of each training.
import { cell, column, printedDigits, runMaker } from '../../runner/definition.ts';
import type { Cell, Column } from '../../runner/paper.ts';
import { settingsOf } from './presets.ts';
import { type RunName, runKey } from './settings.ts';

export const runOf = runMaker(runKey, settingsOf);

const ours = new Map<string, Cell>();

/** A metric of a run for which nothing is published: the same cell each time, so that claims can refer to it. */
export function metric(run: RunName, name: string): Cell {
  const key = JSON.stringify([runKey(run), name]);
  const known = ours.get(key) ?? cell(runOf(run), name);
  ours.set(key, known);
  return known;
}

/** A metric of a run beside the published number, if there is one. */
export const published = (run: RunName, name: string, number: number | null, source?: string): Cell =>
  cell(runOf(run), name, number, source === undefined ? {} : { source });

/** A number of losses, metres or shares. */
export const plain = (name: string, better?: Column['better']): Column => column(name, 4, better, printedDigits(4));

/** Columns of such numbers. */
export const plains = (names: readonly string[]): Column[] => names.map((name) => plain(name));

/** Numbers that were read off a plot. */
export const readOff = (name: string): Column =>
  column(name, 3, undefined, { of: () => 0.01, source: 'read off the plots, within 0.01' });

/** The run that Figures 4 to 12 show. */
export const final = { network: 'densenet', protocol: 'final' } as const;

/** The rows of Figure 8, in its order. */
export const scores = [
  ['Total loss', 'loss'],
  ['Classes loss', 'classesLoss'],
  ['Depth loss', 'depthLoss'],
  ['MAE [m]', 'mae'],
  ['SSIM', 'ssim'],
  ['Accuracy', 'accuracy'],
  ['Precision', 'precision'],
  ['Recall', 'recall'],
] as const;
export type Score = (typeof scores)[number][1];
