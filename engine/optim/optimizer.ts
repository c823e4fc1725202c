// The base of all optimisers: parameters in groups, their state, and its way to files and back.
import { MAX_LIST } from '../../kernels/index.ts';
import type { Device, Storage } from '../devices/device.ts';
import { compileCheck } from '../call-check.ts';
import { countWithin, type Interval, numberWithin, parametersIn } from '../checks.ts';
import { elementOf, elementsOf } from '../elements.ts';
import { ConfigError, DataError, DTypeError, showGiven } from '../errors.ts';
import type { StateDict } from '../nn/module.ts';
import { workObserver } from '../profile/work.ts';
import { declaredSignatures } from '../parameters.ts';
import { checkAlive } from '../signature.ts';
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
export const limits: Readonly<Record<string, Interval>> = {
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

/** Parameters that share hyper-parameters; what a group does not name is that of the optimiser. */
export type ParameterGroup<O extends OptimizerOptions = OptimizerOptions> = Partial<O> & {
  readonly params: Iterable<Parameter>;
};

/** Parameters, or groups of them as PyTorch's: `[{ params, lr }, ...]`. */
export type OptimizerParameters<O extends OptimizerOptions = OptimizerOptions> =
  Iterable<Parameter> | Iterable<ParameterGroup<O>>;

/** Parameters that one launch updates. */
export interface UpdateBatch {
  readonly device: Device;
  /** Elements of each. */
  readonly n: readonly number[];
  readonly gradients: Storage[];
  /** Each parameter and its buffers in the order of `slotNames`, one parameter behind the other. */
  readonly outputs: Storage[];
}

interface Batch<O> extends UpdateBatch {
  readonly options: O;
  readonly t: number;
  readonly parameters: Parameter[];
  readonly n: number[];
}

/** One group of an optimiser. */
export interface OptimizerGroup<O extends OptimizerOptions = OptimizerOptions> {
  readonly params: readonly Parameter[];
  /** Hyper-parameters, which may be changed between steps. */
  readonly options: O;
}

const isGroup = (given: unknown): given is ParameterGroup =>
  typeof given === 'object' && given !== null && !(given instanceof Tensor) && 'params' in given;

/** The groups that were given: one where there are parameters alone. */
function groupsOf<O extends OptimizerOptions>(
  operation: string,
  given: OptimizerParameters<O>,
  options: O,
): OptimizerGroup<O>[] {
  const members: unknown[] = [...parametersIn(operation, given as Iterable<unknown>)];
  if (!members.some(isGroup)) return [{ params: [...new Set(members as Parameter[])], options }];
  const declared = declaredSignatures().get(operation)?.['options'];
  const checkOwn =
    declared && 'options' in declared && compileCheck(operation, { group: { options: declared.options } });
  const seen = new Set<Parameter>();
  return members.map((member, i) => {
    const argument = `parameters[${i}]`;
    if (!isGroup(member)) {
      const details = {
        operation,
        argument,
        expected: 'a group { params, lr, ... } like the others',
        given: showGiven(member),
      };
      throw new ConfigError('groups and parameters are mixed', details);
    }
    const { params, ...own } = member;
    if (checkOwn) checkOwn([own]);
    const list = [...new Set(parametersIn(operation, params))];
    if (list.some((parameter) => seen.has(parameter))) {
      const details = {
        operation,
        argument,
        expected: 'parameters of no other group',
        given: 'one that is in two groups',
      };
      throw new ConfigError('a parameter is in two groups', details);
    }
    for (const parameter of list) seen.add(parameter);
    // What a group leaves undefined is the optimiser's.
    const named = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined));
    return { params: list, options: { ...options, ...(named as Partial<O>) } };
  });
}

/** The base of all optimisers. */
export abstract class Optimizer<O extends OptimizerOptions = OptimizerOptions> {
  /** Those of all groups, in order. */
  readonly parameters: readonly Parameter[];
  /** Parameters with their hyper-parameters, as PyTorch's `param_groups`. */
  readonly groups: readonly OptimizerGroup<O>[];
  readonly #groupOf = new Map<Parameter, OptimizerGroup<O>>();
  readonly #slots = new Map<Parameter, Slots>();
  readonly #steps = new Map<Parameter, number>();

