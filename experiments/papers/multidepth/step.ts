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
  type Tensor,
  tensor,
} from '../../../engine/index.ts';
import { MultiDepth } from '../../../models/index.ts';
import type { ByOutput } from './evaluation.ts';
import { sparseCrossEntropy, sparseMse, UncertaintyWeights } from './losses.ts';
import type { HostBatch } from './samples.ts';
import type { TrainingSettings } from './settings.ts';

/** Losses of one step, scalars on the device: that which is minimised, and those of the tasks that the run has. */
export type StepLosses = { readonly combined: Tensor } & ByOutput<Tensor>;

export class Trainer {
  readonly model: MultiDepth;
  readonly weights: UncertaintyWeights | undefined;
  readonly optimizers: readonly [network: Adam] | readonly [network: Adam, weights: Adam];
  readonly #settings: TrainingSettings;

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
    const network = new Adam(this.model.parameters(), { lr, weightDecay });
    if (objective.kind === 'learned') {
      this.weights = new UncertaintyWeights(objective.form, objective.start);
      // The scalars of the weights are in the network's group in the paper; here they may have a rate of their own.
      const weights = new Adam(this.weights.parameters(), { lr: settings.weightsLearningRate, weightDecay });
      this.optimizers = [network, weights];
    } else this.optimizers = [network];
  }

  /** By their names in checkpoints. */
  get modules(): Readonly<Record<string, nn.Module>> {
    return { model: this.model, ...(this.weights ? { weights: this.weights } : {}) };
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
    const [network, weights] = this.optimizers;
    applySchedule(network, schedule ?? (() => ({ lr: this.rateAt(k) })), k);
    network.step();
    if (weights) {
      applySchedule(weights, schedule ?? polynomialLR(weightsLearningRate, { totalIters: iterations, power }), k);
      weights.step();
    }
    return { combined, regression, classification };
  }

  /** Learned scalars as they are now, where there are any. */
  async scalars(): Promise<Readonly<Record<'sReg' | 'sCls', number | undefined>>> {
    return { sReg: await this.weights?.s_reg.item(), sCls: await this.weights?.s_cls.item() };
  }

  dispose(): void {
    for (const module of Object.values(this.modules)) module.dispose();
    for (const optimizer of this.optimizers) optimizer.dispose();
  }
}
