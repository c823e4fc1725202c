// Optimisers with the update rules and defaults of torch.optim. Each step is one fused kernel per parameter, in place.
import { adamStep, rmspropStep, sgdStep } from '../../kernels/index.ts';
import type { Storage } from '../devices/device.ts';
import { takes } from '../call-check.ts';
import { type Interval, numberWithin, parametersIn } from '../checks.ts';
import { elementOf, elementsOf } from '../elements.ts';
import { ConfigError, DataError, DTypeError } from '../errors.ts';
import type { StateDict } from '../nn/module.ts';
import { workObserver } from '../profile/work.ts';
import { checkAlive, flag, number, optionsWith, pairOfNumbers, requiredOptions, value } from '../signature.ts';
import { Parameter, Tensor } from '../tensor.ts';

/** Buffers of one parameter by name, such as the momentum. */
type Slots = Map<string, Tensor>;

/** What every optimiser takes. */
export interface OptimizerOptions {
  lr: number;
  weightDecay?: number;
}

/** What a schedule sets before a step: the rate, and the momentum if it moves that. */
export interface ScheduledValues {
  lr: number;
  momentum?: number;
}

const notNegative: Interval = { from: 0 };
const share: Interval = { from: 0, below: 1 };
/** What each option that is a number may be, in whichever optimiser has it. */
const limits: Readonly<Record<string, Interval>> = {
  lr: notNegative,
  weightDecay: notNegative,
  eps: notNegative,
  momentum: notNegative,
  dampening: { from: 0, to: 1 },
  alpha: share,
  beta1: share,
  beta2: share,
};

/** Refuses options out of their limits. `betas` are looked at one by one. */
function checkOptions(optimizer: string, options: OptimizerOptions): void {
  numberWithin(optimizer, 'lr', options.lr, notNegative);
  const { betas, ...rest } = options as { betas?: readonly number[] };
  const [beta1, beta2] = betas ?? [0.9, 0.999];
  for (const [name, given] of Object.entries<unknown>({ ...rest, beta1, beta2 })) {
    if (name in limits && given !== undefined) numberWithin(optimizer, name, given as number, limits[name]);
  }
}

/** The base of all optimisers. */
export abstract class Optimizer<O extends OptimizerOptions = OptimizerOptions> {
  readonly parameters: readonly Parameter[];
  /** Hyper-parameters, which may be changed between steps. */
  readonly options: O;
  readonly #slots = new Map<Parameter, Slots>();
  readonly #steps = new Map<Parameter, number>();

  constructor(parameters: Iterable<Parameter>, options: O) {
    const operation = this.constructor.name;
    this.parameters = [...new Set(parametersIn(operation, parameters))];
    this.options = options;
    if (!this.parameters.length) {
      throw new ConfigError('there is nothing to optimise', {
        operation,
        argument: 'parameters',
        expected: 'one parameter or more',
        given: 'none',
      });
    }
    this.parameters.forEach((parameter: unknown, i) => {
      const argument = `parameters[${i}]`;
      if (parameter instanceof Parameter) return checkAlive(operation, argument, parameter);
      const given = parameter instanceof Tensor ? 'a tensor that is no parameter' : typeof parameter;
      throw new DTypeError('not a parameter', { operation, argument, expected: 'a parameter', given });
    });
    checkOptions(operation, options);
  }

  /**
   * Lets go of the gradients. Without it they add up: k backward calls on the micro-batches of a batch, each loss divided by
   * k, leave the gradient of the whole batch (batch norm aside, whose statistics are those of the micro-batch).
   */
  zeroGrad(): void {
    for (const parameter of this.parameters) parameter.zeroGrad();
  }

