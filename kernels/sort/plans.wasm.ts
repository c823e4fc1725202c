// WASM plan of the sort: lines are dealt out whole.
import type { PlanTable, WasmPlanner } from '../plan.ts';
import { sort, type SortParams } from './sort.ts';

/** Elements worth another thread. */
const GRAIN = 2048;

const lines: WasmPlanner<SortParams> = ({ outer, n, inner }) => ({
  name: 'lines',
  phases: [{ exportName: 'sort', tasks: outer * inner, grain: Math.ceil(GRAIN / Math.max(1, n)) }],
  threadScratch: 16 * Math.max(1, n),
});

export function addSort(table: PlanTable<WasmPlanner<never>>): void {
  table.add(sort, lines, 'lines');
}
