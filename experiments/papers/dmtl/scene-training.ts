// One training run of dmtl on NYU Depth V2 (Table 4): the U-Net with three input channels and two or seven classes, and its scores.
import { manualSeed, noGrad, scope, tensor } from '../../../engine/index.ts';
import { UNet } from '../../../models/index.ts';
import type { Cohort } from '../../data/digits.ts';
import type { RoomScenes } from '../../data/rooms.ts';
import { Mean } from '../../metrics/means.ts';
import { colourPng, greyPng, itemOf, sampleOf } from '../../report/pictures.ts';
import { evaluateInBatches, inference } from '../../runner/evaluation.ts';
import type { Picture, RunContext, RunResult } from '../../runner/paper.ts';
import type { Pause } from '../../runner/training.ts';
import { classWeights, type Scores, trainCourse } from './course.ts';
import { imagesAtOnce } from './evaluation.ts';
import { overMeasured, type SceneBatch, SceneCohort } from './scene-pictures.ts';
import type { SceneSettings } from './scene-settings.ts';
import { labelled, labelNames, scenePictures, splitScenes } from './scene-split.ts';
import { type Batch, stagesOf } from './strategies.ts';

/** Batches made ahead of their use. */
const AHEAD = 2;

const range = (first: number, end: number): number[] => Array.from({ length: end - first }, (_, i) => first + i);

/** Accuracy, the mean of the accuracies of the labels that occur, and the root mean squared depth error in metres over measured pixels. */
export async function evaluateScenes(
  model: UNet,
  cohort: SceneCohort,
  metres: number,
  withDepth: boolean,
  pause: Pause,
): Promise<Scores> {
  const { size, count } = cohort;
  const [correct, squares] = [new Mean(), new Mean()];
  const byLabel = new Map<number, Mean>();
  const readable = {
    count,
    batch: imagesAtOnce(size),
    read: (first: number, end: number) => cohort.batch(range(first, end)),
  };
  await inference([model], () =>
    evaluateInBatches(
      readable,
      ({ input, label }) => {
        const features = model.encode(tensor(input, [label.length, 3, size, size]));
        return { logits: model.classify(features), depth: withDepth ? model.decode(features) : undefined };
      },
      async ({ logits, depth }, truth) => {
        const guesses = await logits.argmax(1).array();
        truth.label.forEach((label, i) => {
          const own = byLabel.get(label) ?? new Mean();
          byLabel.set(label, own);
          for (const mean of [correct, own]) mean.add(Number(guesses[i] === label));
        });
        const predicted = await depth?.array();
        predicted?.forEach((value: number, i: number) => {
          if (truth.depth[i]! > 0) squares.add((metres * (value - truth.depth[i]!)) ** 2);
        });
      },
      pause,
    ),
  );
  const classes = new Mean();
  for (const { value } of byLabel.values()) classes.add(value!);
  const { value: square } = squares;
  return {
    accuracy: correct.value!,
    classAccuracy: classes.value!,
    ...(square === undefined ? {} : { depthRmse: Math.sqrt(square) }),
  };
}

/** Picture, predicted and true depth of the first pictures of a cohort; what was not measured is black. */
async function triples(model: UNet, cohort: SceneCohort, names: readonly string[], count: number): Promise<Picture[]> {
  using _batch = scope();
  const { size } = cohort;
  const n = Math.min(count, cohort.count);
  const { input, depth, label } = await cohort.batch(range(0, n));
  return await inference([model], async () => {
    const output = noGrad(() => model.forward(tensor(input, [n, 3, size, size])));
    const predicted = await output.depth.array();
    const guesses = await output.logits.argmax(1).array();
    const samples = range(0, n).map(async (i) =>
      sampleOf(`test picture ${i}, ${names[label[i]!]}, taken for ${names[guesses[i]!]}`, {
        picture: colourPng(await cohort.image(i), size),
        'predicted depth': greyPng(itemOf(predicted, i, size ** 2), size, 0, 1),
        'true depth': greyPng(itemOf(depth, i, size ** 2), size, 0, 1),
      }),
    );
    return Promise.all(samples);
  });
}

/** Trains and tests one run. Rejects with DataError where a file is damaged or the data do not say what the pictures show. */
export async function trainScenes(context: RunContext, settings: SceneSettings, data: RoomScenes): Promise<RunResult> {
  const { seed } = context;
  const { size, labels, baseWidth, batch, flip, shown } = settings;
  const split = splitScenes(labelled(scenePictures(data), labels));
  const cohorts: Record<Cohort, SceneCohort> = {
    train: new SceneCohort(data, split.train, { share: flip, seed }),
    validation: new SceneCohort(data, split.validation),
    test: new SceneCohort(data, split.test),
  };
  const names = labelNames[labels];
  const weights = classWeights(cohorts.train.counts(names.length));
  const onDevice = ({ input, depth, label }: SceneBatch): Batch => {
    const n = label.length;
    const known = overMeasured(depth);
    const shape = [n, 1, size, size];
    return {
      input: tensor(input, [n, 3, size, size]),
      depth: tensor(known.depth, shape),
      measured: tensor(known.measured, shape),
      label: tensor(label),
      weight: tensor(weights),
      // Batches in parts are refused (see `parts` of the paper).
      ...{ share: 1, weightShare: 1 },
    };
  };
  manualSeed(seed);
  const model = new UNet({ inChannels: 3, classes: names.length, baseWidth });
  const result = await trainCourse<SceneBatch>(context, {
    model,
    stages: stagesOf(model, settings),
    count: cohorts.train.count,
    batch,
    ahead: AHEAD,
    read: (indices, epoch) => cohorts.train.batch(indices, epoch),
    onDevice,
    evaluate: (name, withDepth, pause) => evaluateScenes(model, cohorts[name], data.depthRange, withDepth, pause),
    triples: () => triples(model, cohorts.test, names, shown),
  });
  const counts = Object.entries(cohorts).map(([name, { count }]) => [`${name} pictures`, count]);
  return { ...result, metrics: { ...result.metrics, ...Object.fromEntries(counts) } };
}
