// WASM plans of resize: one task tabulates the source positions, then rows of the result are the tasks.
import type { PlanTable, WasmPlan, WasmPlanner } from '../plan.ts';
import { ResizeMode } from './codes.ts';
import { resize, resizeBackward, type ResizeParams } from './resize.ts';

/** Elements worth another thread. */
const grain = 8192;

/** Words of the tables of one axis. */
const axisWords = (inSize: number, outSize: number): number => 2 * outSize + inSize + 1;

function rows(exportName: string, p: ResizeParams, tasks: number, rowElements: number, scratchWords: number): WasmPlan {
  return {
    name: ResizeMode[p.mode],
    phases: [
      { exportName: 'resizeTables', tasks: 1 },
      { exportName, tasks, grain: Math.ceil(grain / Math.max(1, rowElements)) },
    ],
    sharedScratch: 4 * (axisWords(p.inH, p.outH) + axisWords(p.inW, p.outW)),
    threadScratch: 4 * scratchWords,
  };
}

const resizePlan: WasmPlanner<ResizeParams> = (p) =>
  rows('resizeRows', p, p.planes * p.outH, p.inW + p.outW, p.inW + 1);

const resizeBackwardPlan: WasmPlanner<ResizeParams> = (p) =>
  rows('resizeBackwardRows', p, p.planes * p.inH, p.inW + p.outW, p.outW);

export function addResize(table: PlanTable<WasmPlanner<never>>): void {
  table.add(resize, resizePlan, 'nearest', 'bilinear');
  table.add(resizeBackward, resizeBackwardPlan, 'nearest', 'bilinear');
}
