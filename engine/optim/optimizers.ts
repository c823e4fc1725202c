// Optimisers with the update rules and defaults of torch.optim. A step is one fused kernel, in place, for many parameters at once.
import { adamStep, rmspropStep, sgdStep } from '../../kernels/index.ts';
import { takes } from '../call-check.ts';
import { numberWithin } from '../checks.ts';
import { ConfigError } from '../errors.ts';
import { flag, number, optionsWith, pairOfNumbers, requiredOptions, value } from '../signature.ts';
import { limits, Optimizer, type OptimizerOptions, type OptimizerParameters, type UpdateBatch } from './optimizer.ts';

/** Options of SGD. */
export interface SgdOptions extends OptimizerOptions {
  momentum?: number;
  dampening?: number;
  nesterov?: boolean;
}

const common = { lr: number, weightDecay: number };
const takesSgd = takes('SGD', {
  parameters: value,
  options: requiredOptions<SgdOptions>({ ...common, momentum: number, dampening: number, nesterov: flag }, 'lr'),
});

/** Stochastic gradient descent with momentum; weight decay is added to the gradient. */
export class SGD extends Optimizer<SgdOptions> {
  constructor(...args: [parameters: OptimizerParameters<SgdOptions>, options: SgdOptions]) {
    const [parameters, options] = takesSgd(args);
    super(parameters, options);
    for (const { options } of this.groups) {
      if (!options.nesterov || (options.momentum && !options.dampening)) continue;
      throw new ConfigError("Nesterov's momentum needs a momentum and no dampening", {
        operation: 'SGD',
        argument: 'nesterov',
        expected: 'momentum above 0 and dampening 0',
        given: `momentum ${options.momentum ?? 0} and dampening ${options.dampening ?? 0}`,
      });
    }
  }

  protected override setMomentum(momentum: number, options: SgdOptions): void {
    options.momentum = numberWithin(this.constructor.name, 'momentum', momentum, limits.momentum);
  }

  protected override slotNames({ momentum }: SgdOptions): readonly string[] {
    return momentum ? ['momentum'] : [];
  }

  protected override update({ device, n, gradients, outputs }: UpdateBatch, options: SgdOptions, t: number): void {
    const { lr, momentum = 0, dampening = 0, nesterov = false, weightDecay = 0 } = options;
    device.launch(sgdStep, gradients, outputs, {
      n,
      learningRate: lr,
      momentum,
      gain: 1 - dampening,
      weightDecay,
      nesterov: Number(nesterov),
      first: Number(t === 1),
    });
  }
}

/** Options of Adam and AdamW. */
export interface AdamOptions extends OptimizerOptions {
  betas?: readonly [number, number];
  eps?: number;
  /** Divides by the largest second moment so far, before its bias correction, in PyTorch and in Keras. */
  amsgrad?: boolean;
  /**
   * What eps is added to. false, PyTorch's: the root of the corrected second moment. true, Keras's: the root before the
   * correction, which makes the same eps weigh 1 / sqrt(1 - beta2^t) times as much, 32 times at the first step. It is the "epsilon
   * hat" of Kingma and Ba 2015, section 2.
   */
  epsilonHat?: boolean;
}

const adam = {
  parameters: value,
  options: optionsWith<AdamOptions>({ ...common, betas: pairOfNumbers, eps: number, amsgrad: flag, epsilonHat: flag }),
};
const takesAdam = takes('Adam', adam);
const takesAdamW = takes('AdamW', adam);

/** Adam; weight decay is added to the gradient. */
export class Adam extends Optimizer<AdamOptions> {
  constructor(...args: [parameters: OptimizerParameters<AdamOptions>, options?: Partial<AdamOptions>]) {
    const [parameters, options] = takesAdam(args);
    super(parameters, { lr: 1e-3, ...options });
  }

  protected override setMomentum(beta1: number, options: AdamOptions): void {
    numberWithin(this.constructor.name, 'beta1', beta1, limits.beta1);
    options.betas = [beta1, options.betas?.[1] ?? 0.999];
  }

  protected override slotNames({ amsgrad }: AdamOptions): readonly string[] {
    return amsgrad ? ['m', 'v', 'vMax'] : ['m', 'v'];
  }

  /** How weight decay acts: on the gradient, or by shrinking the parameter. */
  protected decay({ weightDecay = 0 }: AdamOptions): { weightDecay: number; shrink: number } {
    return { weightDecay, shrink: 1 };
  }

  protected override update({ device, n, gradients, outputs }: UpdateBatch, options: AdamOptions, t: number): void {
    const { lr, betas: [beta1, beta2] = [0.9, 0.999], eps = 1e-8, amsgrad = false, epsilonHat = false } = options;
    const correction = Math.sqrt(1 - beta2 ** t);
    device.launch(adamStep, gradients, outputs, {
      n,
      stepSize: lr / (1 - beta1 ** t),
      beta1,
      beta2,
      oneMinusBeta1: 1 - beta1,
      oneMinusBeta2: 1 - beta2,
      eps: epsilonHat ? eps / correction : eps,
      ...this.decay(options),
      correction,
      amsgrad: Number(amsgrad),
    });
  }
}

/** Adam with decoupled weight decay (0.01 unless given). */
export class AdamW extends Adam {
  constructor(...args: [parameters: OptimizerParameters<AdamOptions>, options?: Partial<AdamOptions>]) {
    super(...takesAdamW(args));
  }

  protected override decay({ lr, weightDecay = 0.01 }: AdamOptions): { weightDecay: number; shrink: number } {
    return { weightDecay: 0, shrink: 1 - lr * weightDecay };
  }
}

/** Options of RMSprop. */
export interface RmspropOptions extends OptimizerOptions {
  alpha?: number;
  eps?: number;
  momentum?: number;
  centered?: boolean;
}

const takesRmsprop = takes('RMSprop', {
  parameters: value,
  options: optionsWith<RmspropOptions>({ ...common, alpha: number, eps: number, momentum: number, centered: flag }),
});

/** RMSprop; weight decay is added to the gradient. */
export class RMSprop extends Optimizer<RmspropOptions> {
  constructor(...args: [parameters: OptimizerParameters<RmspropOptions>, options?: Partial<RmspropOptions>]) {
    const [parameters, options] = takesRmsprop(args);
    super(parameters, { lr: 1e-2, ...options });
  }

  protected override setMomentum(momentum: number, options: RmspropOptions): void {
    options.momentum = numberWithin(this.constructor.name, 'momentum', momentum, limits.momentum);
  }

  protected override slotNames({ centered, momentum }: RmspropOptions): readonly string[] {
    return ['v', ...(centered ? ['a'] : []), ...(momentum ? ['momentum'] : [])];
  }

  protected override update({ device, n, gradients, outputs }: UpdateBatch, options: RmspropOptions): void {
    const { lr, alpha = 0.99, eps = 1e-8, weightDecay = 0, momentum = 0, centered = false } = options;
    device.launch(rmspropStep, gradients, outputs, {
      n,
      learningRate: lr,
      alpha,
      oneMinusAlpha: 1 - alpha,
      eps,
      weightDecay,
      momentum,
      centered: Number(centered),
    });
  }
}
