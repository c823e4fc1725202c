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

import { pyramidCells, pyramidPool, pyramidPoolBackward, type PyramidPoolParams } from './pyramid-pool.ts';

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

/**
 * A pyramid's windows are worked out once per call, in the private scratch: a row of column sums, or a row of shares for each
 * row of cells and which of them cover each row of the plane.
 */
const pyramid =
  (exportName: string, isBackward: boolean): WasmPlanner<PyramidPoolParams> =>
  (p) => {
    const rowWords = Math.ceil(p.inW / 4) * 4;
    const along = (size: number): number[] => p.bins.map((bin) => pyramidCells(p.rule, bin, size));
    const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
    const windowWords = 2 * (sum(along(p.inH)) + sum(along(p.inW)));
    const listWords = p.inH * (p.count + 1) + sum(along(p.inH));
    const words = isBackward ? rowWords * sum(along(p.inH)) + listWords : 2 * rowWords;
    const taskGrain = Math.ceil(grain / Math.max(1, p.inH * p.inW));
    return {
      name: 'planes',
      phases: [{ exportName, tasks: p.planes, grain: taskGrain }],
      threadScratch: 4 * (words + windowWords),
    };
  };

export function addPooling(table: PlanTable<WasmPlanner<never>>): void {
  for (const kernel of [maxPool, averagePool]) table.add(kernel, rows(kernel.name), 'rows');
  for (const kernel of [maxPoolBackward, averagePoolBackward]) table.add(kernel, planes(kernel.name), 'planes');
  for (const kernel of [adaptiveAveragePool, adaptiveMaxPool]) table.add(kernel, rows(kernel.name), 'rows');
  table.add(adaptiveAveragePoolBackward, planes(adaptiveAveragePoolBackward.name), 'planes');
  table.add(pyramidPool, pyramid(pyramidPool.name, false), 'planes');
  table.add(pyramidPoolBackward, pyramid(pyramidPoolBackward.name, true), 'planes');
}
