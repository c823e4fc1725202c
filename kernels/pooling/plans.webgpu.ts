// WebGPU plans of pooling: one thread per output (backward: per input position), or a workgroup per output for the average of
// large windows. Strided and adaptive kernels share their modules and differ in the windows put before them.
import type { PlanTable, WebGpuFacts, WebGpuPlan, WebGpuPlanner } from '../plan.ts';
import { threadPass } from '../shared/webgpu-elements.ts';
import { foldGrid } from '../shared/webgpu-grid.ts';
import { floatFunctions, threadFunctions, WORKGROUP } from '../shared/wgsl.ts';
import adaptiveWindowFunctions from './adaptive-window.wgsl';
import averageBackwardModule from './average-pool-backward.wgsl';
import averageModule from './average-pool.wgsl';
import maxBackwardModule from './max-pool-backward.wgsl';
import maxModule from './max-pool.wgsl';
import poolWindowFunctions from './pool-window.wgsl';
import {
  adaptiveAveragePool,
  adaptiveAveragePoolBackward,
  adaptiveMaxPool,
  type AdaptivePoolParams,
  averagePool,
  averagePoolBackward,
  maxPool,
  maxPoolBackward,
} from './pooling.ts';
import { addPyramidPool } from './pyramid-pool.webgpu.ts';

const poolWindow = threadFunctions + poolWindowFunctions;
const adaptiveWindow = threadFunctions + adaptiveWindowFunctions;

const outputsOf = (p: AdaptivePoolParams): number => p.planes * p.outH * p.outW;
const inputsOf = (p: AdaptivePoolParams): number => p.planes * p.inH * p.inW;

const perThread = (module: string, threads: number, facts: WebGpuFacts, entryPoint = 'main'): WebGpuPlan => ({
  name: 'perThread',
  passes: [threadPass(module, entryPoint, threads, facts)],
});

const perOutput =
  (module: string): WebGpuPlanner<AdaptivePoolParams> =>
  (p, facts) =>
    perThread(module, outputsOf(p), facts);

/** Positions without an output give no window to gather from, and get the gradient 0. */
const perInput =
  (module: string): WebGpuPlanner<AdaptivePoolParams> =>
  (p, facts) =>
    perThread(module, inputsOf(p), facts);

/** Positions of one window, on average, from which a workgroup is worth while. */
const LARGE_WINDOW = 128;

const average =
  <P extends AdaptivePoolParams>(module: string, windowSize: (p: P) => number): WebGpuPlanner<P> =>
  (p, facts, prefer) => {
    const size = windowSize(p);
    const shares = prefer ? prefer === 'perWorkgroup' : !facts.software && size >= LARGE_WINDOW;
    if (!shares) return perThread(module, outputsOf(p), facts, 'perThread');
    const constants = { workgroupSize: size < 8 * LARGE_WINDOW ? 64 : WORKGROUP };
    const workgroups = foldGrid(outputsOf(p), facts);
    return { name: 'perWorkgroup', passes: [{ module, entryPoint: 'perWorkgroup', workgroups, constants }] };
  };

export function addPooling(table: PlanTable<WebGpuPlanner<never>>): void {
  table.add(maxPool, perOutput(poolWindow + floatFunctions + maxModule), 'perThread');
  table.add(maxPoolBackward, perInput(poolWindow + maxBackwardModule), 'perThread');
  table.add(
    averagePool,
    average<{ kernelH: number; kernelW: number } & AdaptivePoolParams>(
      poolWindow + averageModule,
      (p) => p.kernelH * p.kernelW,
    ),
    'perThread',
    'perWorkgroup',
  );
  table.add(averagePoolBackward, perInput(poolWindow + averageBackwardModule), 'perThread');
  table.add(
    adaptiveAveragePool,
    average<AdaptivePoolParams>(adaptiveWindow + averageModule, (p) => inputsOf(p) / outputsOf(p)),
    'perThread',
    'perWorkgroup',
  );
  table.add(adaptiveAveragePoolBackward, perInput(adaptiveWindow + averageBackwardModule), 'perThread');
  table.add(adaptiveMaxPool, perOutput(adaptiveWindow + floatFunctions + maxModule), 'perThread');
  addPyramidPool(table);
}
