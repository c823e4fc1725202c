// What one update of MultiDepth does: the network of a run, its losses, their weights and the optimisers of both.
import {
  Adam,
  add,
  applySchedule,
  mul,
  type nn,
  polynomialLR,
  type Random,
  type Schedule,
  squeeze,
  type StateDict,
  type Tensor,
  tensor,
} from '../../../engine/index.ts';
import { MultiDepth } from '../../../models/index.ts';
import { sparseCrossEntropy, sparseMse, UncertaintyWeights } from './losses.ts';
import type { HostBatch } from './samples.ts';
import type { TrainingSettings } from './settings.ts';

/** Losses of one step, scalars on the device: that which is minimised, and those of the tasks that the run has. */
export interface StepLosses {
  readonly combined: Tensor;
  readonly regression?: Tensor;
  readonly classification?: Tensor;
}

export class Trainer {
  readonly model: MultiDepth;
  readonly weights: UncertaintyWeights | undefined;
  readonly #settings: TrainingSettings;
  readonly #optimizer: Adam;
  /** The scalars of the weights are in the network's group in the paper; here they may have a rate of their own. */
  readonly #weightsOptimizer: Adam | undefined;

  constructor(settings: TrainingSettings) {
    const { objective, classes, baseWidth, blocks, scales, learningRate: lr, weightDecay } = settings;
    this.#settings = settings;
    this.model = new MultiDepth({
      baseWidth,
      blocks,
      scales,
      classes: objective.kind === 'regression' ? undefined : classes,
      regression: objective.kind !== 'classification',
    });
    this.#optimizer = new Adam(this.model.parameters(), { lr, weightDecay });
    if (objective.kind === 'learned') {
      this.weights = new UncertaintyWeights(objective.form);
      this.#weightsOptimizer = new Adam(this.weights.parameters(), { lr: settings.weightsLearningRate, weightDecay });
    }
  }

  /** The network's rate for update k = 0, 1, ...: never 0, and the base rate for the first. */
  rateAt(k: number): number {
    const { learningRate, iterations, power } = this.#settings;
    return polynomialLR(learningRate, { totalIters: iterations, power })(k).lr;
  }

  #combine(regression: Tensor | undefined, classification: Tensor | undefined): Tensor {
    const { objective } = this.#settings;
    if (!regression || !classification) return (regression ?? classification)!;
    if (this.weights) return this.weights.forward(regression, classification);
    const [first, second] = objective.kind === 'constant' ? [objective.regression, objective.classification] : [1, 1];
    return add(mul(regression, first), mul(classification, second));
  }

  /** One update number k with the rates of `schedules`, or of the settings. Returns the losses before it. */
  step(batch: HostBatch, k: number, stream: Random, schedule?: Schedule): StepLosses {
    const { count, height, width, picture, target, labels } = batch;
    const { weightsLearningRate, iterations, power } = this.#settings;
    const output = this.model.forward(tensor(picture, [count, 3, height, width]), stream);
    const regression =
      output.regression && sparseMse(squeeze(output.regression, 1), tensor(target, [count, height, width]));
    const classification = output.logits && sparseCrossEntropy(output.logits, tensor(labels, [count, height, width]));
    const combined = this.#combine(regression, classification);
    this.model.zeroGrad();
    this.weights?.zeroGrad();
    combined.backward();
    applySchedule(this.#optimizer, schedule ?? (() => ({ lr: this.rateAt(k) })), k);
    this.#optimizer.step();
    if (this.#weightsOptimizer) {
      const own = polynomialLR(weightsLearningRate, { totalIters: iterations, power });
      applySchedule(this.#weightsOptimizer, schedule ?? own, k);
      this.#weightsOptimizer.step();
    }
    return { combined, ...(regression ? { regression } : {}), ...(classification ? { classification } : {}) };
  }

  /** Learned scalars as they are now. */
  async scalars(): Promise<{ sReg?: number; sCls?: number }> {
    if (!this.weights) return {};
    return { sReg: (await this.weights.s_reg.array())[0]!, sCls: (await this.weights.s_cls.array())[0]! };
  }

  async states(): Promise<Record<string, StateDict>> {
    return {
      model: await this.model.stateDict(),
      optimizer: await this.#optimizer.stateDict(),
      ...(this.weights ? { weights: await this.weights.stateDict() } : {}),
      ...(this.#weightsOptimizer ? { weightsOptimizer: await this.#weightsOptimizer.stateDict() } : {}),
    };
  }

  load(states: Readonly<Record<string, StateDict>>): void {
    const parts: [string, nn.Module | Adam | undefined][] = [
      ['model', this.model],
      ['optimizer', this.#optimizer],
      ['weights', this.weights],
      ['weightsOptimizer', this.#weightsOptimizer],
    ];
    for (const [name, part] of parts) part?.loadStateDict(states[name] ?? new Map());
  }

  dispose(): void {
    this.model.dispose();
    this.weights?.dispose();
    this.#optimizer.dispose();
    this.#weightsOptimizer?.dispose();
  }
}
