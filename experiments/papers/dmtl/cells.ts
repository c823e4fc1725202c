// Cells of the dmtl tables: test accuracy by strategy, noise and size of the training cohort.
import type { CellDefinition } from '../../runner/paper.ts';
import { type RunName, runKey } from './settings.ts';

/** A cell that holds test accuracy, or another metric, of a run. */
export const accuracyCell = (
  row: string,
  column: string,
  published: number | null,
  run: RunName,
  metric = 'accuracy',
): CellDefinition => ({ row, column, published, run: runKey(run), metric });

export const accuracyText = (value: number): string => value.toFixed(3);

/** A published accuracy is met within this distance: about two standard errors of 1000 test images at 0.85. */
export const ACCURACY_TOLERANCE = 0.02;
