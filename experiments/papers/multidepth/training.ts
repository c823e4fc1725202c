// One training run of MultiDepth: updates on random patches, validation on whole images at intervals, the best and the last of
// its scores.
import { DataError, manualSeed, type Random, random } from '../../../engine/index.ts';
import type { Frames } from '../../data/frames.ts';
import type { RunContext, RunResult } from '../../runner/paper.ts';
import { train } from '../../runner/training.ts';
import { evaluate, samplePictures } from './evaluation.ts';
import { LogDepth } from './log-depth.ts';
import { type HostBatch, Samples } from './samples.ts';
import type { TrainingSettings } from './settings.ts';
import { Trainer } from './step.ts';

export interface Cohorts {
  readonly train: Frames;
  readonly validation: Frames;
}

/** Batches made ahead of their use. */
export const AHEAD = 3;

/** Validation images shown in reports. */
const SHOWN = 3;

/** Curves whose least and last values are metrics, and those of which the last alone is. */
const scores = ['regression', 'classification', 'patchRegression', 'patchClassification'];
const watched = ['sReg', 'sCls', 'regressionLoss', 'classificationLoss', 'combinedLoss'];

/** The stream that drops feature maps in step k; parts of a batch have one each, the first that of a whole batch. */
export const dropoutOf =
  (seed: number, k: number) =>
  (part: number): Random =>
    random(seed, part === 0 ? 'multidepth dropout' : `multidepth dropout of part ${part}`, k);

/** Trains and validates one network. Throws DataError where a file is damaged. */
export function trainNetwork(context: RunContext, settings: TrainingSettings, cohorts: Cohorts): Promise<RunResult> {
  const { seed } = context;
  const { validation } = cohorts;
  const { iterations: steps, validateEvery, checkpointEvery, patch: side } = settings;
  const samples = new Samples(cohorts.train, settings, seed);
  const space = new LogDepth(settings);
  manualSeed(seed);
  const trainer = new Trainer(settings);
  const { model, modules, optimizers } = trainer;
  const notes = { cropsWithoutDepth: 0, withoutDepth: 0 };
  return train<HostBatch, RunResult>(context, {
    modules,
    notes,
    phases: [
      {
        ...{ steps, validateEvery, checkpointEvery, optimizers, ahead: AHEAD, keepBest: 'model' },
        batch: (k) => samples.batch(k),
        async step(batch, k) {
          notes.cropsWithoutDepth += batch.withoutDepth;
          const losses = await trainer.step(batch, k, dropoutOf(seed, k), { parts: context.parts });
          return Object.fromEntries(Object.entries(losses).map(([name, loss]) => [`${name}Loss`, loss]));
        },
        async validate(iteration, pause) {
          const { full, patch, withoutDepth } = await evaluate(model, validation, { space, patch: side, pause });
          notes.withoutDepth = withoutDepth;
          const score = full.regression ?? full.classification;
          if (score === undefined) {
            throw new DataError('no validation image has a measured pixel', { given: `${validation.count} images` });
          }
          const curves = {
            iteration,
            learningRate: trainer.rateAt(iteration - 1),
            ...(await trainer.scalars()),
            ...full,
            patchRegression: patch.regression,
            patchClassification: patch.classification,
          };
          return { curves, score: -score };
        },
      },
    ],
    async finish({ curves, best, stalls }) {
      const { step, weights } = best.model!;
      await context.keep('network', weights, networkMetadata(settings));
      model.loadStateDict(weights);
      const metrics: Record<string, number> = { ...notes, bestIteration: step };
      for (const name of scores) if (curves[name]) metrics[name] = Math.min(...curves[name]);
      for (const name of [...scores, ...watched]) if (curves[name]) metrics[`${name}Last`] = curves[name].at(-1)!;
      if (curves.sCls) metrics.sClsMost = Math.max(...curves.sCls);
      const pictures = await samplePictures(model, validation, space, SHOWN);
      return { metrics, curves, pictures, diagnostics: { stalls } };
    },
  });
}

/** What `wgrad predict` must know beside the weights. */
export const networkMetadata = ({ bounds, classPlanes }: TrainingSettings): Record<string, string> => ({
  bounds: JSON.stringify(bounds),
  classPlanes: JSON.stringify(classPlanes),
});
