// WebGPU plans of data movement. A scatter runs one thread per column, or cuts columns into ranges of the target axis until
// there are threads enough: each range reads all indices of its column, but adds in the same order.
import type { PlanTable, WebGpuPlanner } from '../plan.ts';
import { elementPlan, threadPass } from '../shared/webgpu-elements.ts';
import { grid1d } from '../shared/webgpu-grid.ts';
import { threadFunctions } from '../shared/wgsl.ts';
import { copy, type CopyParams, gather, type GatherParams, scatter, scatterAdd } from './copy.ts';
import copyModule from './copy.wgsl';
import gatherModule from './gather.wgsl';
import scatterModule from './scatter.wgsl';

const copyText = threadFunctions + copyModule;
const gatherText = threadFunctions + gatherModule;
const scatterText = threadFunctions + scatterModule;

const copyPlan: WebGpuPlanner<CopyParams> = (params, facts, prefer) => {
  const { n, rank, inStrides, outStrides, inOffset, outOffset } = params;
  const isRun = rank === 1 && inStrides[0] === 1 && outStrides[0] === 1;
  const fitsFour = isRun && n % 4 === 0 && inOffset % 4 === 0 && outOffset % 4 === 0;
  return elementPlan(copyText, n, fitsFour, facts, prefer, { rank: Math.max(1, rank) });
};

const gatherPlan: WebGpuPlanner<GatherParams> = ({ outer, count, inner }, facts) => ({
  name: 'perElement',
  passes: [threadPass(gatherText, 'main', outer * count * inner, facts)],
});

/** Small, because the threads of a scatter are few and run long. */
const SCATTER_WORKGROUP = 32;

/**
 * Ranges that the target axis is cut into, a power of two or the whole axis. On an adapter with many lanes idle ones cost
 * nothing; a software adapter has few, and every range reads the indices anew.
 */
function rangesOf({ outer, size, inner }: GatherParams, wantedThreads: number): number {
  let ranges = 1;
  while (ranges < size && outer * inner * ranges < wantedThreads) ranges *= 2;
  return Math.min(size, ranges);
}

const scatterPlan =
  (accumulate: 0 | 1): WebGpuPlanner<GatherParams> =>
  (params, facts) => {
    const ranges = rangesOf(params, facts.software ? 64 : 16384);
    const entryPoint = ranges === params.size ? 'byElement' : 'byRange';
    const workgroups = grid1d(params.outer * params.inner * ranges, SCATTER_WORKGROUP, facts);
    const constants = { accumulate, ranges, workgroupSize: SCATTER_WORKGROUP };
    return { name: entryPoint, passes: [{ module: scatterText, entryPoint, workgroups, constants }] };
  };

export function addCopy(table: PlanTable<WebGpuPlanner<never>>): void {
  table.add(copy, copyPlan, 'perFour', 'perElement');
  table.add(gather, gatherPlan, 'perElement');
  table.add(scatterAdd, scatterPlan(1), 'byElement', 'byRange');
  table.add(scatter, scatterPlan(0), 'byElement', 'byRange');
}
