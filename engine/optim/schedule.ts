// Learning rates as functions of the step t = 0, 1, ..., with the closed forms of torch.optim.lr_scheduler.
import { takes } from '../call-check.ts';
import { countWithin, numberWithin } from '../checks.ts';
import { ConfigError } from '../errors.ts';
import { callback, number, numbers, optionsWith, requiredOptions, withMethod } from '../signature.ts';
import type { Optimizer, ScheduledValues } from './optimizer.ts';

/** Rate in use at step t; one-cycle schedules also move the momentum. */
export type Schedule = (t: number) => ScheduledValues;

/** Steps before the first are refused. */
const from0 =
  (name: string, schedule: Schedule): Schedule =>
  (t) =>
    schedule(numberWithin(name, 't', t, { from: 0 }));

const rate = (name: string, baseLr: number, lr: (t: number) => number): Schedule => {
  numberWithin(name, 'baseLr', baseLr, { from: 0 });
  return from0(name, (t) => ({ lr: lr(t) }));
};

/** Options of `polynomialLR`. */
export interface PolynomialOptions {
  totalIters: number;
  power?: number;
}

const takesPolynomial = takes('polynomialLR', {
  baseLr: number,
  options: requiredOptions<PolynomialOptions>({ totalIters: number, power: number }, 'totalIters'),
});

/** baseLr (1 - min(t, totalIters) / totalIters)^power */
export function polynomialLR(...args: [baseLr: number, options: PolynomialOptions]): Schedule {
  const [baseLr, { totalIters, power = 1 }] = takesPolynomial(args);
  countWithin('polynomialLR', 'totalIters', totalIters, { from: 1 });
  numberWithin('polynomialLR', 'power', power, { from: 0 });
  return rate('polynomialLR', baseLr, (t) => baseLr * (1 - Math.min(t, totalIters) / totalIters) ** power);
}

/** Options of `stepLR`. */
export interface StepOptions {
  stepSize: number;
  gamma?: number;
}

const takesStep = takes('stepLR', {
  baseLr: number,
  options: requiredOptions<StepOptions>({ stepSize: number, gamma: number }, 'stepSize'),
});

/** baseLr gamma^floor(t / stepSize) */
export function stepLR(...args: [baseLr: number, options: StepOptions]): Schedule {
  const [baseLr, { stepSize, gamma = 0.1 }] = takesStep(args);
  countWithin('stepLR', 'stepSize', stepSize, { from: 1 });
  numberWithin('stepLR', 'gamma', gamma, { from: 0 });
  return rate('stepLR', baseLr, (t) => baseLr * gamma ** Math.floor(t / stepSize));
}

/** Options of `multiStepLR`. */
export interface MultiStepOptions {
  milestones: readonly number[];
  gamma?: number;
}

const takesMultiStep = takes('multiStepLR', {
  baseLr: number,
  options: requiredOptions<MultiStepOptions>({ milestones: numbers, gamma: number }, 'milestones'),
});

/** baseLr gamma^(number of milestones at or before t) */
export function multiStepLR(...args: [baseLr: number, options: MultiStepOptions]): Schedule {
  const [baseLr, { milestones, gamma = 0.1 }] = takesMultiStep(args);
  milestones.forEach((milestone, i) => countWithin('multiStepLR', `milestones[${i}]`, milestone, { from: 0 }));
  numberWithin('multiStepLR', 'gamma', gamma, { from: 0 });
  return rate('multiStepLR', baseLr, (t) => baseLr * gamma ** milestones.filter((milestone) => milestone <= t).length);
}

/** Options of `cosineLR`. */
export interface CosineOptions {
  tMax: number;
  etaMin?: number;
}

const takesCosine = takes('cosineLR', {
  baseLr: number,
  options: requiredOptions<CosineOptions>({ tMax: number, etaMin: number }, 'tMax'),
});

