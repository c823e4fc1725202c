// Reference loops of the optimiser steps and the running average, in place; the update rules are in optimizer.ts.
import type { PlanTable, ReferencePlan } from '../plan.ts';
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

const sgdLoop: ReferencePlan<SgdParams> = ([gradient], [p, b], params) => {
  const { n, learningRate, momentum, gain, weightDecay, nesterov, first } = params;
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

const adamLoop: ReferencePlan<AdamParams> = ([gradient], [p, m, v, vMax], params) => {
  for (let i = 0; i < params.n; i++) {
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

const rmspropLoop: ReferencePlan<RmspropParams> = ([gradient], [p, v, ...states], params) => {
  const { n, learningRate, alpha, oneMinusAlpha, eps, weightDecay, momentum, centered } = params;
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

const runningAverageLoop: ReferencePlan<RunningAverageParams> = ([x], [y], { n, keep, gain }) => {
  for (let i = 0; i < n; i++) y.set(i, keep * y.get(i) + gain * x.get(i));
};

export function addOptimizer(table: PlanTable<ReferencePlan<never>>): void {
  table.add(sgdStep, sgdLoop);
  table.add(adamStep, adamLoop);
  table.add(rmspropStep, rmspropLoop);
  table.add(runningAverage, runningAverageLoop);
}
