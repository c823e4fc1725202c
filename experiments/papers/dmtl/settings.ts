// What decides a training run of dmtl: the strategy, the cohort and noise of its cell, and the sizes of the preset.
import type { ExtrusionOptions, NoiseOptions } from '../../data/extruded-digits.ts';

/** How the two tasks are trained (section 4 of the specification, table 3 of the paper). */
export const strategies = [
  'singleTask',
  'sequential',
  'sequentialHalf',
  'multipleOptimizers',
  'multitaskLoss',
] as const;
export type Strategy = (typeof strategies)[number];

/** Noise parts k of S:N = 1:k, at 256 x 256; no noise is 0. */
export const noiseLevels = { Inf: 0, '1:5': 5, '1:19': 19, '1:29': 29 } as const;
export type NoiseLevel = keyof typeof noiseLevels;

/** Sizes of the training cohort in the paper. Presets scale them. */
export type TrainSize = 3500 | 4000 | 4500 | 5000;

/** One setting changed at a time, relative to the preset, to find out what the published ordering depends on. */
export const variants = {
  'rate/5': { learningRate: 1 / 5 },
  'width*2': { baseWidth: 2 },
  'size*2': { size: 2 },
  'images/5': { images: 1 / 5 },
} as const satisfies Readonly<Record<string, VariantFactors>>;
export type Variant = keyof typeof variants;

/** What the preset's value is multiplied by. */
export interface VariantFactors {
  readonly learningRate?: number;
  readonly baseWidth?: number;
  readonly size?: number;
  readonly images?: number;
}

/** A cell's run in the paper's own terms. */
export interface RunName {
  readonly strategy: Strategy;
  readonly noise: NoiseLevel;
  readonly n: TrainSize;
  /** Weight of the depth loss. */
  readonly lambda?: number;
  readonly variant?: Variant;
}

/** Its name in files and for people. */
export const runKey = ({ strategy, noise, n, lambda = 1, variant }: RunName): string =>
  `${strategy} ${noise} N=${n}${lambda === 1 ? '' : ` lambda=${lambda}`}${variant ? ` ${variant}` : ''}`;

export interface TrainingSettings {
  readonly strategy: Strategy;
  readonly trainCount: number;
  readonly validationCount: number;
  readonly testCount: number;
  readonly images: ExtrusionOptions;
  /** Channels of the first level of the U-Net. */
  readonly baseWidth: number;
  readonly epochs: number;
  readonly batch: number;
  readonly optimizer: 'sgd' | 'rmsprop';
  readonly learningRate: number;
  readonly momentum: number;
  /** L2 penalty, added to the gradient. */
  readonly weightDecay: number;
  readonly depthLoss: 'mse' | 'l1';
  readonly lambda: number;
  /** Multiple optimizers: a second forward pass for depth after the class step, or both gradients from one. */
  readonly multiOpt: 'twoForwards' | 'sharedForward';
}

export type { NoiseOptions };
