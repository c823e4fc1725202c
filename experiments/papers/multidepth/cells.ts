// Cells of the multidepth tables: the least validation SILog of a run, by output.
import type { CellDefinition } from '../../runner/paper.ts';
import { type RunName, runKey } from './settings.ts';

export type Output = 'classification' | 'regression';

/** A cell that holds a SILog of a run; the least over training unless another metric is named. */
export const silogCell = (
  row: string,
  column: string,
  published: number | null,
  run: RunName,
  metric: string,
): CellDefinition => ({ row, column, published, run: runKey(run), metric });

export const silogText = (value: number): string => value.toFixed(2);

/** A published SILog is met within this distance: about the spread of validation between neighbouring checkpoints. */
export const SILOG_TOLERANCE = 0.5;
