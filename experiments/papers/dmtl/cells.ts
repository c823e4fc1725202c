// Runs, cells and columns of the dmtl tables: test accuracy by strategy, noise and size of the training cohort.
import { cell, column, countingError } from '../../runner/definition.ts';
import type { Cell, Column, Run } from '../../runner/paper.ts';
import { settingsOf } from './presets.ts';
import { type RunName, runKey, type TrainingSettings } from './settings.ts';

/** By default at S:N = 1:29 and with N = 3500, where the paper compares the strategies. */
export function runOf(name: Pick<RunName, 'strategy'> & Partial<RunName>): Run<TrainingSettings> {
  const whole = { noise: '1:29', n: 3500, ...name } as const;
  return { key: runKey(whole), settings: (preset) => settingsOf(whole, preset) };
}

/** Multiple optimizers, which the paper calls dMTL, and single task. */
export const dmtlRun = (name: Partial<RunName>) => runOf({ strategy: 'multipleOptimizers', ...name });
export const singleRun = (name: Partial<RunName>) => runOf({ strategy: 'singleTask', ...name });

/** A cell that holds test accuracy of a run. */
export const accuracy = (run: Run, published?: number | null, source?: string): Cell =>
  cell(run, 'accuracy', published, source === undefined ? {} : { source });

/** The paper tests on 1000 images. */
export const accuracyColumn = (name: string): Column => column(name, 3, 'higher', countingError(1000));

/** Published accuracies of dMTL: Table 1, by noise at N = 5000, and Table 2, by training images at 1:29. */
export const byNoise = { Inf: 0.967, '1:5': 0.953, '1:19': 0.912, '1:29': 0.851 } as const;
export const byImages = { 3500: 0.797, 4000: 0.814, 4500: 0.818, 5000: 0.851 } as const;
export const noises = Object.keys(byNoise) as (keyof typeof byNoise)[];
export const sizes = [3500, 4000, 4500, 5000] as const;
