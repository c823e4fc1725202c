// One training run of dmtl: stages of epochs, validation after each, the weights of the best validation accuracy tested once.
import { manualSeed, random, tensor } from '../../../engine/index.ts';
import { UNet } from '../../../models/index.ts';
import { type Cohort, DIGIT_CLASSES, type DigitSource } from '../../data/digits.ts';
import { ExtrudedDigits } from '../../data/extruded-digits.ts';
import { batchesIn, Epochs } from '../../runner/epochs.ts';
import type { RunContext, RunResult } from '../../runner/paper.ts';
import { train } from '../../runner/training.ts';
import { evaluate, pictureTriples } from './evaluation.ts';
import type { TrainingSettings } from './settings.ts';
import { type Batch, stagesOf } from './strategies.ts';

/** Epochs after which the classification curves are compared (figures 9 and 10), counted from 1. */
export const curveEpochs = [3, 6] as const;

/** Indices of the batches of one epoch. A last batch of one image is dropped: batch norm needs two. */
export function batchesOf(count: number, batch: number, seed: number, epoch: number): Int32Array[] {
  const batches = batchesIn(random(seed, 'dmtl shuffle', epoch).permutation(count), batch);
  return batches.at(-1)?.length === 1 ? batches.slice(0, -1) : batches;
}

/** w_c = N / (C n_c); 0 for a class without images. */
export const classWeights = (counts: readonly number[]): Float32Array => {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return Float32Array.from(counts, (count) => (count > 0 ? total / (counts.length * count) : 0));
};

type HostBatch = ReturnType<ExtrudedDigits['batch']>;

/** Trains and tests one run. */
export function trainDmtl(context: RunContext, settings: TrainingSettings, source: DigitSource): Promise<RunResult> {
  const { seed } = context;
  const { size } = settings.images;
  const cohort = (name: Cohort, count: number): ExtrudedDigits =>
    new ExtrudedDigits(source, name, count, settings.images, seed);
  const images = cohort('train', settings.trainCount);
  const validation = cohort('validation', settings.validationCount);
  const test = cohort('test', settings.testCount);
  const counts = images.classCounts(DIGIT_CLASSES);
  const weights = settings.classWeights === false ? new Float32Array(DIGIT_CLASSES).fill(1) : classWeights(counts);
  const onDevice = ({ input, depth, label }: HostBatch): Batch => {
    const shape = [label.length, 1, size, size];
    return { input: tensor(input, shape), depth: tensor(depth, shape), label: tensor(label), weight: tensor(weights) };
  };
  const epochs = new Epochs((epoch) => batchesOf(settings.trainCount, settings.batch, seed, epoch));
  manualSeed(seed);
  const { baseWidth, levels = 5, flattened = false, batchNorm: norm = true } = settings;
  const model = new UNet({
    ...{ inChannels: 1, classes: DIGIT_CLASSES, baseWidth, levels, norm },
    ...(flattened ? { flattened: size / 2 ** (levels - 1) } : {}),
  });
  const stages = stagesOf(model, settings);

  return train<HostBatch, RunResult>(context, {
    modules: { model },
    phases: stages.map(({ epochs: count, optimizers, classifies, predictsDepth, step }) => ({
      steps: count * epochs.length,
      validateEvery: epochs.length,
      optimizers,
      keepBest: 'model',
      batch: (_, overall) => images.batch(epochs.at(overall), Math.floor(overall / epochs.length)),
      step: (batch) => ({ loss: step(onDevice(batch)) }),
      async validate(_, pause) {
        const { accuracy, ...depth } = await evaluate(model, validation, predictsDepth, pause);
        return classifies ? { curves: { accuracy, ...depth }, score: accuracy } : { curves: depth };
      },
    })),
    async finish({ curves, best }, pause) {
      const predictsDepth = stages.some((stage) => stage.predictsDepth);
      const { score, step, weights } = best.model!;
      const last = await evaluate(model, test, false, pause);
      model.loadStateDict(weights);
      const tested = await evaluate(model, test, predictsDepth, pause);
      const accuracies = curves.accuracy!;
      const at = (epoch: number): number => accuracies[Math.min(epoch, accuracies.length) - 1]!;
      return {
        metrics: {
          ...tested,
          lastEpochAccuracy: last.accuracy,
          validationAccuracy: score,
          bestEpoch: step / epochs.length,
          ...Object.fromEntries(curveEpochs.map((epoch) => [`validationAccuracyAt${epoch}`, at(epoch)])),
        },
        curves,
        ...(predictsDepth ? { pictures: await pictureTriples(model, test) } : {}),
      };
    },
  });
}
