// WebGPU plans of the reductions: a thread per line, a workgroup per line, or, where lines are few and long, parts of lines
// in a first pass and their results in a second. Shapes alone decide, so the order of every sum is fixed.
import { sizeOf } from '../kernel.ts';
import type { PlanTable, WebGpuFacts, WebGpuPass, WebGpuPlanner } from '../plan.ts';
import { foldGrid, grid1d } from '../shared/webgpu-grid.ts';
import { floatFunctions, mathFunctions, WORKGROUP, wgslConstants } from '../shared/wgsl.ts';
import argReduceModule from './arg-reduce.wgsl';
import { ArgReduction, Reduction } from './codes.ts';
import reduceModule from './reduce.wgsl';
import {
  argReduce,
  type ArgReduceParams,
  reduce,
  type ReduceParams,
  softmax,
  softmaxBackward,
  type SoftmaxParams,
} from './reduction.ts';
import softmaxBackwardModule from './softmax-backward.wgsl';
import softmaxModule from './softmax.wgsl';

const reduceText = wgslConstants('reduction', Reduction) + floatFunctions + reduceModule;
const argReduceText = wgslConstants('argReduction', ArgReduction) + floatFunctions + argReduceModule;
const softmaxText = mathFunctions + softmaxModule;
const softmaxBackwardText = mathFunctions + softmaxBackwardModule;

type Lines = { outer: number; n: number; inner: number };

/** Threads that keep an adapter busy. A software adapter has a few cores of a few lanes each. */
const wantedThreads = (facts: WebGpuFacts): number => (facts.software ? 64 : 65536);

/** Elements that are worth a part of their own. */
const LEAST_PART = 512;
const MOST_PARTS = 256;
/** Elements that a thread adds up, at most, where parts can prevent it: longer chains of sums lose digits. */
const MOST_PER_THREAD = 8192;

/** Whether a workgroup should share one line: its elements are neighbours, and there are too few lines for a thread each. */
function sharesLines({ outer, n, inner }: Lines, facts: WebGpuFacts): boolean {
  return inner === 1 && n > 64 && outer < wantedThreads(facts) * (facts.software ? 1 : 4);
}

/** Workgroups that fit short lines. Software adapters run a workgroup on one core, so small ones spread better. */
const SOFTWARE_WORKGROUP = 16;
const sharedWorkgroup = (n: number, facts: WebGpuFacts): number =>
  facts.software ? SOFTWARE_WORKGROUP : n < 1024 ? 64 : WORKGROUP;

type LineStart = Pick<WebGpuPass, 'workgroups'> & { entryPoint: 'perThread' | 'perWorkgroup'; size: number };

/** How a pass is started: the entry point, its workgroup size, and as many workgroups as there are lines. */
function linePass(lines: Lines, facts: WebGpuFacts, prefer?: string): LineStart {
  const canShare = lines.inner === 1 && prefer === 'perWorkgroup';
  if (canShare || (prefer !== 'perThread' && sharesLines(lines, facts))) {
    const size = sharedWorkgroup(lines.n, facts);
    return { entryPoint: 'perWorkgroup', workgroups: foldGrid(lines.outer, facts), size };
  }
  const count = lines.outer * lines.inner;
  const size = facts.software && count < 4096 ? SOFTWARE_WORKGROUP : WORKGROUP;
  return { entryPoint: 'perThread', workgroups: grid1d(count, size, facts), size };
}

/** Parts to cut every line into, 1 unless lines are few and long. A power of two, so that few pipelines are compiled. */
function partsOf({ outer, n, inner }: Lines, facts: WebGpuFacts): number {
  const sharing = inner === 1 ? sharedWorkgroup(n, facts) : 1;
  const isWanted = (parts: number): boolean =>
    outer * inner * sharing * parts < wantedThreads(facts) || n > parts * sharing * MOST_PER_THREAD;
  let parts = 1;
  while (parts < MOST_PARTS && isWanted(parts) && n >= 2 * parts * LEAST_PART) parts *= 2;
  return parts;
}

const reducePlan: WebGpuPlanner<ReduceParams> = (params, facts, prefer) => {
  const { outer, n, inner, op } = params;
  const parts = prefer && prefer !== 'inParts' ? 1 : partsOf(params, facts);
  const pass = (lines: Lines, constants: Record<string, number>, bindings?: readonly string[]): WebGpuPass => {
    const { size, ...start } = linePass(lines, facts, prefer);
    return { module: reduceText, ...start, constants: { op, workgroupSize: size, ...constants }, bindings };
  };
  if (parts === 1) {
    const only = pass(params, { parts, partial: 0, isLast: 1 });
    return { name: linePass(params, facts, prefer).entryPoint, passes: [only] };
  }
  return {
    name: 'inParts',
    passes: [
      pass({ outer: outer * parts, n: Math.ceil(n / parts), inner }, { parts, partial: 0, isLast: 0 }, ['x', 'sums*']),
      pass({ outer, n: parts, inner }, { parts: 1, partial: parts, isLast: 1 }, ['sums', 'y*']),
    ],
    scratch: { sums: 4 * sizeOf([outer, parts, inner]) },
  };
};

const argReducePlan: WebGpuPlanner<ArgReduceParams> = (params, facts, prefer) => {
  const { size, ...start } = linePass(params, facts, prefer);
  const constants = { op: params.op, workgroupSize: size };
  return { name: start.entryPoint, passes: [{ module: argReduceText, ...start, constants }] };
};

const softmaxPlan =
  (module: string): WebGpuPlanner<SoftmaxParams> =>
  (params, facts, prefer) => {
    if (params.n === 0) return { name: 'nothing', passes: [] };
    const { size, ...start } = linePass(params, facts, prefer);
    const constants = { isLog: params.log, workgroupSize: size };
    return { name: start.entryPoint, passes: [{ module, ...start, constants }] };
  };

export function addReduction(table: PlanTable<WebGpuPlanner<never>>): void {
  table.add(reduce, reducePlan, 'perThread', 'perWorkgroup', 'inParts');
  table.add(argReduce, argReducePlan, 'perThread', 'perWorkgroup');
  table.add(softmax, softmaxPlan(softmaxText), 'perThread', 'perWorkgroup');
  table.add(softmaxBackward, softmaxPlan(softmaxBackwardText), 'perThread', 'perWorkgroup');
}
