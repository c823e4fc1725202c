// Smith's one-cycle policy, with the closed form of torch.optim.lr_scheduler.
import { takes } from '../call-check.ts';
import { countWithin, numberWithin, oneOf } from '../checks.ts';
import { ConfigError } from '../errors.ts';
import { flag, number, requiredOptions, text } from '../signature.ts';
import type { Schedule } from './schedule.ts';

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
