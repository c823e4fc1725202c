// Learning rates as functions of the step t = 0, 1, ..., with the closed forms of torch.optim.lr_scheduler.
import { takes } from '../call-check.ts';
import { countWithin, numberWithin, oneOf } from '../checks.ts';
import { ConfigError } from '../errors.ts';
import { callback, flag, number, numbers, requiredOptions, text, withMethod } from '../signature.ts';
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

/** Options of `oneCycleLR`. */
export interface OneCycleOptions {
  maxLr: number;
  totalSteps: number;
  pctStart?: number;
  divFactor?: number;
  finalDivFactor?: number;
  annealStrategy?: 'cos' | 'linear';
  threePhase?: boolean;
  cycleMomentum?: boolean;
  baseMomentum?: number;
  maxMomentum?: number;
}

const takesOneCycle = takes('oneCycleLR', {
  options: requiredOptions<OneCycleOptions>(
    {
      maxLr: number,
      totalSteps: number,
      pctStart: number,
      divFactor: number,
      finalDivFactor: number,
      annealStrategy: text,
      threePhase: flag,
      cycleMomentum: flag,
      baseMomentum: number,
      maxMomentum: number,
    },
    'maxLr',
    'totalSteps',
  ),
});

/**
 * Smith's one-cycle policy: the rate rises for pctStart totalSteps - 1 steps and falls until step totalSteps - 1, the
 * momentum the other way round. Throws ConfigError for a rise of exactly no steps, which leaves step 0 between two phases,
 * and for a step from totalSteps on.
 */
export function oneCycleLR(...args: [options: OneCycleOptions]): Schedule {
  const [options] = takesOneCycle(args);
  const { maxLr, totalSteps, pctStart = 0.3, divFactor = 25, finalDivFactor = 1e4 } = options;
  const { annealStrategy = 'cos', threePhase = false, cycleMomentum = true } = options;
  const { baseMomentum = 0.85, maxMomentum = 0.95 } = options;
  const operation = 'oneCycleLR';
  numberWithin(operation, 'maxLr', maxLr, { from: 0 });
  countWithin(operation, 'totalSteps', totalSteps, { from: 1 });
  numberWithin(operation, 'pctStart', pctStart, { from: 0, to: 1 });
  numberWithin(operation, 'divFactor', divFactor, { above: 0 });
  numberWithin(operation, 'finalDivFactor', finalDivFactor, { above: 0 });
  oneOf(operation, 'annealStrategy', annealStrategy, ['cos', 'linear']);
  numberWithin(operation, 'baseMomentum', baseMomentum, { from: 0, to: 1 });
  numberWithin(operation, 'maxMomentum', maxMomentum, { from: 0, to: 1 });
  const initial = maxLr / divFactor;
  const final = initial / finalDivFactor;
  const rise = pctStart * totalSteps - 1;
  if (rise === 0) {
    throw new ConfigError('the rate has no steps to rise in', {
      operation,
      argument: 'pctStart',
      expected: `above or below 1 / totalSteps, ${1 / totalSteps}`,
      given: String(pctStart),
      hint: 'Give 0 to begin at the highest rate',
    });
  }
  const phases = threePhase
    ? [
        { end: rise, lr: [initial, maxLr], momentum: [maxMomentum, baseMomentum] },
        { end: 2 * pctStart * totalSteps - 2, lr: [maxLr, initial], momentum: [baseMomentum, maxMomentum] },
        { end: totalSteps - 1, lr: [initial, final], momentum: [maxMomentum, maxMomentum] },
      ]
    : [
        { end: rise, lr: [initial, maxLr], momentum: [maxMomentum, baseMomentum] },
        { end: totalSteps - 1, lr: [maxLr, final], momentum: [baseMomentum, maxMomentum] },
      ];
  const anneal = ([from, to]: number[], share: number): number =>
    annealStrategy === 'cos'
      ? to! + ((from! - to!) * (1 + Math.cos(Math.PI * share))) / 2
      : from! + (to! - from!) * share;
  return (t) => {
    numberWithin(operation, 't', t, { from: 0, to: totalSteps - 1 });
    const at = phases.findIndex(({ end }) => t <= end);
    const start = at > 0 ? phases[at - 1]!.end : 0;
    const { end, lr, momentum } = phases[at]!;
    const share = (t - start) / (end - start);
    const values = { lr: anneal(lr, share) };
    return cycleMomentum ? { ...values, momentum: anneal(momentum, share) } : values;
  };
}

const takesApply = takes('applySchedule', {
  optimizer: withMethod('step', 'an optimiser'),
  schedule: callback,
  t: number,
});

/**
 * Sets the optimiser's rate for step t, and its momentum if the schedule moves that: `momentum` of SGD and RMSprop, the first
 * of the `betas` of Adam. Throws ConfigError for a momentum where the optimiser has none.
 */
export function applySchedule(...args: [optimizer: Optimizer, schedule: Schedule, t: number]): void {
  const [optimizer, schedule, t] = takesApply(args);
  optimizer.setRates(schedule(t));
}
