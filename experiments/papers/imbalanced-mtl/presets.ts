// Sizes of the toy problem by preset. The paper's own fit every machine; only `smoke` is shorter.
import type { PresetName } from '../../runner/paper.ts';
import type { ToySettings } from './toy.ts';

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
