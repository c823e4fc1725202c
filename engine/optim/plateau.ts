// The schedule that looks at results instead of the step: torch.optim.lr_scheduler.ReduceLROnPlateau.
import { takes } from '../call-check.ts';
import { countWithin, numberWithin, oneOf } from '../checks.ts';
import { ConfigError } from '../errors.ts';
import { number, optionsWith, text, withMethod } from '../signature.ts';
import type { Optimizer } from './optimizer.ts';

/** Options of ReduceLROnPlateau. */
export interface PlateauOptions {
  /** Whether the metric is to fall ('min', the default) or to rise. */
  mode?: 'min' | 'max';
  /** What the rate is multiplied by. Default 0.1. */
  factor?: number;
  /** Results without improvement that are waited for. Default 10. */
  patience?: number;
  /** The least improvement, as a share of the best or absolute. Default 1e-4. */
  threshold?: number;
  thresholdMode?: 'rel' | 'abs';
  /** Results after a reduction that are not judged. Default 0. */
  cooldown?: number;
  minLr?: number;
  /** Smaller changes of the rate are not made. Default 1e-8. */
  eps?: number;
}

const takesPlateau = takes('ReduceLROnPlateau', {
  optimizer: withMethod('step', 'an optimiser'),
  options: optionsWith<PlateauOptions>({
    ...{ mode: text, factor: number, patience: number, threshold: number, thresholdMode: text },
    ...{ cooldown: number, minLr: number, eps: number },
  }),
});

/** Lowers the rate of every group when a metric has stopped getting better. */
export class ReduceLROnPlateau {
  /** The best result so far, how many have not been better, and how many are not to be judged. */
  best: number;
  badCount = 0;
  cooldownLeft = 0;
  readonly #optimizer: Optimizer;
  readonly #options: Required<PlateauOptions>;

  constructor(...args: [optimizer: Optimizer, options?: PlateauOptions]) {
    const [optimizer, options = {}] = takesPlateau(args);
    const operation = 'ReduceLROnPlateau';
    const { mode = 'min', factor = 0.1, patience = 10, threshold = 1e-4, thresholdMode = 'rel' } = options;
    const { cooldown = 0, minLr = 0, eps = 1e-8 } = options;
    oneOf(operation, 'mode', mode, ['min', 'max']);
    oneOf(operation, 'thresholdMode', thresholdMode, ['rel', 'abs']);
    numberWithin(operation, 'factor', factor, { from: 0, below: 1 });
    countWithin(operation, 'patience', patience, { from: 0 });
    numberWithin(operation, 'threshold', threshold, { from: 0 });
    countWithin(operation, 'cooldown', cooldown, { from: 0 });
    numberWithin(operation, 'minLr', minLr, { from: 0 });
    numberWithin(operation, 'eps', eps, { from: 0 });
    this.#optimizer = optimizer;
    this.#options = { mode, factor, patience, threshold, thresholdMode, cooldown, minLr, eps };
    this.best = mode === 'min' ? Infinity : -Infinity;
  }

  /** Takes one result, and lowers the rates if there have been too many without improvement. NaN is not an improvement. */
  step(metric: number): void {
    if (typeof metric !== 'number') {
      const details = { operation: 'step', argument: 'metric', expected: 'a number', given: typeof metric };
      throw new ConfigError('not a number', { ...details, hint: 'Await loss.item() first' });
    }
    const { patience, cooldown, factor, minLr, eps } = this.#options;
    if (this.#isBetter(metric)) {
      this.best = metric;
      this.badCount = 0;
    } else {
      this.badCount++;
    }
    if (this.cooldownLeft > 0) {
      this.cooldownLeft--;
      this.badCount = 0;
    }
    if (this.badCount <= patience) return;
    this.#optimizer.groups.forEach(({ options }, group) => {
      const lr = Math.max(options.lr * factor, minLr);
      if (options.lr - lr > eps) this.#optimizer.setRates({ lr }, group);
    });
    this.cooldownLeft = cooldown;
    this.badCount = 0;
  }

  #isBetter(metric: number): boolean {
    const { mode, threshold, thresholdMode } = this.#options;
    const sign = mode === 'min' ? -1 : 1;
    const limit = thresholdMode === 'abs' ? this.best + sign * threshold : this.best * (1 + sign * threshold);
    return mode === 'min' ? metric < limit : metric > limit;
  }
}
