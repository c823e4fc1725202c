// Learning rates as functions of the step t = 0, 1, ..., with the closed forms of torch.optim.lr_scheduler.
import { ConfigError } from '../errors.ts';
import type { Optimizer } from './optimizer.ts';

/** Rate in use at step t; one-cycle schedules also move the momentum. */
export interface ScheduledValues {
  lr: number;
  momentum?: number;
}

export type Schedule = (t: number) => ScheduledValues;

const rate =
  (lr: (t: number) => number): Schedule =>
  (t) => ({ lr: lr(t) });

/** baseLr (1 - min(t, totalIters) / totalIters)^power */
export const polynomialLR = (
  baseLr: number,
  { totalIters, power = 1 }: { totalIters: number; power?: number },
): Schedule => rate((t) => baseLr * (1 - Math.min(t, totalIters) / totalIters) ** power);

/** baseLr gamma^floor(t / stepSize) */
export const stepLR = (baseLr: number, { stepSize, gamma = 0.1 }: { stepSize: number; gamma?: number }): Schedule =>
  rate((t) => baseLr * gamma ** Math.floor(t / stepSize));

/** baseLr gamma^(number of milestones at or before t) */
export const multiStepLR = (
  baseLr: number,
  { milestones, gamma = 0.1 }: { milestones: readonly number[]; gamma?: number },
): Schedule => rate((t) => baseLr * gamma ** milestones.filter((milestone) => milestone <= t).length);

/** From baseLr to etaMin over tMax steps along half a cosine, and back. */
export const cosineLR = (baseLr: number, { tMax, etaMin = 0 }: { tMax: number; etaMin?: number }): Schedule =>
  rate((t) => etaMin + ((baseLr - etaMin) * (1 + Math.cos((Math.PI * t) / tMax))) / 2);

/** baseLr gamma^t */
export const exponentialLR = (baseLr: number, { gamma }: { gamma: number }): Schedule =>
  rate((t) => baseLr * gamma ** t);

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

/** Smith's one-cycle policy: the rate rises and falls once, the momentum the other way round. */
export function oneCycleLR(options: OneCycleOptions): Schedule {
  const { maxLr, totalSteps, pctStart = 0.3, divFactor = 25, finalDivFactor = 1e4 } = options;
  const { annealStrategy = 'cos', threePhase = false, cycleMomentum = true } = options;
  const { baseMomentum = 0.85, maxMomentum = 0.95 } = options;
  const initial = maxLr / divFactor;
  const final = initial / finalDivFactor;
  const rise = pctStart * totalSteps - 1;
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
    let start = 0;
    for (const phase of phases) {
      if (t <= phase.end || phase === phases.at(-1)) {
        const share = (t - start) / (phase.end - start);
        const lr = anneal(phase.lr, share);
        return cycleMomentum ? { lr, momentum: anneal(phase.momentum, share) } : { lr };
      }
      start = phase.end;
    }
    throw new ConfigError('a schedule has no phase', { operation: 'oneCycleLR' });
  };
}

/** Sets the optimiser's rate (and momentum, if the schedule moves it) for step t. */
export function applySchedule(optimizer: Optimizer, schedule: Schedule, t: number): void {
  Object.assign(optimizer.options, schedule(t));
}
