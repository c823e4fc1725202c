// WASM plan of the multiply-add chains: tasks are vectors of the result.
import type { PlanTable, WasmPlanner } from '../plan.ts';
import { multiplyAdds, type MultiplyAddsParams } from './peak.ts';

/** Multiply-adds of four lanes worth another thread. */
const GRAIN = 4096;

const registers: WasmPlanner<MultiplyAddsParams> = ({ n, rounds }) => ({
  name: 'registers',
  phases: [
    { exportName: 'multiplyAdds', tasks: Math.ceil(n / 4), grain: Math.max(1, Math.ceil(GRAIN / Math.max(1, rounds))) },
  ],
});

export function addPeak(table: PlanTable<WasmPlanner<never>>): void {
  table.add(multiplyAdds, registers, 'registers');
}
