// What decides a training run of MultiDepth: weighting, classes, patch and bounds of its cell, and the sizes of the preset.
import type { WeightForm } from './losses.ts';

/** How the two losses are weighted. `manual` is a search over constant weights, of which the best is reported. */
export const weightings = ['regression', 'classification', 'equal', 'manual', 'learned'] as const;
export type Weighting = (typeof weightings)[number];

/** Side of the training patches in the paper, in pixels. Presets scale them. */
export type Patch = 128 | 256;

/** Metres between which depth is normalised. */
export const bounds = { '2-125': [2, 125], '0-256': [0, 256] } as const;
export type Bounds = keyof typeof bounds;

/** Controls, the learning rate range test, and longer training. */
export const variants = [
  'rate of the network',
  'weights as printed',
  'whole metres',
  'narrow classes',
  'range test',
  'longer',
] as const;
export type Variant = (typeof variants)[number];

/** A cell's run in the paper's own terms. */
export interface RunName {
  readonly weighting: Weighting;
  readonly classes?: number;
  readonly patch?: Patch;
  readonly bounds?: Bounds;
  readonly variant?: Variant;
}

/** Classes of the paper's main table. */
export const DEFAULT_CLASSES = 32;

/** Its name in files and for people. */
export const runKey = ({ weighting, classes = DEFAULT_CLASSES, patch = 128, bounds = '2-125', variant }: RunName) =>
  `${weighting} n=${classes} patch=${patch} bounds=${bounds}${variant ? ` (${variant})` : ''}`;

/** What a network learns, and with which weights. */
export type Objective =
  | { readonly kind: 'regression' }
  | { readonly kind: 'classification' }
  | { readonly kind: 'constant'; readonly regression: number; readonly classification: number }
  | { readonly kind: 'learned'; readonly form: WeightForm; readonly start: number };

export interface RangeTest {
  readonly steps: number;
  /** The first and the last learning rate. */
  readonly rates: readonly [number, number];
  /** Share of the past in the smoothed loss. */
  readonly memory: number;
  /** A diverged loss is shown as this; one of a fresh network is about 2.4. */
  readonly ceiling: number;
}

export interface TrainingSettings {
  readonly objective: Objective;
  /** Constant regression weights to be tried one after the other; the objective's own is left aside then. */
  readonly search: readonly number[];
  readonly classes: number;
  readonly bounds: readonly [number, number];
  readonly classPlanes: readonly [number, number] | null;
  /** Cuts depth to whole metres, as the released augmentation does by mistake. */
  readonly wholeMetres: boolean;
  /** Pixels of a side. */
  readonly patch: number;
  readonly batch: number;
  readonly iterations: number;
  readonly learningRate: number;
  /** Learning rate of the weights' scalars, on the same schedule. */
  readonly weightsLearningRate: number;
  /** L2 penalty of everything that is trained, added to the gradient. */
  readonly weightDecay: number;
  /** Power of the polynomial by which the rates fall to 0. */
  readonly power: number;
  /** Instead of training. */
  readonly rangeTest: RangeTest | null;
  readonly validateEvery: number;
  readonly checkpointEvery: number;
  readonly baseWidth: number;
  readonly blocks: readonly [number, number, number, number];
  readonly scales: 'uniform' | 'one';
  /** Frames of the cohorts. Real training frames are all used. */
  readonly trainCount: number;
  readonly validationCount: number;
}
