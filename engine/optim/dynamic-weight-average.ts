// Dynamic weight averaging of task losses (Liu et al., "End-to-end multi-task learning with attention", 2019):
//   r_k = L_k(t - 1) / L_k(t - 2),  w_k = K p_k exp(r_k / T) / sum over i of p_i exp(r_i / T),  total = sum over k of w_k L_k
// with K tasks; the paper has no priors (p_k = 1). Weights are constants for the gradient. What t counts, epochs or
// iterations, is the caller's choice.
import { takes } from '../call-check.ts';
import { countWithin } from '../checks.ts';
import { tensor } from '../creation.ts';
import { ConfigError, DataError, ShapeError, showShape } from '../errors.ts';
import type { Device } from '../devices/device.ts';
import type { StateDict } from '../nn/module.ts';
import { div, lt, maximum, mul, sub, where } from '../ops/binary.ts';
import { amax, sum } from '../ops/reduction.ts';
import { affine, exp } from '../ops/unary.ts';
import { device, list, number, numbers, optionsWith } from '../parameters.ts';
import { disown, tidy } from '../scope.ts';
import { noGrad } from '../grad-mode.ts';
import { Tensor } from '../tensor.ts';

/** Options of DynamicWeightAverage. */
export interface DynamicWeightAverageOptions {
  /** T: a higher one makes the weights more equal. Default 2. */
  temperature?: number;
  /** p_k, by task. They are the weights, as they stand, until there are two losses to compare. Default 1. */
  priors?: readonly number[];
  /** Leaves the term of a task out of the total while its loss is below this, by task. Default: never. */
  dropBelow?: readonly (number | undefined)[];
  /** Where losses are kept that come as numbers or from a file. Default: the default device. */
  device?: Device | undefined;
}

/** Losses are divided by this at the least, so that a task learnt to the last bit makes no NaN. */
const SMALLEST_LOSS = 1e-8;

const takesOptions = takes('DynamicWeightAverage', {
  tasks: number,
  options: optionsWith<DynamicWeightAverageOptions>({
    temperature: number,
    priors: numbers,
    dropBelow: list,
    device,
  }),
});

/** Weights of several losses from how fast each has fallen lately. */
export class DynamicWeightAverage {
  readonly tasks: number;
  readonly #temperature: number;
  readonly #priors: readonly number[];
  readonly #dropBelow: readonly number[] | undefined;
  readonly #device: Device | undefined;
  /** L(t - 2) and L(t - 1), or fewer at the beginning. They belong to no scope. */
  #history: Tensor[] = [];

  constructor(...args: [tasks: number, options?: DynamicWeightAverageOptions]) {
    const [tasks, options = {}] = takesOptions(args);
    const operation = 'DynamicWeightAverage';
    countWithin(operation, 'tasks', tasks, { from: 1 });
    const { temperature = 2, priors = new Array<number>(tasks).fill(1), dropBelow } = options;
    if (priors.length !== tasks || (dropBelow && dropBelow.length !== tasks)) {
      throw new ConfigError('needs one value per task', {
        operation,
        argument: priors.length === tasks ? 'dropBelow' : 'priors',
        expected: String(tasks),
        given: String((priors.length === tasks ? dropBelow! : priors).length),
      });
    }
    if (!(temperature > 0)) {
      const details = { operation, argument: 'temperature', expected: 'above 0', given: String(temperature) };
      throw new ConfigError('no such temperature', details);
    }
    this.tasks = tasks;
    this.#temperature = temperature;
    this.#priors = priors;
    this.#dropBelow = dropBelow?.map((bound) => bound ?? -Infinity);
    this.#device = options.device;
  }

  /** Adds the losses (K) of the time t that has passed: an iteration's, or the means of an epoch. */
  record(losses: Tensor | readonly number[]): void {
    const held = losses instanceof Tensor ? losses.detach() : this.#made(losses);
    this.#check('record', held);
    disown(held);
    this.#history.push(held);
    if (this.#history.length > 2) this.#history.shift()!.dispose();
  }

  /** The weights (K) of the coming t, on the device of the recorded losses or of `like`. */
  weights(like?: Tensor): Tensor {
    const [before, previous] = this.#history as [Tensor?, Tensor?];
    const device = (like ?? before)?.device ?? this.#device;
    return tidy(() => {
      const priors = this.#made(this.#priors, device);
      if (!before || !previous) return priors;
      return noGrad(() => {
        const ratios = div(div(previous, maximum(before, SMALLEST_LOSS)), this.#temperature);
        const shares = mul(priors, exp(sub(ratios, amax(ratios))));
        return div(affine(shares, this.tasks, 0), sum(shares));
      });
    });
  }

  /** sum over k of w_k L_k for losses (K), without the terms that `dropBelow` leaves out. */
  total(losses: Tensor): Tensor {
    this.#check('total', losses);
    const weights = this.weights(losses);
    if (!this.#dropBelow) return sum(mul(weights, losses));
    const bounds = tensor(this.#dropBelow, [this.tasks], { device: losses.device });
    return sum(
      mul(
        where(
          noGrad(() => lt(losses, bounds)),
          0,
          weights,
        ),
        losses,
      ),
    );
  }

  /** Forgets the losses, as at the beginning of an epoch where t counts its iterations. */
  restart(): void {
    for (const losses of this.#history) losses.dispose();
    this.#history = [];
  }

  /** The recorded losses on the host, by their age. */
  async stateDict(): Promise<StateDict> {
    const state: StateDict = new Map();
    for (const [i, losses] of this.#history.entries()) {
      state.set(`losses.${this.#history.length - i}`, { shape: losses.shape, values: await losses.array() });
    }
    return state;
  }

  /** Replaces the recorded losses by those that `stateDict` gave. Throws DataError on others. */
  loadStateDict(state: ReadonlyMap<string, { values: ArrayLike<number> }>): void {
    const entries = [state.get('losses.2'), state.get('losses.1')].filter((entry) => entry !== undefined);
    if (entries.length !== state.size || entries.some(({ values }) => values.length !== this.tasks)) {
      throw new DataError('not the losses of these tasks', {
        operation: 'loadStateDict',
        expected: `losses.1 and losses.2 of ${this.tasks} values`,
        given: [...state.keys()].join(', '),
      });
    }
    this.restart();
    tidy(() => {
      for (const { values } of entries) this.record(this.#made(values));
    });
  }

  /** Releases the losses. */
  dispose(): void {
    this.restart();
  }

  #made(values: ArrayLike<number>, device = this.#device): Tensor {
    return tensor(Array.from(values), [values.length], device && { device });
  }

  #check(operation: string, losses: Tensor): void {
    if (losses.rank === 1 && losses.size === this.tasks) return;
    throw new ShapeError('needs one loss per task', {
      operation,
      expected: `[${this.tasks}]`,
      given: showShape(losses.shape),
      hint: 'Join scalars with stack(losses)',
    });
  }
}
