// Optimiser steps, fused and in place, with the update rules of torch.optim. Also the running averages of batch norm.
//
// A launch updates up to MAX_LIST parameters by the same rule: a network has many, most of them short. Its inputs are their
// gradients g0, g1, ...; its outputs each parameter with its states, one behind the other: p0, m0, v0, p1, ...
import { defineKernel, float, type Operand, type ParamsOf } from '../kernel.ts';

const state = (name: string, n: number) => ({ ...float(name, n), inPlace: true });

/** What the steps have in common. `n`: the elements of each parameter, none of which is empty. */
interface Sizes {
  readonly n: readonly number[];
}

const gradients = ({ n }: Sizes): Operand[] => n.map((size, k) => float(`g${k}`, size));

/** What is updated of each parameter, by the names of its buffers. */
const updated = ({ n }: Sizes, names: readonly string[]) =>
  n.flatMap((size, k) => names.map((name) => state(`${name}${k}`, size)));

/** Elements of all parameters. */
export const elementsOf = ({ n }: Sizes): number => n.reduce((sum, size) => sum + size, 0);

export const SgdParams = {
  n: 'u32x32',
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

export const sgdBuffers = ({ momentum }: SgdParams): readonly string[] => (momentum ? ['p', 'b'] : ['p']);

/** g += weightDecay p; b = first ? g : momentum b + gain g; p -= learningRate (nesterov ? g + momentum b : b). */
export const sgdStep = defineKernel({
  name: 'sgdStep',
  fields: SgdParams,
  inputs: gradients,
  outputs: (params) => updated(params, sgdBuffers(params)),
  flops: (params) => 6 * elementsOf(params),
});

export const AdamParams = {
  n: 'u32x32',
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

export const adamBuffers = ({ amsgrad }: AdamParams): readonly string[] => [
  'p',
  'm',
  'v',
  ...(amsgrad ? ['vMax'] : []),
];

/** m, v: running first and second moments; p -= stepSize m / (sqrt(v) / correction + eps), v its running maximum if amsgrad. */
export const adamStep = defineKernel({
  name: 'adamStep',
  fields: AdamParams,
  inputs: gradients,
  outputs: (params) => updated(params, adamBuffers(params)),
  flops: (params) => 14 * elementsOf(params),
});

export const RmspropParams = {
  n: 'u32x32',
  learningRate: 'f32',
  alpha: 'f32',
  oneMinusAlpha: 'f32',
  eps: 'f32',
  weightDecay: 'f32',
  momentum: 'f32',
  centered: 'u32',
} as const;
export type RmspropParams = ParamsOf<typeof RmspropParams>;

export const rmspropBuffers = ({ centered, momentum }: RmspropParams): readonly string[] => [
  'p',
  'v',
  ...(centered ? ['a'] : []),
  ...(momentum ? ['b'] : []),
];

/**
 * g += weightDecay p; v = alpha v + (1 - alpha) g^2; if centered a = alpha a + (1 - alpha) g and the divisor is
 * sqrt(v - a^2) + eps, else sqrt(v) + eps; with momentum b = momentum b + g / divisor, p -= learningRate b.
 */
export const rmspropStep = defineKernel({
  name: 'rmspropStep',
  fields: RmspropParams,
  inputs: gradients,
  outputs: (params) => updated(params, rmspropBuffers(params)),
  flops: (params) => 12 * elementsOf(params),
});

export const RunningAverageParams = {
  /** Elements of each average. */
  n: 'u32',
  /** Averages: one, or two. */
  count: 'u32',
  keep: 'f32',
  gain0: 'f32',
  gain1: 'f32',
} as const;
export type RunningAverageParams = ParamsOf<typeof RunningAverageParams>;

const inTurn = (name: string, { count }: RunningAverageParams): string[] => [0, 1].slice(0, count).map((k) => name + k);

/** yk = keep yk + gaink xk, in place. */
export const runningAverage = defineKernel({
  name: 'runningAverage',
  fields: RunningAverageParams,
  inputs: (params) => inTurn('x', params).map((name) => float(name, params.n)),
  outputs: (params) => inTurn('y', params).map((name) => state(name, params.n)),
  flops: ({ n, count }) => 3 * n * count,
});
