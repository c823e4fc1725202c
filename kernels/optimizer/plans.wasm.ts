// WASM plans of the optimiser steps: one phase whose tasks are the elements, those of one parameter behind those of another.
import type { PlanTable, WasmPlan, WasmPlanner } from '../plan.ts';
import { planWords } from '../params.ts';
import { adamStep, elementsOf, rmspropStep, runningAverage, type RunningAverageParams, sgdStep } from './optimizer.ts';

/** Elements worth another thread. */
const grain = 8192;

/** What a step is told beside its parameters: how many there are, whose gradients come before all that is updated. */
export const StepPlan = { count: 'i32' } as const;

const elements = (exportName: string, tasks: number, constants: readonly number[] = []): WasmPlan => ({
  name: 'elements',
  phases: [{ exportName, tasks, grain, constants }],
});

export function addOptimizer(table: PlanTable<WasmPlanner<never>>): void {
  for (const { name } of [sgdStep, adamStep, rmspropStep]) {
    const plan: WasmPlanner<{ n: readonly number[] }> = (params) =>
      elements(name, elementsOf(params), planWords(StepPlan, { count: params.n.length }));
    table.add({ name }, plan, 'elements');
  }
  const average: WasmPlanner<RunningAverageParams> = ({ n, count }) => elements(runningAverage.name, n * count);
  table.add(runningAverage, average, 'elements');
}
