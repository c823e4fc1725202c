// Random cases of the optimiser steps, with every combination of their switches.
import fc from 'fast-check';
import {
  adamStep,
  type AdamParams,
  MAX_LIST,
  type ParamValues,
  rmspropStep,
  type RmspropParams,
  runningAverage,
  sgdStep,
  type SgdParams,
} from '../../../kernels/index.ts';
import { anySize, caseSource, drawn, flag, floatBetween, type KernelGenerator } from '../cases.ts';

/** Elements of each parameter; a list of none is a launch without work. */
const sizes = fc.array(
  fc.oneof(
    anySize.filter((n) => n > 0),
    fc.constant(8195),
  ),
  { maxLength: 9 },
);
/** As many as a launch takes, and ranges of threads that begin and end within parameters. */
const many = Array.from({ length: MAX_LIST }, (_, k) => (k % 5 === 4 ? 4099 : 1 + 3 * k));

const tolerance = () => ({ rtol: 1e-5, atol: 2e-6 });

const sgd: SgdParams = {
  n: [1027],
  learningRate: 0.125,
  momentum: 0.875,
  gain: 1,
  weightDecay: 0,
  nesterov: 0,
  first: 0,
};

export const sgdSource = caseSource({
  kernel: sgdStep,
  params: fc
    .record({
      n: sizes,
      learningRate: floatBetween(0, 1),
      momentum: fc.constantFrom(0, Math.fround(0.9)),
      gain: fc.constantFrom(1, 0.5),
      weightDecay: fc.constantFrom(0, Math.fround(0.01)),
      nesterov: flag,
      first: flag,
    })
    .map((p) => (p.momentum ? p : { ...p, nesterov: 0 })),
  examples: [
    sgd,
    { ...sgd, n: [] },
    { ...sgd, n: [1], first: 1 },
    { ...sgd, n: many, nesterov: 1 },
    { ...sgd, n: many, momentum: 0 },
  ],
  tolerance,
});

const adam: AdamParams = {
  n: [1027],
  stepSize: 0.01,
  beta1: 0.9,
  beta2: 0.999,
  oneMinusBeta1: 0.1,
  oneMinusBeta2: 0.001,
  eps: 1e-8,
  weightDecay: 0,
  shrink: 1,
  correction: 0.25,
  amsgrad: 0,
};
/** The parameters as the other devices get them. */
const rounded = <P extends ParamValues>(params: P): P =>
  Object.fromEntries(
    Object.entries(params).map(([name, value]) => [name, typeof value === 'number' ? Math.fround(value) : value]),
  ) as P;

/** Second moments are positive and larger than the square of the averaged gradient. */
const stateValues: KernelGenerator<AdamParams | RmspropParams>['values'] = (name, _params, draws, length) => {
  if (/^v(Max)?\d/.test(name)) return drawn(length, () => 0.5 + draws.uniform());
  if (/^a\d/.test(name)) return drawn(length, () => 0.5 * draws.uniform());
  return undefined;
};

export const adamSource = caseSource({
  kernel: adamStep,
  params: fc
    .record({
      n: sizes,
      stepSize: floatBetween(0, 0.5),
      weightDecay: fc.constantFrom(0, 0.01),
      shrink: fc.constantFrom(1, 0.99),
      correction: floatBetween(0.0625, 1),
      amsgrad: flag,
    })
    .map((p) => rounded({ ...adam, ...p, weightDecay: p.shrink === 1 ? p.weightDecay : 0 })),
  examples: [
    adam,
    { ...adam, n: [] },
    { ...adam, n: [1] },
    { ...adam, n: many, amsgrad: 1 },
    { ...adam, n: many, shrink: 0.99 },
  ].map(rounded),
  tolerance,
  values: stateValues,
});

const rmsprop: RmspropParams = {
  n: [1027],
  learningRate: 0.01,
  alpha: 0.99,
  oneMinusAlpha: 0.01,
  eps: 1e-8,
  weightDecay: 0,
  momentum: 0,
  centered: 0,
};

export const rmspropSource = caseSource({
  kernel: rmspropStep,
  params: fc
    .record({
      n: sizes,
      learningRate: floatBetween(0, 0.5),
      weightDecay: fc.constantFrom(0, 0.01),
      momentum: fc.constantFrom(0, 0.9),
      centered: flag,
    })
    .map((p) => rounded({ ...rmsprop, ...p })),
  examples: [0, 1].flatMap((centered) =>
    [0, 0.9].flatMap((momentum) => [[], [1], [1027], many].map((n) => rounded({ ...rmsprop, n, centered, momentum }))),
  ),
  tolerance,
  values: stateValues,
});

export const runningAverageSource = caseSource({
  kernel: runningAverage,
  params: fc.record({
    n: anySize,
    count: fc.integer({ min: 1, max: 2 }),
    keep: floatBetween(0, 1),
    gain0: floatBetween(0, 1),
    gain1: floatBetween(0, 1),
  }),
  examples: [
    { n: 0, count: 2, keep: 0.5, gain0: 0.5, gain1: 0.25 },
    { n: 1, count: 1, keep: 0.5, gain0: 0.5, gain1: 0 },
    { n: 1027, count: 1, keep: 0, gain0: 1, gain1: 0 },
    { n: 1027, count: 2, keep: 0.75, gain0: 1, gain1: 0.5 },
  ],
  tolerance,
});
