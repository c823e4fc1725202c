// WASM plans of pooling: rows of the output forward; whole planes backward, where windows may share positions.
import type { PlanTable, WasmPlanner } from '../plan.ts';
import {
  adaptiveAveragePool,
  adaptiveAveragePoolBackward,
  adaptiveMaxPool,
  averagePool,
  averagePoolBackward,
  maxPool,
  maxPoolBackward,
} from './pooling.ts';

type Planes = { planes: number; inH: number; inW: number; outH: number; outW: number };

/** Elements of either side worth another thread. */
const grain = 8192;

const planeElements = (p: Planes): number => Math.max(1, p.inH * p.inW, p.outH * p.outW);

const rows =
  (exportName: string): WasmPlanner<Planes> =>
  (p) => {
    const taskGrain = Math.ceil((grain * Math.max(1, p.outH)) / planeElements(p));
    // A plane without columns has rows all the same, and nothing to do.
    return { name: 'rows', phases: [{ exportName, tasks: p.planes * p.outH, grain: taskGrain }] };
  };

const planes =
  (exportName: string): WasmPlanner<Planes> =>
  (p) => ({ name: 'planes', phases: [{ exportName, tasks: p.planes, grain: Math.ceil(grain / planeElements(p)) }] });

export function addPooling(table: PlanTable<WasmPlanner<never>>): void {
  for (const kernel of [maxPool, averagePool]) table.add(kernel, rows(kernel.name), 'rows');
  for (const kernel of [maxPoolBackward, averagePoolBackward]) table.add(kernel, planes(kernel.name), 'planes');
  for (const kernel of [adaptiveAveragePool, adaptiveMaxPool]) table.add(kernel, rows(kernel.name), 'rows');
  table.add(adaptiveAveragePoolBackward, planes(adaptiveAveragePoolBackward.name), 'planes');
}
