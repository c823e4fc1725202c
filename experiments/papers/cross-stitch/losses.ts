// The losses of the three tasks and how they are added up (sections 4.1 to 4.3 of the specification).
import {
  add,
  crossEntropy,
  diouLoss,
  DynamicWeightAverage,
  mul,
  scope,
  type StateDict,
  type Tensor,
} from '../../../engine/index.ts';
import { createReferenceDevice } from '../../../engine/devices/reference/reference.ts';
import type { PetOutputs, PetTask } from '../../../models/index.ts';
import type { NetworkName, TrainingSettings } from './settings.ts';

/** What the losses compare with: masks (N, H, W) and species (N) int32, boxes (N, 4) in pixels. */
export interface Targets {
  readonly mask: Tensor;
  readonly box: Tensor;
  readonly species: Tensor;
}

/**
 * Pixel cross-entropy, distance IoU and class cross-entropy of the outputs that are there, in the order of `tasks`. The centre
 * distance of the box loss is squared, as in Zheng et al. and in the authors' code; the paper prints it without the square.
 */
export function taskLosses(outputs: PetOutputs, targets: Targets, tasks: readonly PetTask[]): Tensor[] {
  const losses: Readonly<Record<PetTask, () => Tensor>> = {
    segmentation: () => crossEntropy(outputs.segmentation!, targets.mask),
    box: () => diouLoss(outputs.box!, targets.box, { clampSides: true }),
    binary: () => crossEntropy(outputs.binary!, targets.species),
  };
  return tasks.map((task) => losses[task]());
}

/** Lowest value of the pixel cross-entropy when the scores have passed a sigmoid: ln(1 + 1 / e). */
export const SQUASHED_LOSS_FLOOR = Math.log(1 + Math.exp(-1));

type WeightingConstants = Pick<TrainingSettings, 'priors' | 'temperature' | 'dropBelow' | 'keepsWeights'>;

/** Constants of the authors' scripts, tasks in the order of the branches; OEQ: of its auxiliary network. */
export const weightingConstants: Readonly<Record<NetworkName, WeightingConstants>> = {
  baseline: { priors: [1], temperature: 2, dropBelow: {}, keepsWeights: true },
  binary: { priors: [0.1, 0.9], temperature: 2, dropBelow: { binary: 0.2 }, keepsWeights: true },
  box: { priors: [0.5, 1.5], temperature: 2, dropBelow: { box: 0.2 }, keepsWeights: true },
  mtl: { priors: [0.3, 1, 2], temperature: 2, dropBelow: { binary: 0.2, box: 0.2 }, keepsWeights: true },
  oeq: { priors: [0.5, 0.5], temperature: 1, dropBelow: { binary: 0.1 }, keepsWeights: false },
};

/** From the losses of a batch and the task weights to the weights of the terms; undefined for a term that is left out. */
export type TermWeights = (losses: readonly number[], weights: readonly number[]) => (number | undefined)[];

/**
 * Task weights by dynamic weight averaging, t counting the iterations of one epoch as in the authors' scripts, or epochs as in the
 * equation of the paper (section 4.3 of the specification). Computed in float64: the losses are on the host anyway.
 */
export class TaskWeights {
  readonly #average: DynamicWeightAverage;
  readonly #byEpoch: boolean;
  /** Losses of the iterations of this epoch. */
  #epoch: (readonly number[])[] = [];

  constructor(priors: readonly number[], temperature: number, byEpoch: boolean) {
    this.#average = new DynamicWeightAverage(priors.length, { priors, temperature, device: createReferenceDevice() });
    this.#byEpoch = byEpoch;
  }

  /** The weights of the coming iteration. */
  async weights(): Promise<readonly number[]> {
    using _ = scope();
    return Array.from(await this.#average.weights().array());
  }

  /** Takes the losses of an iteration, before the weights. */
  observe(losses: readonly number[]): void {
    if (this.#byEpoch) this.#epoch.push(losses);
    else this.#average.record(losses);
  }

  endEpoch(): void {
    if (!this.#byEpoch) return this.#average.restart();
    const sums = this.#epoch.reduce((sum, losses) => sum.map((value, k) => value + losses[k]!));
    this.#average.record(sums.map((sum) => sum / this.#epoch.length));
    this.#epoch = [];
  }

  /** The state between two epochs. */
  stateDict(): Promise<StateDict> {
    return this.#average.stateDict();
  }

  loadStateDict(state: StateDict): void {
    this.#average.loadStateDict(state);
    this.#epoch = [];
  }

  dispose(): void {
    this.#average.dispose();
  }
}

/** Weights and the drop rule of a phase of training, by default with the constants of the network. The equation of the paper has neither priors nor a drop rule. */
export function weightingOf(
  settings: Pick<TrainingSettings, 'network' | 'weighting'> & Partial<WeightingConstants>,
  tasks: readonly PetTask[],
): { weighting: TaskWeights; termWeights: TermWeights } {
  const { priors, temperature, dropBelow, keepsWeights } = { ...weightingConstants[settings.network], ...settings };
  const byEpoch = settings.weighting === 'equation';
  const isPlain = byEpoch || tasks.length === 1;
  return {
    weighting: new TaskWeights(isPlain ? tasks.map(() => 1) : priors, temperature, byEpoch),
    termWeights(losses, weights) {
      if (isPlain) return [...weights];
      const dropped = tasks.map((task, k) => losses[k]! < (dropBelow[task] ?? -Infinity));
      const unweighted = !keepsWeights && dropped.includes(true);
      return weights.map((weight, k) => (dropped[k] ? undefined : unweighted ? 1 : weight));
    },
  };
}

/** Sum of weight x loss over the terms that have a weight; undefined if none has. */
export function weightedSum(losses: readonly Tensor[], weights: readonly (number | undefined)[]): Tensor | undefined {
  const terms = losses.flatMap((loss, k) => (weights[k] === undefined ? [] : [mul(loss, weights[k])]));
  return terms.length > 0 ? terms.reduce((sum, term) => add(sum, term)) : undefined;
}
