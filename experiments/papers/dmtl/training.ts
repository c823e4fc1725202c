// One training run of dmtl: stages of epochs, validation after each, the weights of the best validation accuracy tested once.
// Everything random is keyed by (seed, purpose, epoch), and each epoch ends with a checkpoint, so a killed run goes on as if
// it had not been killed.
import {
  add,
  detectAnomaly,
  manualSeed,
  noGrad,
  NonFiniteError,
  random,
  region,
  scope,
  type StateDict,
  type Tensor,
  tensor,
  zeros,
} from '../../../engine/index.ts';
import { UNet } from '../../../models/index.ts';
import { type Cohort, DIGIT_CLASSES, type DigitSource } from '../../data/digits.ts';
import { ExtrudedDigits } from '../../data/extruded-digits.ts';
import type { RunContext, RunResult } from '../../runner/paper.ts';
import { evaluate, pictureTriples } from './evaluation.ts';
import type { TrainingSettings } from './settings.ts';
import { type Batch, type Stage, stagesOf } from './strategies.ts';

/** Where a run stands between two epochs. */
interface Position {
  stage: number;
  epoch: number;
  best: { accuracy: number; epoch: number };
  curves: Record<string, number[]>;
}

/** Epochs after which the classification curves are compared (figures 9 and 10), counted from 1. */
export const curveEpochs = [3, 6] as const;

/** Indices of the batches of one epoch. A last batch of one image is dropped: batch norm needs two. */
export function batchesOf(count: number, batch: number, seed: number, epoch: number): Int32Array[] {
  const order = random(seed, 'dmtl shuffle', epoch).permutation(count);
  const batches: Int32Array[] = [];
  for (let at = 0; at < count; at += batch) batches.push(order.slice(at, at + batch));
  return batches.at(-1)?.length === 1 ? batches.slice(0, -1) : batches;
}

/** w_c = N / (C n_c); 0 for a class without images. */
export const classWeights = (counts: readonly number[]): Float32Array => {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return Float32Array.from(counts, (count) => (count > 0 ? total / (counts.length * count) : 0));
};

class Run {
  readonly #context: RunContext;
  readonly #settings: TrainingSettings;
  readonly #model: UNet;
  readonly #stages: Stage[];
  readonly #images: Record<Cohort, ExtrudedDigits>;
  readonly #stepsPerEpoch: number;
  readonly #totalSteps: number;
  #position: Position = { stage: 0, epoch: 0, best: { accuracy: -1, epoch: 0 }, curves: {} };
  #best: StateDict = new Map();
  #stepsDone = 0;

