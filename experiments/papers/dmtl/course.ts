// The course of a training, whatever the pictures: stages of epochs, validation after each, the weights of the best validation accuracy
// tested once (section 6 of the specification). Leaves out the pictures and their scores.
import { random } from '../../../engine/index.ts';
import type { UNet } from '../../../models/index.ts';
import type { Cohort } from '../../data/digits.ts';
import { LEAST_FOR_BATCH_NORM, type Part, Parts } from '../../parallel/parts.ts';
import { batchesIn, Epochs } from '../../runner/epochs.ts';
import type { Picture, RunContext, RunResult } from '../../runner/paper.ts';
import { type Pause, train } from '../../runner/training.ts';
import type { Batch, Over, Stage } from './strategies.ts';

/** Epochs after which the classification curves are compared (figures 9 and 10), counted from 1. */
const curveEpochs = [3, 6] as const;

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

/** What a cohort is scored by; accuracy chooses the epoch. */
export interface Scores {
  readonly accuracy: number;
  /** The mean of the accuracies of the classes. */
  readonly classAccuracy?: number;
  readonly depthRmse?: number;
  readonly digitDepthRmse?: number;
}

/** What a course needs to know of its pictures. */
export interface Course<HostBatch> {
  readonly model: UNet;
  readonly stages: readonly Stage[];
  /** Pictures to train on, and those of a batch. */
  readonly count: number;
  readonly batch: number;
  /** Batches made ahead of their use, where that takes time. */
  readonly ahead?: number;
  /** Training pictures by their indices. */
  read(indices: Int32Array, epoch: number): HostBatch | Promise<HostBatch>;
  /** A part of a batch, where it is made in parts. */
  onDevice(batch: HostBatch, part: Part): Batch;
  /** With `withDepth` false the decoder is left alone. */
  evaluate(cohort: Exclude<Cohort, 'train'>, withDepth: boolean, pause: Pause): Promise<Scores>;
  /** Input, predicted and true depth of a few test pictures. */
  triples(): Promise<Picture[]>;
}

/** Trains and tests one run. */
export function trainCourse<HostBatch extends { readonly label: Int32Array }>(
  context: RunContext,
  course: Course<HostBatch>,
): Promise<RunResult> {
  const { model, stages } = course;
  const epochs = new Epochs((epoch) => batchesOf(course.count, course.batch, context.seed, epoch));
  const { parts = new Parts() } = context;
  const over =
    (batch: HostBatch): Over =>
    async (pass) => {
      // At the lowest level of the network batch norm sees one value of each image.
      const all = { size: batch.label.length, least: LEAST_FOR_BATCH_NORM, modules: [model], losses: ['loss'] };
      const { loss } = await parts.accumulate(all, (part) => ({ loss: pass(course.onDevice(batch, part)) }));
      return loss;
    };
  return train<HostBatch, RunResult>(context, {
    modules: { model },
    phases: stages.map(({ epochs: count, optimizers, classifies, predictsDepth, step }) => ({
      steps: count * epochs.length,
      validateEvery: epochs.length,
      optimizers,
      keepBest: 'model',
      ...(course.ahead === undefined ? {} : { ahead: course.ahead }),
      batch: (_, overall) => course.read(epochs.at(overall), Math.floor(overall / epochs.length)),
      step: async (batch) => ({ loss: await step(over(batch)) }),
      async validate(_, pause) {
        const { accuracy, classAccuracy, ...depth } = await course.evaluate('validation', predictsDepth, pause);
        return classifies ? { curves: { accuracy, classAccuracy, ...depth }, score: accuracy } : { curves: depth };
      },
    })),
    async finish({ curves, best }, pause) {
      const predictsDepth = stages.some((stage) => stage.predictsDepth);
      const { score, step, weights } = best.model!;
      const last = await course.evaluate('test', false, pause);
      model.loadStateDict(weights);
      const tested = await course.evaluate('test', predictsDepth, pause);
      const accuracies = curves.accuracy!;
      const at = (epoch: number): number => accuracies[Math.min(epoch, accuracies.length) - 1]!;
      const bestEpoch = step / epochs.length;
      return {
        metrics: {
          ...tested,
          lastEpochAccuracy: last.accuracy,
          validationAccuracy: score,
          ...(curves.classAccuracy ? { validationClassAccuracy: curves.classAccuracy[bestEpoch - 1]! } : {}),
          bestEpoch,
          ...Object.fromEntries(curveEpochs.map((epoch) => [`validationAccuracyAt${epoch}`, at(epoch)])),
        },
        curves,
        ...(predictsDepth ? { pictures: await course.triples() } : {}),
      };
    },
  });
}
