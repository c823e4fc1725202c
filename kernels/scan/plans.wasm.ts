// WASM plans of the scans: lines are dealt out whole.
import type { PlanTable, WasmPlanner } from '../plan.ts';
import { prefixSum, recurrence, type ScanParams } from './scan.ts';

/** Elements worth another thread. */
const GRAIN = 8192;

const lines =
  (exportName: string): WasmPlanner<ScanParams> =>
  ({ outer, n, inner }) => ({
    name: 'lines',
    phases: [{ exportName, tasks: outer * inner, grain: Math.ceil(GRAIN / Math.max(1, n)) }],
  });

export function addScan(table: PlanTable<WasmPlanner<never>>): void {
  table.add(prefixSum, lines('prefixSum'), 'lines');
  table.add(recurrence, lines('recurrence'), 'lines');
}