  constructor(parameters: OptimizerParameters<O>, options: O) {
    const operation = this.constructor.name;
    this.groups = groupsOf(operation, parameters, options);
    this.parameters = this.groups.flatMap(({ params }) => params);
    for (const group of this.groups) for (const parameter of group.params) this.#groupOf.set(parameter, group);
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
      const given = parameter instanceof Tensor ? 'a tensor that is not a parameter' : typeof parameter;
      throw new DTypeError('not a parameter', { operation, argument, expected: 'a parameter', given });
    });
    for (const group of this.groups) checkOptions(operation, group.options);
  }

  /** Hyper-parameters of the first group, which is the only one unless groups were given. */
  get options(): O {
    return this.groups[0]!.options;
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
    const observer = workObserver();
    for (const batch of this.#batches()) {
      const update = () => this.update(batch, batch.options, batch.t);
      if (observer) observer.update(batch.parameters, update);
      else update();
      for (const parameter of batch.parameters) this.#steps.set(parameter, batch.t);
    }
  }

  /** What a step updates: parameters of a group that have been updated as often lie in one batch, as many as fit. */
  #batches(): Batch<O>[] {
    const batches: Batch<O>[] = [];
    for (const { params, options } of this.groups) {
      const first = batches.length;
      const names = this.slotNames(options);
      for (const parameter of params) {
        checkAlive('step', 'parameters', parameter);
        const { grad, device, size } = parameter;
        if (!grad || size === 0) continue;
        const t = (this.#steps.get(parameter) ?? 0) + 1;
        let batch = batches.findLast((each, i) => i >= first && each.t === t && each.device === device);
        if (!batch || batch.n.length === MAX_LIST) {
          batch = { device, options, t, parameters: [], n: [], gradients: [], outputs: [] };
          batches.push(batch);
        }
        batch.parameters.push(parameter);
        batch.n.push(size);
        batch.gradients.push(grad.storage);
        batch.outputs.push(parameter.storage, ...this.#slotsOf(parameter, names));
      }
    }
    return batches;
  }

  /**
   * Takes over what a schedule gives, for all groups or for the one of this number. Throws ConfigError for a momentum where this
   * optimiser has none, and for a group that is not there.
   */
  setRates({ lr, momentum }: ScheduledValues, group?: number): void {
    const operation = this.constructor.name;
    if (group !== undefined) countWithin(operation, 'group', group, { from: 0, below: this.groups.length });
    for (const { options } of group === undefined ? this.groups : [this.groups[group]!]) {
      if (momentum !== undefined) this.setMomentum(momentum, options);
      options.lr = numberWithin(operation, 'lr', lr, limits.lr);
    }
  }

  /** Sets what this optimiser has for a momentum. */
  protected setMomentum(momentum: number, _options: O): void {
    throw new ConfigError('this optimiser has no momentum for a schedule to move', {
      operation: this.constructor.name,
      argument: 'momentum',
      expected: 'none',
      given: String(momentum),
      hint: 'Give the schedule { cycleMomentum: false }',
    });
  }

  /** One step number t = 1, 2, ... of parameters with these options. */
  protected abstract update(batch: UpdateBatch, options: O, t: number): void;

  /** Names of the buffers in use under these options, in the order of the kernel's outputs. */
  protected abstract slotNames(options: O): readonly string[];

  /** Storages of the parameter's buffers of these names, zeros at first. */
  #slotsOf(parameter: Parameter, names: readonly string[]): Storage[] {
    const slots = this.#slots.get(parameter) ?? new Map<string, Tensor>();
    this.#slots.set(parameter, slots);
    return names.map((name) => {
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
   * values that are not numbers, and changes nothing then.
   */
  loadStateDict(state: ReadonlyMap<string, { values: ArrayLike<number> }>): void {
    const loads = [...state].map(([key, { values }]) => {
      const [index, name] = key.split('.');
      const parameter = this.parameters[Number(index)];
      const names = parameter ? this.slotNames(this.#groupOf.get(parameter)!.options) : [];
      const at = names.indexOf(name!);
      if (!parameter || (name !== 'step' && (at < 0 || values.length !== parameter.size))) {
        throw new DataError(`'${key}' is not part of this optimiser's state`, { operation: 'loadStateDict' });
      }
      const context = { operation: 'loadStateDict', argument: key };
      if (name === 'step') {
        const t = elementOf(values[0], 'int32', context);
        return () => void this.#steps.set(parameter, t);
      }
      const elements = elementsOf(values, 'float32', context);
      return () => parameter.device.write(this.#slotsOf(parameter, names)[at]!, elements);
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
