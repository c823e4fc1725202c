// Runs, cells and columns of the multidepth tables: the least validation SILog of a run, by output.
import { cell, column, runMaker } from '../../runner/definition.ts';
import type { Cell, Column } from '../../runner/paper.ts';
import { settingsOf } from './presets.ts';
import { type RunName, runKey } from './settings.ts';

export const runOf = runMaker(runKey, settingsOf);

/** The least SILog over the training of a run, or another metric. */
export const silog = (run: RunName, metric = 'regression', published?: number): Cell =>
  cell(runOf(run), metric, published);

/** The outputs in the order of the paper's columns. */
export const columnOutputs = ['classification', 'regression'] as const;

export const silogColumn = (name: string): Column => column(name, 2, 'lower');

/** Curves over validations. */
export const validationCurves = (curves: readonly (readonly [run: RunName, label: string, curve?: string])[]) => ({
  curves: curves.map(([run, label, curve = 'regression']) => ({ run: runOf(run), label, curve })),
  curveAxis: 'validation',
});
