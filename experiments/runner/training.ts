// The training loop: phases of steps, host batches made ahead, validation and checkpoints at fixed steps, means of the losses
// as curves, the weights of the best score, notes that survive a stop. A run that was killed at any instant goes on from its
// last checkpoint and ends with the same bits; a number that is not finite is traced to its step, operation and layer.
import {
  add,
  compile,
  nn,
  noGrad,
  NonFiniteError,
  type Optimizer,
  region,
  scope,
  type Scope,
  type StateDict,
  Tensor,
} from '../../engine/index.ts';
import { Prefetch } from '../data/prefetch.ts';
import { decodePosition, encodePosition } from './position.ts';
import { firstNonFinite, nonFiniteOperation } from './non-finite.ts';
import type { RunContext } from './paper.ts';

/** Losses by the name of their curve: scalars on the device, or numbers of the host. What is undefined is left out. */
export type Losses = Readonly<Record<string, Tensor | number | undefined>>;

/** Lets other events through and reports how far the run is. To be awaited often where much is computed. */
export type Pause = () => Promise<void>;

/** What has a state to be saved: a module, a weighting of losses, an average of weights. */
export interface Stateful {
  stateDict(): Promise<StateDict>;
  loadStateDict(state: StateDict): unknown;
  dispose?(): void;
}

/** What a validation has found. */
export interface Validation {
  /** A value for each curve. What is undefined is left out. */
  readonly curves?: Readonly<Record<string, number | undefined>>;
  /** How good the weights are: those of the highest score are kept, the first of equals. */
  readonly score?: number;
}

/** Steps with one set of optimizers. All numbers of steps count from the beginning of the phase. */
export interface Phase<Batch> {
  readonly steps: number;
  /** Steps from one validation to the next; there is one after the last step besides. Default: that one only. */
  readonly validateEvery?: number;
  /** Steps from one checkpoint to the next; there is one before the first step and one after the last. Default: as validations. */
  readonly checkpointEvery?: number;
  readonly optimizers: readonly Optimizer[];
  /** Batches that are made before they are asked for. Default: none. */
  readonly ahead?: number;
  /** The name of the module whose weights of the highest score are kept. Default: none are. */
  readonly keepBest?: string;
  /** Numbers that are not finite are what is looked for, as in a learning rate range test. */
  readonly mayDiverge?: boolean;
  /** Runs once, before the first checkpoint of the phase: for weights that begin as those of an earlier phase. */
  begin?(trained: Trained): void | Promise<void>;
  /**
   * Runs whenever the phase is entered, after a stop too: for what is made of the saved weights and not saved itself, such as
   * pseudo labels, cached features, or which parameters are trained.
   */
  prepare?(trained: Trained): void | Promise<void>;
  /**
   * The data of step k = 0, 1, ... on the host: a pure function of k, for a step may be made again. `overall` is k and the steps of
   * all earlier phases.
   */
  batch(k: number, overall: number): Batch | Promise<Batch>;
  /**
   * One update, of one backward pass or of several. Its tensors are released afterwards. Learning rates are set in it, as a
   * function of k. Returns the losses before it, whose means from one validation to the next make their curves.
   */
  step(batch: Batch, k: number): Losses | Promise<Losses>;
  /** Looks at the weights after `done` steps, and leaves them as they were. */
  validate?(done: number, pause: Pause): Validation | Promise<Validation>;
}

/** What a run has come to. */
export interface Trained {
  readonly curves: Readonly<Record<string, readonly number[]>>;
  /** By the name of the module: the highest score, the weights then, and the steps that their phase had made. */
  readonly best: Readonly<
    Record<string, { readonly score: number; readonly step: number; readonly weights: StateDict }>
  >;
  /** How often a step had to wait for its batch in this process. */
  readonly stalls: number;
}

