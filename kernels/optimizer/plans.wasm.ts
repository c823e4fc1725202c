// WASM plans of the optimiser steps: one phase whose tasks are the elements.
import type { PlanTable, WasmPlanner } from '../plan.ts';
import { adamStep, rmspropStep, runningAverage, sgdStep } from './optimizer.ts';

/** Elements worth another thread. */
const grain = 8192;

const elements =
  (exportName: string): WasmPlanner<{ n: number }> =>
  ({ n }) => ({ name: 'elements', phases: [{ exportName, tasks: n, grain }] });

export function addOptimizer(table: PlanTable<WasmPlanner<never>>): void {
  for (const kernel of [sgdStep, adamStep, rmspropStep, runningAverage])
    table.add(kernel, elements(kernel.name), 'elements');
}
