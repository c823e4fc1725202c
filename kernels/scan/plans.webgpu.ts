// WebGPU plans of the scans: a thread a line; running sums of few long lines in blocks.
import type { PlanTable, WebGpuPass, WebGpuPlan, WebGpuPlanner } from '../plan.ts';
import { threadPass } from '../shared/webgpu-elements.ts';
import { floatFunctions, threadFunctions } from '../shared/wgsl.ts';
import lineFunctions from './line.wgsl';
import prefixSumModule from './prefix-sum.wgsl';
import recurrenceModule from './recurrence.wgsl';
import { prefixSum, recurrence, type ScanParams } from './scan.ts';

const shared = threadFunctions + floatFunctions + lineFunctions;
const prefixSumText = shared + prefixSumModule;
const recurrenceText = shared + recurrenceModule;

/** Elements of a block. */
const BLOCK = 256;
/** Lines that keep an adapter busy by themselves. */
const MANY_LINES = { hardware: 4096, software: 8 };

const prefixSumPlan: WebGpuPlanner<ScanParams> = ({ outer, n, inner }, facts, prefer): WebGpuPlan => {
  const lines = outer * inner;
  const isLong = n > 2 * BLOCK && lines < MANY_LINES[facts.software ? 'software' : 'hardware'];
  const pass = (entryPoint: string, items: number, bindings?: readonly string[]): WebGpuPass => ({
    ...threadPass(prefixSumText, entryPoint, items, facts, entryPoint === 'lines' ? {} : { block: BLOCK }),
    ...(bindings && { bindings }),
  });
  if (prefer === 'lines' || (prefer !== 'blocks' && !isLong) || n === 0) {
    return { name: 'lines', passes: [pass('lines', n === 0 ? 0 : lines)] };
  }
  const blocks = lines * Math.ceil(n / BLOCK);
  return {
    name: 'blocks',
    passes: [
      pass('blockSums', blocks, ['x', 'sums*']),
      pass('blockStarts', lines, ['sums*']),
      pass('blocks', blocks, ['x', 'y*', 'sums']),
    ],
    scratch: { sums: 8 * blocks },
  };
};

const recurrencePlan: WebGpuPlanner<ScanParams> = ({ outer, n, inner }, facts) => ({
  name: 'lines',
  passes: [threadPass(recurrenceText, 'lines', n === 0 ? 0 : outer * inner, facts)],
});

export function addScan(table: PlanTable<WebGpuPlanner<never>>): void {
  table.add(prefixSum, prefixSumPlan, 'lines', 'blocks');
  table.add(recurrence, recurrencePlan, 'lines');
}
