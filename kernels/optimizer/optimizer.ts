// Optimiser steps, fused and in place, with the update rules of torch.optim. Also the running average of batch norm.
import { defineKernel, float, type ParamsOf } from '../kernel.ts';

const state = (name: string, n: number) => ({ ...float(name, n), inPlace: true });

export const SgdParams = {
  n: 'u32',
  learningRate: 'f32',
  momentum: 'f32',
  /** 1 - dampening */
  gain: 'f32',
  weightDecay: 'f32',
  nesterov: 'u32',
  /** 1 in the first step, in which the momentum buffer becomes the gradient itself. */
  first: 'u32',
} as const;
export type SgdParams = ParamsOf<typeof SgdParams>;

/** g += weightDecay p; b = first ? g : momentum b + gain g; p -= learningRate (nesterov ? g + momentum b : b). */
export const sgdStep = defineKernel({
  name: 'sgdStep',
  fields: SgdParams,
  inputs: ({ n }) => [float('g', n)],
  outputs: ({ n, momentum }) => (momentum ? [state('p', n), state('b', n)] : [state('p', n)]),
  flops: ({ n }) => 6 * n,
});

export const AdamParams = {
  n: 'u32',
  /** learningRate / (1 - beta1^t) */
  stepSize: 'f32',
  beta1: 'f32',
  beta2: 'f32',
  /** 1 - beta, given apart because float32 would lose it. */
  oneMinusBeta1: 'f32',
  oneMinusBeta2: 'f32',
  eps: 'f32',
  /** Coupled decay, added to the gradient. */
  weightDecay: 'f32',
  /** Decoupled decay: p is multiplied by 1 - learningRate weightDecay first; 1 for plain Adam. */
  shrink: 'f32',
  /** sqrt(1 - beta2^t) */
  correction: 'f32',
  amsgrad: 'u32',
} as const;
export type AdamParams = ParamsOf<typeof AdamParams>;

/** m, v: running first and second moments; p -= stepSize m / (sqrt(v) / correction + eps), v its running maximum if amsgrad. */
export const adamStep = defineKernel({
  name: 'adamStep',
  fields: AdamParams,
  inputs: ({ n }) => [float('g', n)],
  outputs: ({ n, amsgrad }) => {
    const outputs = [state('p', n), state('m', n), state('v', n)];
    return amsgrad ? [...outputs, state('vMax', n)] : outputs;
  },
  flops: ({ n }) => 14 * n,
});

export const RmspropParams = {
  n: 'u32',
  learningRate: 'f32',
  alpha: 'f32',
  oneMinusAlpha: 'f32',
  eps: 'f32',
  weightDecay: 'f32',
  momentum: 'f32',
  centered: 'u32',
} as const;
export type RmspropParams = ParamsOf<typeof RmspropParams>;

/**
 * g += weightDecay p; v = alpha v + (1 - alpha) g^2; if centered a = alpha a + (1 - alpha) g and the divisor is
 * sqrt(v - a^2) + eps, else sqrt(v) + eps; with momentum b = momentum b + g / divisor, p -= learningRate b.
 * Outputs: p, v, then a if centered, then b if momentum is not 0.
 */
export const rmspropStep = defineKernel({
  name: 'rmspropStep',
  fields: RmspropParams,
  inputs: ({ n }) => [float('g', n)],
  outputs: ({ n, centered, momentum }) => [
    state('p', n),
    state('v', n),
    ...(centered ? [state('a', n)] : []),
    ...(momentum ? [state('b', n)] : []),
  ],
  flops: ({ n }) => 12 * n,
});

export const RunningAverageParams = { n: 'u32', keep: 'f32', gain: 'f32' } as const;
export type RunningAverageParams = ParamsOf<typeof RunningAverageParams>;

/** y = keep y + gain x, in place. */
export const runningAverage = defineKernel({
  name: 'runningAverage',
  fields: RunningAverageParams,
  inputs: ({ n }) => [float('x', n)],
  outputs: ({ n }) => [state('y', n)],
  flops: ({ n }) => 3 * n,
});