/** From baseLr to etaMin over tMax steps along half a cosine, and back. */
export function cosineLR(...args: [baseLr: number, options: CosineOptions]): Schedule {
  const [baseLr, { tMax, etaMin = 0 }] = takesCosine(args);
  countWithin('cosineLR', 'tMax', tMax, { from: 1 });
  numberWithin('cosineLR', 'etaMin', etaMin, { from: 0 });
  return rate('cosineLR', baseLr, (t) => etaMin + ((baseLr - etaMin) * (1 + Math.cos((Math.PI * t) / tMax))) / 2);
}

/** Options of `exponentialLR`. */
export interface ExponentialOptions {
  gamma: number;
}

const takesExponential = takes('exponentialLR', {
  baseLr: number,
  options: requiredOptions<ExponentialOptions>({ gamma: number }, 'gamma'),
});

/** baseLr gamma^t */
export function exponentialLR(...args: [baseLr: number, options: ExponentialOptions]): Schedule {
  const [baseLr, { gamma }] = takesExponential(args);
  numberWithin('exponentialLR', 'gamma', gamma, { from: 0 });
  return rate('exponentialLR', baseLr, (t) => baseLr * gamma ** t);
}

/** Options of `linearLR`. */
export interface LinearOptions {
  /** Steps of the warm-up. Default 5. */
  totalIters?: number;
  /** Factor at step 0, above 0. Default 1 / 3. */
  startFactor?: number;
  /** Factor from step `totalIters` on. Default 1. */
  endFactor?: number;
}

const takesLinear = takes('linearLR', {
  baseLr: number,
  options: optionsWith<LinearOptions>({ totalIters: number, startFactor: number, endFactor: number }),
});

/** Warm-up: baseLr times a factor that goes from `startFactor` to `endFactor` in equal steps, and stays there. */
export function linearLR(...args: [baseLr: number, options?: LinearOptions]): Schedule {
  const [baseLr, { totalIters = 5, startFactor = 1 / 3, endFactor = 1 } = {}] = takesLinear(args);
  countWithin('linearLR', 'totalIters', totalIters, { from: 1 });
  numberWithin('linearLR', 'startFactor', startFactor, { above: 0, to: 1 });
  numberWithin('linearLR', 'endFactor', endFactor, { from: 0, to: 1 });
  const factor = (t: number): number =>
    startFactor + (endFactor - startFactor) * (Math.min(t, totalIters) / totalIters);
  return rate('linearLR', baseLr, (t) => baseLr * factor(t));
}

const takesLambda = takes('lambdaLR', { baseLr: number, factor: callback });

/** baseLr factor(t) */
export function lambdaLR(...args: [baseLr: number, factor: (t: number) => number]): Schedule {
  const [baseLr, factor] = takesLambda(args);
  return rate('lambdaLR', baseLr, (t) => baseLr * factor(t));
}

/** A schedule, or one for each group. */
const schedules = {
  ...callback,
  expected: 'a function, or an array of them',
  accepts: (given: unknown): boolean =>
    callback.accepts(given) || (Array.isArray(given) && given.every(callback.accepts)),
};

const takesApply = takes('applySchedule', {
  optimizer: withMethod('step', 'an optimiser'),
  schedule: schedules,
  t: number,
});

/**
 * Sets the optimiser's rate for step t, and its momentum if the schedule moves that: `momentum` of SGD and RMSprop, the first
 * of the `betas` of Adam. One schedule serves all groups; an array has one for each. Throws ConfigError for a momentum where the
 * optimiser has none, and for an array of another length.
 */
export function applySchedule(
  ...args: [optimizer: Optimizer, schedule: Schedule | readonly Schedule[], t: number]
): void {
  const [optimizer, schedule, t] = takesApply(args);
  if (typeof schedule === 'function') return optimizer.setRates(schedule(t));
  if (schedule.length !== optimizer.groups.length) {
    const details = { operation: 'applySchedule', argument: 'schedule', given: String(schedule.length) };
    throw new ConfigError('the number of schedules differs from that of the groups', {
      ...details,
      expected: String(optimizer.groups.length),
    });
  }
  schedule.forEach((each, group) => optimizer.setRates(each(t), group));
}
