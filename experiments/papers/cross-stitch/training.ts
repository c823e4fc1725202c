// One training run: the phases of its network, validation after each epoch, the weights of the last epoch tested once.
import { manualSeed, noGrad, random, stack } from '../../../engine/index.ts';
import { chunkedBatches, type PetBatch, type PetCohort, type PetSamples, trainingBatch } from '../../data/pets.ts';
import { MetricSums, type PetMetrics, scoresOf } from '../../metrics/segmentation.ts';
import { Epochs } from '../../runner/epochs.ts';
import type { RunContext, RunResult } from '../../runner/paper.ts';
import { type Pause, type Phase as TrainingPhase, train } from '../../runner/training.ts';
import { warpAsPaper } from './augmentation.ts';
import { evaluate, inputOf, type Normalization, picturePanel, targetsOf, withNormalization } from './evaluation.ts';
import { taskLosses, weightedSum } from './losses.ts';
import { buildNetworks } from './networks.ts';
import { modulesOf, petChannels, type Phase, phasesOf, predict, stitchEntries } from './phases.ts';
import type { TrainingSettings } from './settings.ts';
import { lastTestBatch } from './test-batches.ts';

/** Names of metrics: `test miou` with batch statistics, `test miou, running statistics`. */
export const metricName = (cohort: PetCohort, metric: keyof PetMetrics, normalization: Normalization = 'batch') =>
  `${cohort} ${metric}${normalization === 'running' ? ', running statistics' : ''}`;

function named(cohort: PetCohort, metrics: PetMetrics, normalization?: Normalization): Record<string, number> {
  const values = Object.entries(metrics) as [keyof PetMetrics, number][];
  return Object.fromEntries(values.map(([metric, value]) => [metricName(cohort, metric, normalization), value]));
}

/** Trains and tests one run. */
export async function trainCrossStitch(
  context: RunContext,
  settings: TrainingSettings,
  samples: Readonly<Record<PetCohort, PetSamples>>,
): Promise<RunResult> {
  const { seed } = context;
  manualSeed(seed);
  const networks = buildNetworks(settings);
  const phases = phasesOf(networks, settings);
  const modules = Object.values(modulesOf(networks));
  const batchSize = settings.chunk * settings.chunksPerBatch;
  const { count } = samples.train;
  /** A set smaller than the preset's is gone through several times in an epoch. */
  const passes = Math.max(1, Math.round(settings.counts.train / count));
  const epochs = new Epochs((epoch) =>
    Array.from({ length: passes }, (_, pass) =>
      chunkedBatches(count, settings, random(seed, 'pets chunks', epoch * passes + pass)),
    ).flat(),
  );
  const notes = {
    /** Means over the last epoch that predicted it, the weights changing meanwhile. */
    trainMetrics: {} as PetMetrics,
    /** Channels that spoke for the pet before training. */
    petChannels: await petChannels(networks),
  };
  const evaluated = (forward: Phase['forward'], cohort: PetCohort, normalization: Normalization, pause: Pause) =>
    withNormalization(modules, normalization, () => evaluate(forward, samples[cohort], batchSize, pause));

  const trainingPhase = (phase: Phase): TrainingPhase<PetBatch> => {
    const { tasks, optimizer, weighting } = phase;
    const byTask = (what: string, values: readonly number[]): Record<string, number> =>
      Object.fromEntries(tasks.map((task, k) => [`${what} ${task}`, values[k]!]));
    let sums = new MetricSums();
    return {
      steps: phase.epochs * epochs.length,
      validateEvery: epochs.length,
      optimizers: [optimizer],
      batch(_, step) {
        const drawn = trainingBatch(samples.train, epochs.at(step), settings, { seed, step, flip: settings.flip });
        return phase.warps ? warpAsPaper(drawn, seed, step) : drawn;
      },
      async step(batch) {
        const [x, targets] = [inputOf(batch), targetsOf(batch)];
        const outputs = phase.forward(x);
        const losses = taskLosses(outputs, targets, tasks);
        const values = Array.from(await noGrad(() => stack(losses)).array());
        const weights = await weighting.weights();
        optimizer.zeroGrad();
        weightedSum(losses, phase.termWeights(values, weights))?.backward();
        optimizer.step();
        weighting.observe(values);
        sums.add(await scoresOf(outputs, targets.mask, batch));
        return { ...byTask('loss', values), ...(tasks.length > 1 ? byTask('weight', weights) : {}) };
      },
      async validate(_, pause) {
        weighting.endEpoch();
        const trained = sums.metrics();
        sums = new MetricSums();
        notes.trainMetrics = { ...notes.trainMetrics, ...trained };
        const validation = await evaluated(phase.forward, 'validation', 'batch', pause);
        return {
          curves: {
            ...named('train', trained),
            ...named('validation', validation.metrics()),
            ...(tasks.includes('segmentation') ? await stitchEntries(networks) : {}),
          },
        };
      },
    };
  };

  return train<PetBatch, RunResult>(context, {
    modules: {
      ...modulesOf(networks),
      ...Object.fromEntries(phases.map(({ weighting }, i) => [`weighting${i}`, weighting])),
    },
    notes,
    phases: phases.map(trainingPhase),
    async finish({ curves }, pause) {
      const all: Phase['forward'] = (x) => predict(networks, x);
      const metrics: Record<string, number> = {
        ...named('train', notes.trainMetrics),
        'pet channels at the start': notes.petChannels,
      };
      for (const normalization of ['batch', 'running'] as const) {
        for (const cohort of ['validation', 'test'] as const) {
          const sums = await evaluated(all, cohort, normalization, pause);
          Object.assign(metrics, named(cohort, sums.metrics(), normalization));
          if (cohort === 'test' && normalization === 'batch') {
            Object.assign(metrics, lastTestBatch(sums.boxIous, seed));
          }
        }
      }
      for (const [curve, values] of Object.entries(curves)) {
        if (/^(weight|stitch|mix)/.test(curve)) metrics[`final ${curve}`] = values.at(-1)!;
      }
      const pictures = await withNormalization(modules, 'batch', () => picturePanel(all, samples.test, batchSize));
      return { metrics, curves, pictures };
    },
  });
}
