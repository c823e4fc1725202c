// WASM plans of the reductions. Tasks are whole lines or tiles of columns; few long lines are cut into fixed parts that a
// second phase combines. The choice depends on the shape alone, so the number of threads changes no bit.
import type { PlanTable, WasmPlan, WasmPlanner } from '../plan.ts';
import { reducePartElements } from './codes.ts';
import {
  argReduce,
  type ArgReduceParams,
  reduce,
  type ReduceParams,
  softmax,
  softmaxBackward,
  type SoftmaxParams,
} from './reduction.ts';

/** Elements worth another thread. */
const plainGrain = 16384;
const costlyGrain = 2048;

/** With this many tasks of one phase there is enough for every thread. */
const enoughTasks = 16;

const tasksOf = (elements: number, perTask: number): number => Math.max(1, Math.ceil(elements / Math.max(1, perTask)));

/** Lines of n elements where inner is 1, else groups of `columns` neighbouring lines. */
function lines(
  exportName: string,
  { outer, n, inner }: { outer: number; n: number; inner: number },
  columns: number,
  grain: number,
): WasmPlan {
  if (inner === 1) return { name: 'lines', phases: [{ exportName, tasks: outer, grain: tasksOf(grain, n) }] };
  const tasks = outer * Math.ceil(inner / columns);
  return { name: 'columns', phases: [{ exportName, tasks, grain: tasksOf(grain, n * Math.min(inner, columns)) }] };
}

const reducePlan: WasmPlanner<ReduceParams> = (p) => {
  const { outer, n, inner } = p;
  const tiles = Math.ceil(inner / 16);
  const rows = Math.max(1, Math.floor(reducePartElements / Math.max(1, inner)));
  const parts = Math.ceil(n / rows);
  if (parts < 2 || outer * tiles === 0 || outer * tiles >= enoughTasks) return lines('reduceLines', p, 16, plainGrain);
  return {
    name: 'parts',
    phases: [
      {
        exportName: 'reduceParts',
        tasks: outer * parts * tiles,
        grain: tasksOf(plainGrain, rows * Math.min(inner, 16)),
      },
      { exportName: 'reduceCombine', tasks: outer * inner, grain: tasksOf(plainGrain, parts) },
    ],
    sharedScratch: 8 * outer * parts * 4 * Math.ceil(inner / 4),
  };
};

const argReducePlan: WasmPlanner<ArgReduceParams> = (p) => lines('argReduce', p, 4, plainGrain);
const softmaxPlan: WasmPlanner<SoftmaxParams> = (p) => lines('softmax', p, 4, costlyGrain);
const softmaxBackwardPlan: WasmPlanner<SoftmaxParams> = (p) => lines('softmaxBackward', p, 4, costlyGrain);

export function addReduction(table: PlanTable<WasmPlanner<never>>): void {
  table.add(reduce, reducePlan, 'lines', 'columns', 'parts');
  table.add(argReduce, argReducePlan, 'lines', 'columns');
  table.add(softmax, softmaxPlan, 'lines', 'columns');
  table.add(softmaxBackward, softmaxBackwardPlan, 'lines', 'columns');
}
