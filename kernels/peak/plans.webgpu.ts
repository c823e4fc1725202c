// WebGPU plan of the multiply-add chains: a thread per value of the result.
import type { PlanTable, WebGpuPlanner } from '../plan.ts';
import { threadPass } from '../shared/webgpu-elements.ts';
import { threadFunctions } from '../shared/wgsl.ts';
import peakModule from './peak.wgsl';
import { multiplyAdds, type MultiplyAddsParams } from './peak.ts';

const peakText = threadFunctions + peakModule;

const registers: WebGpuPlanner<MultiplyAddsParams> = ({ n }, facts) => ({
  name: 'registers',
  passes: [threadPass(peakText, 'main', n, facts)],
});

export function addPeak(table: PlanTable<WebGpuPlanner<never>>): void {
  table.add(multiplyAdds, registers, 'registers');
}
