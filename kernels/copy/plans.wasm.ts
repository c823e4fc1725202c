// WASM plans of data movement. Gathers split by element, scatters by line, copies by element or by band of swapped rows.
import type { PlanTable, WasmPlanner } from '../plan.ts';
import { copy, type CopyParams, gather, type GatherParams, scatter, scatterAdd } from './copy.ts';

/** Elements worth another thread. */
const grain = 16384;

const bandRows = 16;

const copyPlan: WasmPlanner<CopyParams> = ({ shape, inStrides, outStrides, rank, n }) => {
  const rows = shape[rank - 2] ?? 0;
  const columns = shape[rank - 1] ?? 0;
  const isSwapped = inStrides[rank - 2] === 1 && inStrides[rank - 1] !== 1 && outStrides[rank - 1] === 1;
  // Narrow bands do not fill a vector.
  if (rank >= 2 && isSwapped && rows >= 4 && columns >= 4 && n > 0) {
    const tasks = (n / (rows * columns)) * Math.ceil(rows / bandRows);
    const taskGrain = Math.ceil(grain / (columns * Math.min(rows, bandRows)));
    return { name: 'swapped', phases: [{ exportName: 'copySwapped', tasks, grain: taskGrain }] };
  }
  return { name: 'lines', phases: [{ exportName: 'copyLines', tasks: n, grain }] };
};

const gatherPlan: WasmPlanner<GatherParams> = ({ outer, count, inner }) => ({
  name: 'elements',
  phases: [{ exportName: 'gather', tasks: outer * count * inner, grain }],
});

const scatterPlan =
  (exportName: string): WasmPlanner<GatherParams> =>
  ({ outer, size, count, inner }) => ({
    name: 'lines',
    phases: [{ exportName, tasks: outer * inner, grain: Math.ceil(grain / Math.max(1, size + count)) }],
  });

export function addCopy(table: PlanTable<WasmPlanner<never>>): void {
  table.add(copy, copyPlan, 'swapped', 'lines');
  table.add(gather, gatherPlan, 'elements');
  table.add(scatterAdd, scatterPlan('scatterAdd'), 'lines');
  table.add(scatter, scatterPlan('scatter'), 'lines');
}
