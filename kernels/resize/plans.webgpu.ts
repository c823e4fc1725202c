// WebGPU plans of resize: one thread per output, and for the adjoint one per input position.
import type { PlanTable, WebGpuFacts, WebGpuPlan, WebGpuPlanner } from '../plan.ts';
import { threadPass } from '../shared/webgpu-elements.ts';
import { threadFunctions, wgslConstants } from '../shared/wgsl.ts';
import backwardModule from './resize-backward.wgsl';
import { resize, resizeBackward, ResizeMode, type ResizeParams } from './resize.ts';
import resizeModule from './resize.wgsl';
import sourceFunctions from './source.wgsl';

const prelude = wgslConstants('resizeMode', ResizeMode) + threadFunctions + sourceFunctions;
const resizeText = prelude + resizeModule;
const backwardText = prelude + backwardModule;

const perThread = (module: string, threads: number, facts: WebGpuFacts): WebGpuPlan => ({
  name: 'perThread',
  passes: [threadPass(module, 'main', threads, facts)],
});

const resizePlan: WebGpuPlanner<ResizeParams> = ({ planes, outH, outW }, facts) =>
  perThread(resizeText, planes * outH * outW, facts);

const resizeBackwardPlan: WebGpuPlanner<ResizeParams> = ({ planes, inH, inW }, facts) =>
  perThread(backwardText, planes * inH * inW, facts);

export function addResize(table: PlanTable<WebGpuPlanner<never>>): void {
  table.add(resize, resizePlan, 'perThread');
  table.add(resizeBackward, resizeBackwardPlan, 'perThread');
}
