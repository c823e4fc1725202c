// Runs, cells and columns of the dmtl tables: test accuracy by strategy, noise and size of the training cohort.
import { cell, column, countingError, runMaker } from '../../runner/definition.ts';
import type { Cell, Column, Run } from '../../runner/paper.ts';
import { settingsOf } from './presets.ts';
import { type RunName, runKey, type TrainingSettings } from './settings.ts';

const runNamed = runMaker(runKey, settingsOf);

/** By default at S:N = 1:29 and with N = 3500, where the paper compares the strategies. */
export const runOf = (name: Pick<RunName, 'strategy'> & Partial<RunName>): Run<TrainingSettings> =>
  runNamed({ noise: '1:29', n: 3500, ...name });

/** Test accuracy of a run, beside the published one. */
export const accuracy = (run: Run, published?: number, source?: string): Cell =>
  cell(run, 'accuracy', published, source === undefined ? {} : { source });

/** The paper tests on 1000 images. */
export const accuracyColumn = (name: string): Column => column(name, 3, 'higher', countingError(1000));

/** Multiple optimizers, which the paper calls dMTL, beside single task. */
export interface Comparison {
  readonly name: string;
  readonly multiRun: Run<TrainingSettings>;
  readonly singleRun: Run<TrainingSettings>;
  readonly multi: Cell;
  readonly single: Cell;
}

function comparison(
  name: string,
  setting: Partial<RunName>,
  table: string,
  multi: number,
  single?: number,
): Comparison {
  const multiRun = runOf({ strategy: 'multipleOptimizers', ...setting });
  const singleRun = runOf({ strategy: 'singleTask', ...setting });
  // Of the lines of single task one value is given in text, in Table 3.
  return {
    name,
    multiRun,
    singleRun,
    multi: accuracy(multiRun, multi, table),
    single: accuracy(singleRun, single, 'Table 3'),
  };
}

/** By noise at N = 5000: Table 1 and Figure 7. */
export const byNoise = ([['Inf', 0.967], ['1:5', 0.953], ['1:19', 0.912], ['1:29', 0.851]] as const) // prettier-ignore
  .map(([noise, published]) => comparison(noise, { noise, n: 5000 }, 'Table 1', published));

/** By training images at 1:29: Table 2 and Figure 11. */
export const byImages = ([[3500, 0.797, 0.577], [4000, 0.814], [4500, 0.818], [5000, 0.851]] as const) // prettier-ignore
  .map(([n, multi, single]) => comparison(`N = ${n}`, { n }, 'Table 2', multi, single));
