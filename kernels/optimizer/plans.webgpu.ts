// WebGPU plans of the optimiser steps: one thread per parameter, one entry point for each set of state buffers.
import type { PlanTable, WebGpuFacts, WebGpuPlan, WebGpuPlanner } from '../plan.ts';
import { threadPass } from '../shared/webgpu-elements.ts';
import { floatFunctions, threadFunctions } from '../shared/wgsl.ts';
import adamModule from './adam.wgsl';
import {
  type AdamParams,
  adamStep,
  type RmspropParams,
  rmspropStep,
  runningAverage,
  type RunningAverageParams,
  type SgdParams,
  sgdStep,
} from './optimizer.ts';
import rmspropModule from './rmsprop.wgsl';
import runningAverageModule from './running-average.wgsl';
import sgdModule from './sgd.wgsl';

function perParameter(module: string, entryPoint: string, n: number, facts: WebGpuFacts): WebGpuPlan {
  return { name: entryPoint, passes: [threadPass(module, entryPoint, n, facts)] };
}

const sgdText = threadFunctions + sgdModule;
const adamText = threadFunctions + floatFunctions + adamModule;
const rmspropText = threadFunctions + rmspropModule;
const runningAverageText = threadFunctions + runningAverageModule;

const sgdPlan: WebGpuPlanner<SgdParams> = ({ n, momentum }, facts) =>
  perParameter(sgdText, momentum ? 'withMomentum' : 'plain', n, facts);

const adamPlan: WebGpuPlanner<AdamParams> = ({ n, amsgrad }, facts) =>
  perParameter(adamText, amsgrad ? 'amsgrad' : 'plain', n, facts);

const rmspropPlan: WebGpuPlanner<RmspropParams> = ({ n, centered, momentum }, facts) => {
  const plain = momentum ? 'withMomentum' : 'plain';
  const aboutMean = momentum ? 'centeredWithMomentum' : 'centered';
  const entryPoint = centered ? aboutMean : plain;
  // Unused state slots are bound to a read-only buffer.
  const bindings = ['g', 'p*', 'v*', momentum ? 'b*' : 'g', centered ? 'a*' : 'g'];
  return { name: entryPoint, passes: [{ ...threadPass(rmspropText, entryPoint, n, facts), bindings }] };
};

const runningAveragePlan: WebGpuPlanner<RunningAverageParams> = ({ n }, facts) =>
  perParameter(runningAverageText, 'main', n, facts);

export function addOptimizer(table: PlanTable<WebGpuPlanner<never>>): void {
  table.add(sgdStep, sgdPlan, 'withMomentum', 'plain');
  table.add(adamStep, adamPlan, 'amsgrad', 'plain');
  table.add(rmspropStep, rmspropPlan, 'plain', 'withMomentum', 'centered', 'centeredWithMomentum');
  table.add(runningAverage, runningAveragePlan, 'main');
}
