// One training run of dmtl on extruded digits.
import { manualSeed, tensor } from '../../../engine/index.ts';
import { UNet } from '../../../models/index.ts';
import { type Cohort, DIGIT_CLASSES, type DigitSource } from '../../data/digits.ts';
import { ExtrudedDigits } from '../../data/extruded-digits.ts';
import { type Part, valuesOf } from '../../parallel/parts.ts';
import type { RunContext, RunResult } from '../../runner/paper.ts';
import { classWeights, trainCourse } from './course.ts';
import { evaluate, pictureTriples } from './evaluation.ts';
import type { TrainingSettings } from './settings.ts';
import { type Batch, stagesOf } from './strategies.ts';

type HostBatch = ReturnType<ExtrudedDigits['batch']>;

/** Trains and tests one run. */
export function trainDmtl(context: RunContext, settings: TrainingSettings, source: DigitSource): Promise<RunResult> {
  const { seed } = context;
  const { size } = settings.images;
  const cohort = (name: Cohort, count: number): ExtrudedDigits =>
    new ExtrudedDigits(source, name, count, settings.images, seed);
  const images = cohort('train', settings.trainCount);
  const held = {
    validation: cohort('validation', settings.validationCount),
    test: cohort('test', settings.testCount),
  };
  const counts = images.classCounts(DIGIT_CLASSES);
  const weights = settings.classWeights === false ? new Float32Array(DIGIT_CLASSES).fill(1) : classWeights(counts);
  const weightOf = (labels: Int32Array): number => labels.reduce((sum, label) => sum + weights[label]!, 0);
  const onDevice = (batch: HostBatch, part: Part): Batch => {
    const all = batch.label.length;
    const label = valuesOf(batch.label, all, part);
    const images = (values: Float32Array) => tensor(valuesOf(values, all, part), [label.length, 1, size, size]);
    return {
      input: images(batch.input),
      depth: images(batch.depth),
      label: tensor(label),
      weight: tensor(weights),
      share: part.share,
      weightShare: part.share === 1 ? 1 : weightOf(label) / weightOf(batch.label),
    };
  };
  manualSeed(seed);
  const { baseWidth, levels = 5, flattened = false, batchNorm: norm = true } = settings;
  const model = new UNet({
    ...{ inChannels: 1, classes: DIGIT_CLASSES, baseWidth, levels, norm },
    ...(flattened ? { flattened: size / 2 ** (levels - 1) } : {}),
  });
  return trainCourse<HostBatch>(context, {
    model,
    stages: stagesOf(model, settings),
    count: settings.trainCount,
    batch: settings.batch,
    read: (indices, epoch) => images.batch(indices, epoch),
    onDevice,
    evaluate: (name, withDepth, pause) => evaluate(model, held[name], withDepth, pause),
    triples: () => pictureTriples(model, held.test),
  });
}
