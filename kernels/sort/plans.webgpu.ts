// WebGPU plan of the sort: ranks within runs, runs merged until one is left, results written.
import type { PlanTable, WebGpuPass, WebGpuPlanner } from '../plan.ts';
import { threadPass } from '../shared/webgpu-elements.ts';
import { threadFunctions } from '../shared/wgsl.ts';
import { sort, type SortParams } from './sort.ts';
import sortModule from './sort.wgsl';

const sortText = threadFunctions + sortModule;

/** Elements of the first runs, each of which is compared with every other. */
const RUN = 32;

const byRank: WebGpuPlanner<SortParams> = ({ outer, n, inner }, facts) => {
  const elements = outer * n * inner;
  if (elements === 0) return { name: 'nothing', passes: [] };
  const pass = (entryPoint: string, bindings: readonly string[], run?: number): WebGpuPass => ({
    ...threadPass(sortText, entryPoint, elements, facts, run === undefined ? {} : { run }),
    bindings,
  });
  let [from, to] = ['order', 'other'];
  const passes = [pass('rankRuns', ['x', `${from}*`], RUN)];
  for (let run = RUN; run < n; run *= 2) {
    passes.push(pass('mergeRuns', ['x', from, `${to}*`], run));
    [from, to] = [to, from];
  }
  passes.push(pass('finish', ['x', from, 'values*', 'indices*']));
  const bytes = 4 * elements;
  return { name: 'byRank', passes, scratch: { order: bytes, ...(n > RUN && { other: bytes }) } };
};

export function addSort(table: PlanTable<WebGpuPlanner<never>>): void {
  table.add(sort, byRank, 'byRank');
}
