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
import { LEAST_FOR_BATCH_NORM, type Part, Parts, shareOf, valuesOf } from '../../parallel/parts.ts';
import type { ByOutput } from './evaluation.ts';
import { IGNORED } from './log-depth.ts';
import { sparseCrossEntropy, sparseMse, UncertaintyWeights } from './losses.ts';
import type { HostBatch } from './samples.ts';
import type { TrainingSettings } from './settings.ts';

/** Losses of one step, scalars on the device: that which is minimised, and those of the tasks that the run has. */
export type StepLosses = { readonly combined: Tensor } & ByOutput<Tensor>;

/** How many values are not `missing`. */
function differing(values: ArrayLike<number>, missing: number): number {
  let count = 0;
  for (let i = 0; i < values.length; i++) if (values[i] !== missing) count++;
  return count;
}

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

  /** Both losses are `share` of those of a batch; the terms of the learned weights alone count once for it. */
  #combine(regression: Tensor | undefined, classification: Tensor | undefined, share: number): Tensor {
    const { objective } = this.#settings;
    if (!regression || !classification) return (regression ?? classification)!;
    if (this.weights) {
      if (share === 1) return this.weights.forward(regression, classification);
      const [first, second] = [regression, classification].map((loss) => mul(loss, 1 / share)) as [Tensor, Tensor];
      return mul(this.weights.forward(first, second), share);
    }
    const [first, second] = objective.kind === 'constant' ? [objective.regression, objective.classification] : [1, 1];
    return add(mul(regression, first), mul(classification, second));
  }

  /** Losses of the images of a part, each its share of that of the batch, and their gradients. */
  #backward(batch: HostBatch, part: Part, stream: Random): StepLosses {
    const { height, width } = batch;
    const [picture, target, labels] = [batch.picture, batch.target, batch.labels].map((values) =>
      valuesOf(values, batch.count, part),
    ) as [Float32Array, Float32Array, Int32Array];
    const count = part.to - part.from;
    const output = this.model.forward(tensor(picture, [count, 3, height, width]), stream);
    // Means over the pixels with a measurement: a part has the share of those that it has.
    const ofPixels = (own: ArrayLike<number>, all: ArrayLike<number>, missing: number): number =>
      part.share === 1 ? 1 : differing(own, missing) / Math.max(1, differing(all, missing));
    const regression =
      output.regression &&
      shareOf(
        sparseMse(squeeze(output.regression, 1), tensor(target, [count, height, width])),
        ofPixels(target, batch.target, 0),
      );
    const classification =
      output.logits &&
      shareOf(
        sparseCrossEntropy(output.logits, tensor(labels, [count, height, width])),
        ofPixels(labels, batch.labels, IGNORED),
      );
    const combined = this.#combine(regression, classification, part.share);
    this.model.zeroGrad();
    this.weights?.zeroGrad();
    combined.backward();
    return { combined, regression, classification };
  }

  /**
   * One update number k with the rates of `schedules`, or of the settings, of a batch in parts. Returns the losses before it. What a
   * part drops is drawn from a stream of its own.
   */
  async step(
    batch: HostBatch,
    k: number,
    streamOf: (part: number) => Random,
    { parts = new Parts(), schedule }: { parts?: Parts | undefined; schedule?: Schedule } = {},
  ): Promise<StepLosses> {
    const { weightsLearningRate, iterations, power } = this.#settings;
    const losses = await parts.accumulate(
      {
        size: batch.count,
        // Where the pyramid pools whole images, batch norm sees one value of each.
        least: LEAST_FOR_BATCH_NORM,
        modules: Object.values(this.modules),
        losses: ['combined', 'regression', 'classification'],
      },
      (part) => this.#backward(batch, part, streamOf(part.index)),
    );
    const [network, weights] = this.optimizers;
    applySchedule(network, schedule ?? (() => ({ lr: this.rateAt(k) })), k);
    network.step();
    if (weights) {
      applySchedule(weights, schedule ?? polynomialLR(weightsLearningRate, { totalIters: iterations, power }), k);
      weights.step();
    }
    return losses;
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
