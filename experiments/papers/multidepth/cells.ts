// Runs, cells and columns of the multidepth tables: the least validation SILog of a run, by output.
import { cell, column } from '../../runner/definition.ts';
import type { Cell, Column, Run } from '../../runner/paper.ts';
import { settingsOf } from './presets.ts';
import { type RunName, runKey, type TrainingSettings } from './settings.ts';

export type Output = 'classification' | 'regression';
export const outputs = ['classification', 'regression'] as const;

export const runOf = (name: RunName): Run<TrainingSettings> => ({
  key: runKey(name),
  settings: (preset) => settingsOf(name, preset),
});

/** A cell that holds the least SILog over the training of a run, or another metric. */
export const silog = (run: RunName, metric = 'regression', published?: number | null): Cell =>
  cell(runOf(run), metric, published);

export const silogColumn = (name: string): Column => column(name, 2, 'lower');

/** A curve of a run under a name. */
export const curveOf = (run: RunName, label: string, curve = 'regression') => ({
  run: runOf(run),
  curve,
  label,
});
