// The settings of the toy problem, by preset. The paper's own fit every machine; only `smoke` is shorter.
import { z } from 'zod';
import { count, listOf, positive } from '../../runner/schema.ts';
import type { PresetName } from '../../runner/paper.ts';

export const toySchema = z
  .strictObject({
    points: count,
    /** How many of them have f2. */
    labelled: count,
    hidden: listOf(count),
    batch: count,
    epochs: count,
    learningRate: positive,
    /** Errors are measured at this many equidistant points of [0, 1]. */
    testPoints: z.int().min(2),
  })
  .refine(({ points, labelled }) => labelled <= points, {
    path: ['labelled'],
    error: 'more points have f2 than there are',
  });
export type ToySettings = Readonly<z.infer<typeof toySchema>>;

/** Section 8.3 of the specification: 640 points, 160 with f2, four hidden layers of 128 [paper]; the rest is our choice. */
const published: ToySettings = {
  points: 640,
  labelled: 160,
  hidden: [128, 128, 128, 128],
  batch: 16,
  epochs: 10,
  learningRate: 1e-3,
  testPoints: 1001,
};

export const toySettings: Readonly<Record<PresetName, ToySettings>> = {
  paper: published,
  laptop: published,
  tour: published,
  smoke: { ...published, points: 64, labelled: 32, hidden: [16, 16, 16, 16], epochs: 2 },
};

export const toySeeds: Readonly<Record<PresetName, number>> = { paper: 20, laptop: 20, tour: 20, smoke: 2 };
