// What decides a training run of dmtl: its name in the paper's own terms, and all numbers that the name stands for.
import { z } from 'zod';
import { count, notNegative, positive, share } from '../../runner/schema.ts';
import type { ReadingName } from './reading-names.ts';

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
export const trainSizes = [3500, 4000, 4500, 5000] as const;
export type TrainSize = (typeof trainSizes)[number];

/** What the preset's value is multiplied by. */
export type VariantFactors = Partial<Record<'learningRate' | 'baseWidth' | 'size' | 'images', number>>;

/** One setting changed at a time, to find out what the published ordering depends on. */
export const variants = {
  'rate/5': { learningRate: 1 / 5 },
  'width*2': { baseWidth: 2 },
  'size*2': { size: 2 },
  'images/5': { images: 1 / 5 },
} as const satisfies Readonly<Record<string, VariantFactors>>;
export type Variant = keyof typeof variants;

export interface RunName {
  readonly strategy: Strategy;
  readonly noise: NoiseLevel;
  readonly n: TrainSize;
  /** Weight of the depth loss. */
  readonly lambda?: number;
  readonly variant?: Variant | undefined;
  /** How a silent place of the paper is read, instead of as everywhere else. */
  readonly reading?: ReadingName | undefined;
  /** How many times as many epochs. */
  readonly longer?: number | undefined;
}

/** The name in files and for people. */
export const runKey = ({ strategy, noise, n, lambda = 1, variant, reading, longer = 1 }: RunName): string =>
  [
    `${strategy} ${noise} N=${n}`,
    lambda === 1 ? [] : `lambda=${lambda}`,
    variant ?? [],
    reading ? `(${reading})` : [],
    longer === 1 ? [] : `epochs*${longer}`,
  ]
    .flat()
    .join(' ');

export const settingsSchema = z.strictObject({
  strategy: z.enum(strategies),
  trainCount: count,
  validationCount: count,
  testCount: count,
  images: z.strictObject({
    size: count,
    noise: z.strictObject({
      kind: z.enum(['mixUniform', 'power']),
      where: z.enum(['after', 'before']),
      k: notNegative,
    }),
    depthMode: z.enum(['offset', 'literal']),
    // Of some readings alone; runs without them have the fingerprints that they always had.
    grey: z.boolean().optional(),
    standardized: z.boolean().optional(),
    noisyShare: share.optional(),
    freshNoise: z.boolean().optional(),
  }),
  /** Of some readings alone: levels of the U-Net, all values of the lowest one classified, batch norm, class weights. */
  levels: z.int().min(3).max(5).optional(),
  flattened: z.boolean().optional(),
  batchNorm: z.boolean().optional(),
  classWeights: z.boolean().optional(),
  /** Channels of the first level of the U-Net. */
  baseWidth: count,
  epochs: count,
  batch: count,
  optimizer: z.enum(['sgd', 'rmsprop']),
  learningRate: positive,
  momentum: share,
  /** L2 penalty, added to the gradient. */
  weightDecay: notNegative,
  depthLoss: z.enum(['mse', 'l1']),
  lambda: notNegative,
  /** Multiple optimizers: a second forward pass for depth after the class step, or both gradients from one. */
  multiOpt: z.enum(['twoForwards', 'sharedForward']),
});
export type TrainingSettings = Readonly<z.infer<typeof settingsSchema>>;
