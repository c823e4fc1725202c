// Reference loops of the optimiser steps and the running average, in place; the update rules are in optimizer.ts.
import type { PlanTable, ReferenceArray, ReferencePlan } from '../plan.ts';
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

/** Updates one parameter of n elements: what is updated, as the kernel names it. */
type ParameterLoop<P> = (gradient: ReferenceArray, updated: ReferenceArray[], n: number, params: P) => void;

/** The same for all parameters of a launch. */
const forEachParameter =
  <P extends { readonly n: readonly number[] }>(loop: ParameterLoop<P>) =>
  (gradients: ReferenceArray[], outputs: ReferenceArray[], params: P): void => {
    const buffers = outputs.length / gradients.length;
    gradients.forEach((gradient, k) => {
      loop(gradient, outputs.slice(k * buffers, (k + 1) * buffers), params.n[k], params);
    });
  };

const sgdLoop: ParameterLoop<SgdParams> = (gradient, [p, b], n, params) => {
  const { learningRate, momentum, gain, weightDecay, nesterov, first } = params;
  for (let i = 0; i < n; i++) {
    const g = gradient.get(i) + weightDecay * p.get(i);
    let direction = g;
    if (momentum) {
      b.set(i, first ? g : momentum * b.get(i) + gain * g);
      direction = nesterov ? g + momentum * b.get(i) : b.get(i);
    }
    p.set(i, p.get(i) - learningRate * direction);
  }
};

const adamLoop: ParameterLoop<AdamParams> = (gradient, [p, m, v, vMax], n, params) => {
  for (let i = 0; i < n; i++) {
    const shrunk = params.shrink * p.get(i);
    const g = gradient.get(i) + params.weightDecay * shrunk;
    m.set(i, params.beta1 * m.get(i) + params.oneMinusBeta1 * g);
    v.set(i, params.beta2 * v.get(i) + params.oneMinusBeta2 * g * g);
    let second = v.get(i);
    if (params.amsgrad) {
      second = Math.max(vMax.get(i), second);
      vMax.set(i, second);
    }
    p.set(i, shrunk - (params.stepSize * m.get(i)) / (Math.sqrt(second) / params.correction + params.eps));
  }
};

const rmspropLoop: ParameterLoop<RmspropParams> = (gradient, [p, v, ...states], n, params) => {
  const { learningRate, alpha, oneMinusAlpha, eps, weightDecay, momentum, centered } = params;
  const a = states[0];
  const b = states[centered ? 1 : 0];
  for (let i = 0; i < n; i++) {
    const g = gradient.get(i) + weightDecay * p.get(i);
    v.set(i, alpha * v.get(i) + oneMinusAlpha * g * g);
    let variance = v.get(i);
    if (centered) {
      a.set(i, alpha * a.get(i) + oneMinusAlpha * g);
      variance -= a.get(i) ** 2;
    }
    let step = g / (Math.sqrt(variance) + eps);
    if (momentum) {
      step += momentum * b.get(i);
      b.set(i, step);
    }
    p.set(i, p.get(i) - learningRate * step);
  }
};

const runningAverageLoop: ReferencePlan<RunningAverageParams> = (inputs, outputs, { n, keep, gain0, gain1 }) => {
  outputs.forEach((y, k) => {
    for (let i = 0; i < n; i++) y.set(i, keep * y.get(i) + [gain0, gain1][k]! * inputs[k]!.get(i));
  });
};

export function addOptimizer(table: PlanTable<ReferencePlan<never>>): void {
  table.add(sgdStep, forEachParameter(sgdLoop));
  table.add(adamStep, forEachParameter(adamLoop));
  table.add(rmspropStep, forEachParameter(rmspropLoop));
  table.add(runningAverage, runningAverageLoop);
}