  /** Updates every parameter that has a gradient. */
  step(): void {
    for (const parameter of this.parameters) {
      checkAlive('step', 'parameters', parameter);
      if (!parameter.grad || parameter.size === 0) continue;
      const t = (this.#steps.get(parameter) ?? 0) + 1;
      this.#steps.set(parameter, t);
      const observer = workObserver();
      const { grad } = parameter;
      if (observer) observer.update(parameter, () => this.update(parameter, grad, t));
      else this.update(parameter, grad, t);
    }
  }

  /** Takes over what a schedule gives. Throws ConfigError for a momentum where this optimiser has none. */
  setRates({ lr, momentum }: ScheduledValues): void {
    if (momentum !== undefined) this.setMomentum(momentum);
    this.options.lr = numberWithin(this.constructor.name, 'lr', lr, limits.lr);
  }

  /** Sets what this optimiser has for a momentum. */
  protected setMomentum(momentum: number): void {
    throw new ConfigError('this optimiser has no momentum for a schedule to move', {
      operation: this.constructor.name,
      argument: 'momentum',
      expected: 'none',
      given: String(momentum),
      hint: 'Give the schedule { cycleMomentum: false }',
    });
  }

  /** One step number t = 1, 2, ... of one parameter. */
  protected abstract update(parameter: Parameter, gradient: Tensor, t: number): void;

  /** Names of the buffers in use, in the order of the kernel's outputs. */
  protected abstract slotNames(): readonly string[];

  /** Storages of the parameter's buffers in the order of `slotNames`, zeros at first. */
  protected slotsOf(parameter: Parameter): Storage[] {
    const slots = this.#slots.get(parameter) ?? new Map<string, Tensor>();
    this.#slots.set(parameter, slots);
    return this.slotNames().map((name) => {
      let slot = slots.get(name);
      if (!slot) {
        const storage = parameter.device.allocate(parameter.size, 'float32');
        parameter.device.write(storage, new Float32Array(parameter.size));
        slot = new Tensor(storage, parameter.shape, 'float32');
        slots.set(name, slot);
      }
      return slot.storage;
    });
  }

  /** Buffers and step counts on the host, by the index of the parameter: `3.momentum`, `3.step`. */
  async stateDict(): Promise<StateDict> {
    const state: StateDict = new Map();
    for (const [i, parameter] of this.parameters.entries()) {
      const t = this.#steps.get(parameter);
      if (t !== undefined) state.set(`${i}.step`, { shape: [], values: Float32Array.of(t) });
      for (const [name, slot] of this.#slots.get(parameter) ?? []) {
        state.set(`${i}.${name}`, { shape: slot.shape, values: await slot.array() });
      }
    }
    return state;
  }

  /**
   * Replaces the state by what `stateDict` gave. Throws DataError on keys that are not of this optimiser and DTypeError on
   * values that are no numbers, and changes nothing then.
   */
  loadStateDict(state: ReadonlyMap<string, { values: ArrayLike<number> }>): void {
    const loads = [...state].map(([key, { values }]) => {
      const [index, name] = key.split('.');
      const parameter = this.parameters[Number(index)];
      const at = this.slotNames().indexOf(name!);
      if (!parameter || (name !== 'step' && (at < 0 || values.length !== parameter.size))) {
        throw new DataError(`'${key}' is not part of this optimiser's state`, { operation: 'loadStateDict' });
      }
      const context = { operation: 'loadStateDict', argument: key };
      if (name === 'step') {
        const t = elementOf(values[0], 'int32', context);
        return () => void this.#steps.set(parameter, t);
      }
      const elements = elementsOf(values, 'float32', context);
      return () => parameter.device.write(this.slotsOf(parameter)[at]!, elements);
    });
    this.dispose();
    this.#steps.clear();
    for (const load of loads) load();
  }

  /** Releases the buffers. */
  dispose(): void {
    for (const slots of this.#slots.values()) for (const slot of slots.values()) slot.dispose();
    this.#slots.clear();
  }
}

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
  constructor(...args: [parameters: Iterable<Parameter>, options: SgdOptions]) {
    const [parameters, options] = takesSgd(args);
    super(parameters, options);
    if (options.nesterov && !(options.momentum && !options.dampening)) {
      throw new ConfigError("Nesterov's momentum needs a momentum and no dampening", {
        operation: 'SGD',
        argument: 'nesterov',
        expected: 'momentum above 0 and dampening 0',
        given: `momentum ${options.momentum ?? 0} and dampening ${options.dampening ?? 0}`,
      });
    }
  }

  protected override setMomentum(momentum: number): void {
    this.options.momentum = numberWithin(this.constructor.name, 'momentum', momentum, limits.momentum);
  }

  protected override slotNames(): readonly string[] {
    return this.options.momentum ? ['momentum'] : [];
  }

  protected override update(parameter: Parameter, gradient: Tensor, t: number): void {
    const { lr, momentum = 0, dampening = 0, nesterov = false, weightDecay = 0 } = this.options;
    const outputs = [parameter.storage, ...this.slotsOf(parameter)];
    parameter.device.launch(sgdStep, [gradient.storage], outputs, {
      n: parameter.size,
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
  amsgrad?: boolean;
}

const adam = {
  parameters: value,
  options: optionsWith<AdamOptions>({ ...common, betas: pairOfNumbers, eps: number, amsgrad: flag }),
};
const takesAdam = takes('Adam', adam);
const takesAdamW = takes('AdamW', adam);

/** Adam; weight decay is added to the gradient. */
export class Adam extends Optimizer<AdamOptions> {
  constructor(...args: [parameters: Iterable<Parameter>, options?: Partial<AdamOptions>]) {
    const [parameters, options] = takesAdam(args);
    super(parameters, { lr: 1e-3, ...options });
  }

  protected override setMomentum(beta1: number): void {
    numberWithin(this.constructor.name, 'beta1', beta1, limits.beta1);
    this.options.betas = [beta1, this.options.betas?.[1] ?? 0.999];
  }

  protected override slotNames(): readonly string[] {
    return this.options.amsgrad ? ['m', 'v', 'vMax'] : ['m', 'v'];
  }

  /** How weight decay acts: on the gradient, or by shrinking the parameter. */
  protected decay(): { weightDecay: number; shrink: number } {
    return { weightDecay: this.options.weightDecay ?? 0, shrink: 1 };
  }

  protected override update(parameter: Parameter, gradient: Tensor, t: number): void {
    const { lr, betas: [beta1, beta2] = [0.9, 0.999], eps = 1e-8, amsgrad = false } = this.options;
    const outputs = [parameter.storage, ...this.slotsOf(parameter)];
    parameter.device.launch(adamStep, [gradient.storage], outputs, {
      n: parameter.size,
      stepSize: lr / (1 - beta1 ** t),
      beta1,
      beta2,
      oneMinusBeta1: 1 - beta1,
      oneMinusBeta2: 1 - beta2,
      eps,
      ...this.decay(),
      correction: Math.sqrt(1 - beta2 ** t),
      amsgrad: Number(amsgrad),
    });
  }
}

/** Adam with decoupled weight decay (0.01 unless given). */
export class AdamW extends Adam {
  constructor(...args: [parameters: Iterable<Parameter>, options?: Partial<AdamOptions>]) {
    super(...takesAdamW(args));
  }

  protected override decay(): { weightDecay: number; shrink: number } {
    return { weightDecay: 0, shrink: 1 - this.options.lr * (this.options.weightDecay ?? 0.01) };
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
  constructor(...args: [parameters: Iterable<Parameter>, options?: Partial<RmspropOptions>]) {
    const [parameters, options] = takesRmsprop(args);
    super(parameters, { lr: 1e-2, ...options });
  }

  protected override setMomentum(momentum: number): void {
    this.options.momentum = numberWithin(this.constructor.name, 'momentum', momentum, limits.momentum);
  }

  protected override slotNames(): readonly string[] {
    const { centered, momentum } = this.options;
    return ['v', ...(centered ? ['a'] : []), ...(momentum ? ['momentum'] : [])];
  }

  protected override update(parameter: Parameter, gradient: Tensor): void {
    const { lr, alpha = 0.99, eps = 1e-8, weightDecay = 0, momentum = 0, centered = false } = this.options;
    const outputs = [parameter.storage, ...this.slotsOf(parameter)];
    parameter.device.launch(rmspropStep, [gradient.storage], outputs, {
      n: parameter.size,
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
