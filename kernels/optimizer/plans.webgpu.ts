// WebGPU plans of the optimiser steps: a pass for each parameter, one thread per element, one entry point for each set of states.
// A shader cannot be given a list of buffers, so that the passes of one launch share no more than the parameter block.
import type { PlanTable, WebGpuFacts, WebGpuPlan, WebGpuPlanner } from '../plan.ts';
import { threadPass } from '../shared/webgpu-elements.ts';
import { floatFunctions, threadFunctions } from '../shared/wgsl.ts';
import adamModule from './adam.wgsl';
import {
  adamBuffers,
  type AdamParams,
  adamStep,
  type RmspropParams,
  rmspropStep,
  runningAverage,
  type RunningAverageParams,
  sgdBuffers,
  type SgdParams,
  sgdStep,
} from './optimizer.ts';
import rmspropModule from './rmsprop.wgsl';
import runningAverageModule from './running-average.wgsl';
import sgdModule from './sgd.wgsl';

/** The name of a binding of parameter k: its number goes before the mark of what is written. */
const numbered = (binding: string, k: number): string =>
  binding.endsWith('*') ? `${binding.slice(0, -1)}${k}*` : `${binding}${k}`;

function perParameter(
  module: string,
  entryPoint: string,
  n: readonly number[],
  facts: WebGpuFacts,
  bindings: readonly string[],
): WebGpuPlan {
  const passes = n.map((size, k) => ({
    ...threadPass(module, entryPoint, size, facts),
    bindings: bindings.map((name) => numbered(name, k)),
  }));
  return { name: entryPoint, passes };
}

const written = (names: readonly string[]): string[] => names.map((name) => `${name}*`);

const sgdText = threadFunctions + sgdModule;
const adamText = threadFunctions + floatFunctions + adamModule;
const rmspropText = threadFunctions + rmspropModule;
const runningAverageText = threadFunctions + runningAverageModule;

const sgdPlan: WebGpuPlanner<SgdParams> = (params, facts) =>
  perParameter(sgdText, params.momentum ? 'withMomentum' : 'plain', params.n, facts, [
    'g',
    ...written(sgdBuffers(params)),
  ]);

const adamPlan: WebGpuPlanner<AdamParams> = (params, facts) =>
  perParameter(adamText, params.amsgrad ? 'amsgrad' : 'plain', params.n, facts, ['g', ...written(adamBuffers(params))]);

const rmspropPlan: WebGpuPlanner<RmspropParams> = ({ n, centered, momentum }, facts) => {
  const plain = momentum ? 'withMomentum' : 'plain';
  const aboutMean = momentum ? 'centeredWithMomentum' : 'centered';
  const entryPoint = centered ? aboutMean : plain;
  // Unused state slots are bound to a read-only buffer.
  const bindings = ['g', 'p*', 'v*', momentum ? 'b*' : 'g', centered ? 'a*' : 'g'];
  return perParameter(rmspropText, entryPoint, n, facts, bindings);
};

const runningAveragePlan: WebGpuPlanner<RunningAverageParams> = ({ n, count }, facts) => {
  const [name, bindings] = count === 2 ? ['two', ['x0', 'y0*', 'x1', 'y1*']] : ['one', ['x0', 'y0*']];
  return { name, passes: [{ ...threadPass(runningAverageText, name, n, facts), bindings }] };
};

export function addOptimizer(table: PlanTable<WebGpuPlanner<never>>): void {
  table.add(sgdStep, sgdPlan, 'withMomentum', 'plain');
  table.add(adamStep, adamPlan, 'amsgrad', 'plain');
  table.add(rmspropStep, rmspropPlan, 'plain', 'withMomentum', 'centered', 'centeredWithMomentum');
  table.add(runningAverage, runningAveragePlan, 'one', 'two');
}
