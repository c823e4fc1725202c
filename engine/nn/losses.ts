// Losses as modules, which keep their options: `new nn.MSELoss().forward(x, target)` is `mseLoss(x, target)`.
import { takes } from '../call-check.ts';
import * as ops from '../ops/index.ts';
import { flag, float, number, optionsWith, text } from '../signature.ts';
import type { Tensor } from '../tensor.ts';
import { Module } from './module.ts';

/** A function of prediction and target. */
abstract class Loss<O> extends Module {
  readonly #options: O;

  constructor(options: O) {
    super();
    this.#options = options;
  }

  protected abstract loss(x: Tensor, target: Tensor, options: O): Tensor;

  /** The loss of x against `target`. */
  forward(x: Tensor, target: Tensor): Tensor {
    return this.loss(x, target, this.#options);
  }
}

const classOptions = { reduction: text, weight: float, ignoreIndex: number };

const takesMSELoss = takes('MSELoss', { options: optionsWith<ops.LossOptions>({ reduction: text }) });

/** (x - target)^2 */
export class MSELoss extends Loss<ops.LossOptions> {
  constructor(...args: [options?: ops.LossOptions]) {
    super(takesMSELoss(args)[0] ?? {});
  }

  protected override loss(x: Tensor, target: Tensor, options: ops.LossOptions): Tensor {
    return ops.mseLoss(x, target, options);
  }
}

const takesL1Loss = takes('L1Loss', { options: optionsWith<ops.LossOptions>({ reduction: text }) });

/** |x - target| */
export class L1Loss extends Loss<ops.LossOptions> {
  constructor(...args: [options?: ops.LossOptions]) {
    super(takesL1Loss(args)[0] ?? {});
  }

  protected override loss(x: Tensor, target: Tensor, options: ops.LossOptions): Tensor {
    return ops.l1Loss(x, target, options);
  }
}

const takesHuberLoss = takes('HuberLoss', {
  options: optionsWith<ops.HuberOptions>({ reduction: text, delta: number }),
});

/** A square near 0 and linear beyond delta. */
export class HuberLoss extends Loss<ops.HuberOptions> {
  constructor(...args: [options?: ops.HuberOptions]) {
    super(takesHuberLoss(args)[0] ?? {});
  }

  protected override loss(x: Tensor, target: Tensor, options: ops.HuberOptions): Tensor {
    return ops.huberLoss(x, target, options);
  }
}

const takesSmoothL1Loss = takes('SmoothL1Loss', {
  options: optionsWith<ops.SmoothL1Options>({ reduction: text, beta: number }),
});

/** A square near 0 and linear beyond beta, where its slope is 1. */
export class SmoothL1Loss extends Loss<ops.SmoothL1Options> {
  constructor(...args: [options?: ops.SmoothL1Options]) {
    super(takesSmoothL1Loss(args)[0] ?? {});
  }

  protected override loss(x: Tensor, target: Tensor, options: ops.SmoothL1Options): Tensor {
    return ops.smoothL1Loss(x, target, options);
  }
}

const takesBCEWithLogitsLoss = takes('BCEWithLogitsLoss', {
  options: optionsWith<ops.BceOptions>({ reduction: text, weight: float, posWeight: float }),
});

/** Binary cross-entropy of scores. */
export class BCEWithLogitsLoss extends Loss<ops.BceOptions> {
  constructor(...args: [options?: ops.BceOptions]) {
    super(takesBCEWithLogitsLoss(args)[0] ?? {});
  }

  protected override loss(x: Tensor, target: Tensor, options: ops.BceOptions): Tensor {
    return ops.bceWithLogits(x, target, options);
  }
}

const takesCrossEntropyLoss = takes('CrossEntropyLoss', {
  options: optionsWith<ops.CrossEntropyOptions>({ ...classOptions, labelSmoothing: number }),
});

/** Softmax cross-entropy of scores against class indices or probabilities. */
export class CrossEntropyLoss extends Loss<ops.CrossEntropyOptions> {
  constructor(...args: [options?: ops.CrossEntropyOptions]) {
    super(takesCrossEntropyLoss(args)[0] ?? {});
  }

  protected override loss(x: Tensor, target: Tensor, options: ops.CrossEntropyOptions): Tensor {
    return ops.crossEntropy(x, target, options);
  }
}

const takesNLLLoss = takes('NLLLoss', { options: optionsWith<ops.NllOptions>({ ...classOptions }) });

/** Minus the log-probability of the target class. */
export class NLLLoss extends Loss<ops.NllOptions> {
  constructor(...args: [options?: ops.NllOptions]) {
    super(takesNLLLoss(args)[0] ?? {});
  }

  protected override loss(x: Tensor, target: Tensor, options: ops.NllOptions): Tensor {
    return ops.nllLoss(x, target, options);
  }
}

const takesKLDivLoss = takes('KLDivLoss', {
  options: optionsWith<ops.KlDivOptions>({ reduction: text, logTarget: flag }),
});

/** The Kullback-Leibler divergence of log-probabilities. */
export class KLDivLoss extends Loss<ops.KlDivOptions> {
  constructor(...args: [options?: ops.KlDivOptions]) {
    super(takesKLDivLoss(args)[0] ?? {});
  }

  protected override loss(x: Tensor, target: Tensor, options: ops.KlDivOptions): Tensor {
    return ops.klDivLoss(x, target, options);
  }
}