/** A training as `train` takes it: modules, phases of steps, and what is made of them at the end. */
export interface Training<Batch, Result> {
  /** What is saved, by its name in checkpoints (without a slash). It belongs to the run, which disposes of it at the end. */
  readonly modules: Readonly<Record<string, Stateful>>;
  readonly phases: readonly Phase<Batch>[];
  /** What else must survive a stop: a value that JSON can hold, changed in place. */
  readonly notes?: object;
  finish(trained: Trained, pause: Pause): Result | Promise<Result>;
}

/** Where checkpoints go, and who is told of the progress. */
export type Surroundings = Pick<RunContext, 'resume' | 'save' | 'progress' | 'eager'>;

/** A phase's step, as it is or compiled. */
type Step<Batch> = (batch: Batch, k: number) => Losses | Promise<Losses>;

interface Position {
  phase: number;
  step: number;
  /** Of the losses since the last validation: shares of the means of those on the host, sums of those on the device. */
  means: Record<string, number>;
  sums: Record<string, number>;
  best: Record<string, { score: number; step: number }>;
  curves: Record<string, number[]>;
  notes: object;
}

class Run<Batch, Result> {
  readonly #context: Surroundings;
  readonly #training: Training<Batch, Result>;
  #position: Position;
  #bestWeights: Record<string, StateDict> = {};
  /** Sums of the losses on the device since they were last read. */
  #sums = new Map<string, Tensor>();
  #savedAt = 0;
  #stalls = 0;

  constructor(context: Surroundings, training: Training<Batch, Result>) {
    this.#context = context;
    this.#training = training;
    const { notes = {} } = training;
    this.#position = { phase: 0, step: 0, means: {}, sums: {}, best: {}, curves: {}, notes };
  }