  constructor(context: RunContext, settings: TrainingSettings, source: DigitSource) {
    this.#context = context;
    this.#settings = settings;
    const cohort = (name: Cohort, count: number): ExtrudedDigits =>
      new ExtrudedDigits(source, name, count, settings.images, context.seed);
    this.#images = {
      train: cohort('train', settings.trainCount),
      validation: cohort('validation', settings.validationCount),
      test: cohort('test', settings.testCount),
    };
    manualSeed(context.seed);
    this.#model = new UNet({ inChannels: 1, classes: DIGIT_CLASSES, baseWidth: settings.baseWidth });
    this.#stages = stagesOf(this.#model, settings);
    this.#stepsPerEpoch = batchesOf(settings.trainCount, settings.batch, context.seed, 0).length;
    this.#totalSteps = this.#stages.reduce((sum, { epochs }) => sum + epochs, 0) * this.#stepsPerEpoch;
  }

  #pause = (): Promise<void> => this.#context.progress(this.#stepsDone, this.#totalSteps);

  async train(): Promise<RunResult> {
    let atCheckpoint = await this.#resume();
    for (; this.#position.stage < this.#stages.length; this.#position.stage++, this.#position.epoch = 0) {
      const stage = this.#stages[this.#position.stage]!;
      if (!atCheckpoint) await this.#save(stage);
      atCheckpoint = false;
      while (this.#position.epoch < stage.epochs) {
        await this.#epoch(stage);
        this.#position.epoch++;
        await this.#save(stage);
      }
    }
    const result = await this.#test();
    this.#model.dispose();
    for (const { optimizers } of this.#stages) optimizers.forEach((optimizer) => optimizer.dispose());
    return result;
  }

  /** Epochs of all stages before this one, for the names of shuffles and the curves. */
  #epochsDone(): number {
    const { stage, epoch } = this.#position;
    return this.#stages.slice(0, stage).reduce((sum, { epochs }) => sum + epochs, epoch);
  }

  async #epoch(stage: Stage): Promise<void> {
    const { train, validation } = this.#images;
    const { batch, trainCount } = this.#settings;
    const batches = batchesOf(trainCount, batch, this.#context.seed, this.#epochsDone());
    using _epoch = scope();
    const weight = tensor(classWeights(train.classCounts(DIGIT_CLASSES)));
    let total: Tensor = zeros([]);
    for (const indices of batches) {
      using step = scope();
      const loss = stage.step(this.#batch(indices, weight));
      const sum = step.keep(noGrad(() => add(total, loss)));
      total.dispose();
      total = sum;
      this.#stepsDone++;
      await this.#pause();
    }
    const loss = (await total.item()) / batches.length;
    if (!Number.isFinite(loss)) await this.#diagnose(stage, batches, weight, loss);
    const evaluation = await evaluate(this.#model, validation, stage.predictsDepth, this.#pause);
    this.#record({ loss, ...(stage.classifies ? evaluation : { ...evaluation, accuracy: undefined }) });
    if (stage.classifies && evaluation.accuracy > this.#position.best.accuracy) {
      this.#position.best = { accuracy: evaluation.accuracy, epoch: this.#position.epoch + 1 };
      this.#best = await this.#model.stateDict();
    }
  }

  /** Goes back to the checkpoint before this epoch and makes its steps again, looking at every result. Throws. */
  async #diagnose(stage: Stage, batches: readonly Int32Array[], weight: Tensor, loss: number): Promise<never> {
    const epoch = this.#epochsDone() + 1;
    await this.#resume();
    for (const [i, indices] of batches.entries()) {
      using _step = scope();
      try {
        await detectAnomaly(() => stage.step(this.#batch(indices, weight)));
      } catch (cause) {
        if (!(cause instanceof NonFiniteError)) throw cause;
        const { given, hint } = cause.details;
        throw new NonFiniteError(`the loss of epoch ${epoch} is ${loss}; step ${i + 1}: ${cause.reason}`, {
          given,
          hint,
          cause,
        });
      }
    }
    throw new NonFiniteError(`the loss of epoch ${epoch} is ${loss}, and was finite when the epoch was made again`);
  }

  #batch(indices: Int32Array, weight: Tensor): Batch {
    const { input, depth, label } = region('data', () => this.#images.train.batch(indices));
    const { size } = this.#settings.images;
    const shape = [label.length, 1, size, size];
    return { input: tensor(input, shape), depth: tensor(depth, shape), label: tensor(label), weight };
  }

  /** Appends to the curves. */
  #record(values: { [curve: string]: number | undefined }): void {
    for (const [curve, value] of Object.entries(values)) {
      if (value !== undefined) (this.#position.curves[curve] ??= []).push(value);
    }
  }

  async #test(): Promise<RunResult> {
    const { test } = this.#images;
    const predictsDepth = this.#stages.some((stage) => stage.predictsDepth);
    const last = await evaluate(this.#model, test, false, this.#pause);
    this.#model.loadStateDict(this.#best);
    const best = await evaluate(this.#model, test, predictsDepth, this.#pause);
    const { curves } = this.#position;
    const accuracies = curves.accuracy ?? [];
    return {
      metrics: {
        ...best,
        lastEpochAccuracy: last.accuracy,
        validationAccuracy: this.#position.best.accuracy,
        bestEpoch: this.#position.best.epoch,
        ...Object.fromEntries(
          curveEpochs.map((epoch) => [
            `validationAccuracyAt${epoch}`,
            accuracies[Math.min(epoch, accuracies.length) - 1]!,
          ]),
        ),
      },
      curves,
      ...(predictsDepth ? { pictures: await pictureTriples(this.#model, test) } : {}),
    };
  }

  async #save(stage: Stage): Promise<void> {
    const states: Record<string, StateDict> = { model: await this.#model.stateDict(), best: this.#best };
    for (const [i, optimizer] of stage.optimizers.entries()) states[`optimizer${i}`] = await optimizer.stateDict();
    await this.#context.save({ states, position: this.#position });
  }

  /** Goes back to the last checkpoint, if there is one. */
  async #resume(): Promise<boolean> {
    const checkpoint = await this.#context.resume();
    if (!checkpoint) return false;
    const { model, best = new Map(), ...optimizers } = checkpoint.states;
    this.#position = checkpoint.position as Position;
    this.#model.loadStateDict(model!);
    this.#best = best;
    this.#stages[this.#position.stage]!.optimizers.forEach((optimizer, i) =>
      optimizer.loadStateDict(optimizers[`optimizer${i}`] ?? new Map()),
    );
    this.#stepsDone = this.#epochsDone() * this.#stepsPerEpoch;
    return true;
  }
}

/** Trains and tests one run. Throws NonFiniteError when the loss diverges. */
export const trainDmtl = (context: RunContext, settings: TrainingSettings, source: DigitSource): Promise<RunResult> =>
  new Run(context, settings, source).train();
