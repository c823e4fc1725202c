// WASM plans of the convolutions: the constants that their kernels read behind the packed parameters, and the phases.
import { planWords } from '../params.ts';
import type { PlanTable, WasmPhase, WasmPlan, WasmPlanner } from '../plan.ts';
import { conv2d, conv2dInputGradient, type Conv2dParams, conv2dWeightGradient } from './conv2d.ts';
import {
  forwardGeometry,
  type Geometry,
  inputGradientGeometries,
  pairColumns,
  planCorrelation,
  TASK_WORK,
  tapsOf,
} from './correlation.wasm.ts';
import { Places } from './correlation-plan.wasm.ts';
import { isWinograd, planWinograd } from './winograd.wasm.ts';
import { isWinogradGradient, planWinogradGradient } from './winograd-weight-gradient.wasm.ts';
import { planWeightGradient } from './weight-gradient.wasm.ts';

/** What correlate.as.ts reads behind its parameters: so many correlations follow. */
export const CorrelateHeader = { ...Places, count: 'i32' } as const;

/** What fill-output.as.ts reads behind its parameters. `bias` and `output` as in Places, sizes in elements. */
export const FillOutputPlan = { bias: 'i32', output: 'i32', channels: 'i32', plane: 'i32' } as const;

/** Correlations in one phase: their constants must fit the parameter block. */
const CORRELATIONS_PER_PHASE = 64;

/** Elements written that pay for another thread. */
const FILL_WORK = 32_768;

const isEmpty = (p: Conv2dParams): boolean => p.batch === 0;

/** Phases that run these correlations. */
function correlate(
  geometries: Geometry[],
  places: Places,
  threads: number,
  prefer: string | undefined,
): { phases: WasmPhase[]; scratchBytes: number; name: string } {
  const phases: WasmPhase[] = [];
  let scratchBytes = 0;
  let packed = false;
  for (let from = 0; from < geometries.length; from += CORRELATIONS_PER_PHASE) {
    let tasks = 0;
    let work = 0;
    const together = geometries.slice(from, from + CORRELATIONS_PER_PHASE);
    const constants = planWords(CorrelateHeader, { ...places, count: together.length });
    for (const geometry of together) {
      const plan = planCorrelation(geometry, together.length, threads, prefer);
      tasks = Math.max(tasks, plan.tasks);
      constants.push(...plan.words);
      scratchBytes = Math.max(scratchBytes, plan.scratchBytes);
      packed ||= plan.packed;
      work += plan.tasks * plan.taskWork;
    }
    const grain = Math.max(1, Math.floor((TASK_WORK * tasks) / Math.max(1, work)));
    phases.push({ exportName: 'conv2dCorrelate', tasks, grain, constants });
  }
  const hasPairs = geometries.some(({ odd }) => odd);
  const name = packed ? 'packedColumns' : hasPairs ? 'pairedColumns' : 'shiftedRows';
  return { phases, scratchBytes, name };
}

const planForward: WasmPlanner<Conv2dParams> = (p, { threads, plainSums }, prefer): WasmPlan => {
  if (isEmpty(p)) return { name: 'empty', phases: [] };
  const output = 2 + p.bias;
  const geometry = forwardGeometry(p);
  const places = { weights: 1, bias: p.bias ? 2 : -1, output, scratch: output + 2 };
  if (!plainSums && isWinograd(geometry, prefer)) {
    const { phases, sharedBytes, scratchBytes } = planWinograd(geometry, places, false, threads);
    return { name: 'winograd', phases, sharedScratch: sharedBytes, threadScratch: scratchBytes };
  }
  const { phases, scratchBytes, name } = correlate([geometry], places, threads, prefer);
  return { name, phases, threadScratch: scratchBytes };
};

/** Bias or zero everywhere, for elements that no tap reaches. */
const fillPhase = (p: Conv2dParams, output: number): WasmPhase => ({
  exportName: 'conv2dFillOutput',
  tasks: p.batch * p.inChannels,
  grain: Math.max(1, Math.floor(FILL_WORK / (p.inH * p.inW))),
  constants: planWords(FillOutputPlan, {
    bias: p.bias ? 2 : -1,
    output,
    channels: p.inChannels,
    plane: p.inH * p.inW,
  }),
});

/**
 * Whether even and odd columns are computed together, so that every output is written once: wanted, or not so few that columns are
 * packed.
 */
const isPaired = (p: Conv2dParams, singles: Geometry[], threads: number, prefer: string | undefined): boolean => {
  if (p.strideW !== 2 || p.inW < 2) return false;
  if (prefer !== undefined) return prefer === 'pairedColumns';
  const first = singles.find((each) => tapsOf(each) > 0);
  return !(first && planCorrelation(first, singles.length, threads, prefer).packed);
};

const planInputGradient: WasmPlanner<Conv2dParams> = (p, { threads, plainSums }, prefer): WasmPlan => {
  if (isEmpty(p)) return { name: 'empty', phases: [] };
  const output = 2 + p.bias;
  const places = { weights: output + 1, bias: p.bias ? 2 : -1, output, scratch: output + 2 };
  const singles = inputGradientGeometries(p);
  if (!plainSums && singles.length === 1 && isWinograd(singles[0], prefer)) {
    // Its filters are made from the weights as they are given.
    const asGiven = { ...places, weights: 1 };
    const { phases, sharedBytes, scratchBytes } = planWinograd(singles[0], asGiven, true, threads);
    return { name: 'winograd', phases, sharedScratch: sharedBytes, threadScratch: scratchBytes };
  }
  const taps = p.kernelH * p.kernelW;
  const weights = (p.outChannels / p.groups) * p.inChannels * taps;
  const transpose: WasmPhase = {
    exportName: 'conv2dTransposeWeights',
    tasks: p.inChannels,
    grain: Math.ceil((4096 * p.inChannels) / Math.max(1, weights)),
    constants: planWords(Places, places),
  };
  const reached = singles.filter((each) => tapsOf(each) > 0);
  const isInPairs = isPaired(p, singles, threads, prefer);
  const geometries = isInPairs ? pairColumns(singles) : reached;
  const { phases, scratchBytes, name } = correlate(geometries, places, threads, prefer);
  return {
    name,
    phases: [...(isInPairs || reached.length === singles.length ? [] : [fillPhase(p, output)]), transpose, ...phases],
    sharedScratch: Math.max(4, 4 * weights),
    threadScratch: Math.max(scratchBytes, 4 * taps),
  };
};

const planGradientOfWeights: WasmPlanner<Conv2dParams> = (p, facts, prefer): WasmPlan => {
  const geometry = forwardGeometry(p);
  if (facts.plainSums || !isWinogradGradient(geometry, prefer)) return planWeightGradient(p, facts, prefer);
  return planWinogradGradient(geometry, facts.threads);
};

export function addConv2d(table: PlanTable<WasmPlanner<never>>): void {
  table.add(conv2d, planForward, 'winograd', 'packedColumns', 'shiftedRows');
  table.add(conv2dInputGradient, planInputGradient, 'winograd', 'pairedColumns', 'packedColumns', 'shiftedRows');
  table.add(conv2dWeightGradient, planGradientOfWeights, 'winograd', 'channelsLast', 'innerProducts');
}