  /** Steps of all phases before this one. */
  #before(phase: number): number {
    return this.#training.phases.slice(0, phase).reduce((sum, { steps }) => sum + steps, 0);
  }

  readonly #pause: Pause = () => {
    const { phase, step } = this.#position;
    return this.#context.progress(this.#before(phase) + step, this.#before(this.#training.phases.length));
  };

  get #phase(): Phase<Batch> {
    return this.#training.phases[this.#position.phase]!;
  }

  /** The data of step k of the present phase. */
  #batch(k: number): Batch | Promise<Batch> {
    return this.#phase.batch(k, this.#before(this.#position.phase) + k);
  }

  get #trained(): Trained {
    const { curves, best } = this.#position;
    const kept = Object.entries(best).map(([name, at]) => [name, { ...at, weights: this.#bestWeights[name]! }]);
    return { curves, best: Object.fromEntries(kept) as Trained['best'], stalls: this.#stalls };
  }

  async train(): Promise<Result> {
    const { modules, phases } = this.#training;
    try {
      using _run = scope();
      let isResumed = await this.#resume();
      for (; this.#position.phase < phases.length; this.#position.phase++, this.#position.step = 0) {
        if (!isResumed) {
          await this.#phase.begin?.(this.#trained);
          await this.#save(await this.#states());
        }
        isResumed = false;
        await this.#phase.prepare?.(this.#trained);
        await this.#trainPhase();
      }
      return await this.#training.finish(this.#trained, this.#pause);
    } finally {
      for (const each of Object.values(modules)) each.dispose?.();
      for (const { optimizers } of phases) optimizers.forEach((optimizer) => optimizer.dispose());
    }
  }

  async #trainPhase(): Promise<void> {
    const position = this.#position;
    const phase = this.#phase;
    const { steps, ahead = 0, validateEvery = steps, checkpointEvery = validateEvery } = phase;
    const queue =
      ahead > 0 ? new Prefetch(async (k) => this.#batch(k), { first: position.step, end: steps, ahead }) : undefined;
    const step: Step<Batch> = (batch, k) => phase.step(batch, k);
    using compiled = this.#context.eager ? undefined : compile(step);
    while (position.step < steps) {
      const k = position.step;
      await this.#step(compiled ?? step, queue ? (await queue.next())! : await region('data', () => this.#batch(k)));
      const done = ++position.step;
      await this.#pause();
      const validates = done % validateEvery === 0 || done === steps;
      const saves = done % checkpointEvery === 0 || done === steps;
      // Sums are read at fixed steps, so that a resumed run adds in the same order.
      if (validates || saves) await this.#collect();
      if (validates) await this.#validate();
      if (saves) await this.#save(await this.#checkedStates());
    }
    this.#stalls += queue?.stalls ?? 0;
  }

  async #step(run: Step<Batch>, batch: Batch): Promise<void> {
    using step = scope();
    let losses: Losses;
    try {
      losses = await run(batch, this.#position.step);
    } catch (error) {
      if (!(error instanceof NonFiniteError) || this.#phase.mayDiverge) throw error;
      throw await this.#diagnosis(error.reason, this.#position.step);
    }
    for (const [name, loss] of Object.entries(losses)) {
      if (loss instanceof Tensor) this.#addOnDevice(step, name, loss);
      else if (loss !== undefined) {
        await this.#check(name, loss, this.#position.step);
        const { means } = this.#position;
        means[name] = (means[name] ?? 0) + loss / this.#intervalAt(this.#position.step);
      }
    }
  }

  /** Steps between the validations before and after step k. */
  #intervalAt(k: number): number {
    const { steps, validateEvery = steps } = this.#phase;
    return Math.min(validateEvery, steps - (k - (k % validateEvery)));
  }

  #addOnDevice(step: Scope, name: string, loss: Tensor): void {
    const before = this.#sums.get(name);
    this.#sums.set(name, step.keep(noGrad(() => add(before ?? 0, loss))));
    before?.dispose();
  }

  /** Throws NonFiniteError for a loss of the steps up to `last` that is not finite. */
  async #check(name: string, value: number, last: number): Promise<void> {
    if (!Number.isFinite(value) && !this.#phase.mayDiverge) throw await this.#diagnosis(`${name} is ${value}`, last);
  }

  /** Moves the sums of the losses to the host. */
  async #collect(): Promise<void> {
    const last = this.#position.step - 1;
    const sums = this.#sums;
    this.#sums = new Map();
    for (const [name, sum] of sums) {
      const value = await sum.item();
      sum.dispose();
      await this.#check(name, value, last);
      this.#position.sums[name] = (this.#position.sums[name] ?? 0) + value;
    }
  }

  async #validate(): Promise<void> {
    // Before it: what is measured with weights that are not finite, and what fails for it, hides the cause.
    if (!this.#phase.mayDiverge) await this.#checkedStates();
    const { step, means, sums, curves: kept, best } = this.#position;
    const { validate, keepBest } = this.#phase;
    const { curves = {}, score } = (await validate?.call(this.#phase, step, this.#pause)) ?? {};
    const length = this.#intervalAt(step - 1);
    const onDevice = Object.entries(sums).map(([name, sum]) => [name, sum / length] as const);
    for (const [name, value] of [...onDevice, ...Object.entries({ ...means, ...curves })]) {
      if (value !== undefined) (kept[name] ??= []).push(value);
    }
    Object.assign(this.#position, { means: {}, sums: {} });
    if (keepBest === undefined || score === undefined) return;
    const comparable = Number.isNaN(score) ? -Infinity : score;
    const before = best[keepBest];
    if (before && comparable <= before.score) return;
    best[keepBest] = { score: comparable, step };
    this.#bestWeights[keepBest] = await this.#training.modules[keepBest]!.stateDict();
  }

  /** The states of the modules and of the phase's optimizers. */
  async #states(): Promise<Record<string, StateDict>> {
    const states: Record<string, StateDict> = {};
    for (const [name, each] of Object.entries(this.#training.modules)) states[name] = await each.stateDict();
    for (const [i, each] of this.#phase.optimizers.entries()) states[`optimizer${i}`] = await each.stateDict();
    return states;
  }

  /** The same, if all of it is finite. Else throws NonFiniteError. */
  async #checkedStates(): Promise<Record<string, StateDict>> {
    const states = await this.#states();
    const fault = this.#phase.mayDiverge ? undefined : firstNonFinite(states, this.#training.modules);
    if (fault) throw await this.#diagnosis(fault, this.#position.step - 1);
    return states;
  }

  async #save(states: Readonly<Record<string, StateDict>>): Promise<void> {
    const best = Object.entries(this.#bestWeights).map(([name, weights]) => [`best-${name}`, weights] as const);
    await this.#context.save({
      states: { ...states, ...Object.fromEntries(best) },
      position: encodePosition(this.#position),
    });
    this.#savedAt = this.#position.step;
  }

  /** Goes back to the last checkpoint, if there is one. */
  async #resume(): Promise<boolean> {
    const checkpoint = await this.#context.resume();
    if (!checkpoint) return false;
    const { states } = checkpoint;
    const { modules, notes = {} } = this.#training;
    const saved = decodePosition(checkpoint.position) as Position;
    // A state without entries leaves no trace in a file.
    const stateOf = (name: string): StateDict => states[name] ?? new Map();
    this.#position = { ...saved, notes: Object.assign(notes, saved.notes) };
    this.#savedAt = saved.step;
    this.#bestWeights = Object.fromEntries(Object.keys(saved.best).map((name) => [name, stateOf(`best-${name}`)]));
    for (const [name, each] of Object.entries(modules)) each.loadStateDict(stateOf(name));
    this.#phase.optimizers.forEach((optimizer, i) => optimizer.loadStateDict(stateOf(`optimizer${i}`)));
    return true;
  }

  /**
   * What to throw for a number that is not finite, found after step `last`: goes back to the last checkpoint, finds the first step
   * that makes such a number, and looks at each result of that step.
   */
  async #diagnosis(what: string, last: number): Promise<NonFiniteError> {
    const { modules } = this.#training;
    const before = this.#before(this.#position.phase);
    const goOn = `The last checkpoint, of step ${before + this.#savedAt}, is sound: the run goes on from it when the cause is removed`;
    const repeat = async (k: number): Promise<boolean> => {
      using _step = scope();
      try {
        const losses = await this.#phase.step(await this.#batch(k), k);
        for (const loss of Object.values(losses)) {
          if (!Number.isFinite(loss instanceof Tensor ? await loss.item() : (loss ?? 0))) return false;
        }
      } catch (error) {
        if (error instanceof NonFiniteError) return false;
        throw error;
      }
      return firstNonFinite(await this.#states(), modules) === undefined;
    };
    if (!(await this.#resume())) {
      const hint = 'Save checkpoints to learn which operation made it: the steps since the last one are repeated then';
      return new NonFiniteError(`${what} after step ${before + last + 1}`, { hint });
    }
    const first = this.#position.step;
    let k = first;
    while (k <= last && (await repeat(k))) k++;
    if (k > last) {
      return new NonFiniteError(
        `${what} after step ${before + last + 1}, and was finite when the steps were repeated`,
        {
          hint: `The steps depend on something besides weights, notes and batches, or the machine is faulty. ${goOn}`,
        },
      );
    }
    await this.#resume();
    for (let i = first; i < k; i++) await repeat(i);
    const named = Object.entries(modules).filter(
      (entry): entry is [string, nn.Module] => entry[1] instanceof nn.Module,
    );
    const cause = await nonFiniteOperation(async () => {
      using _step = scope();
      await this.#phase.step(await this.#batch(k), k);
    }, Object.fromEntries(named));
    const { given, hint } = cause.details;
    return new NonFiniteError(`${what}; step ${before + k + 1}: ${cause.reason}`, {
      given,
      hint: [hint, goOn].filter(Boolean).join('. '),
      cause,
    });
  }
}

/**
 * Trains, and returns what `finish` makes of it. With a checkpoint among the surroundings the run goes on from there, and ends
 * with the same bits as one that was never stopped. Throws NonFiniteError for a loss, a weight or a state of an optimizer that is
 * not finite, naming the operation, its layer and the step; the last checkpoint is from before that.
 */
export const train = <Batch, Result>(context: Surroundings, training: Training<Batch, Result>): Promise<Result> =>
  new Run(context, training).train();
