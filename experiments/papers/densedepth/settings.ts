// What decides a training run of DenseDepth: its name in the paper's own terms, and all numbers that the name stands for.
import { z } from 'zod';
import { backbones } from '../../../models/index.ts';
import { weightsSchema } from '../../runner/given-weights.ts';
import { count, countOrNone, notNegative, pairOf, positive, share } from '../../runner/schema.ts';

/** The networks of the backbone study. */
export const networkNames = ['densenet', 'resnet', 'efficientnet', 'toy'] as const;
export type NetworkName = (typeof networkNames)[number];

/** The names of the networks in the report. */
export const rowNames: Readonly<Record<NetworkName, string>> = {
  densenet: 'DenseNet169',
  resnet: 'ResNet50',
  efficientnet: 'EfficientNetV2B0',
  toy: 'toy network',
};

/** The trainings of the report (section 5 of the specification), and two of ours: with a validation, and the same in a third of it. */
export const protocols = ['study', 'final', 'fine-tuning', 'control', 'short'] as const;
export type Protocol = (typeof protocols)[number];

/** One setting changed at a time. Rates and filters are the paper's; presets scale them. */
export interface Change {
  /** The scaling that the backbone's weights expect in the place of x / 255. */
  readonly native?: true;
  readonly filters?: number;
  readonly rate?: number;
  readonly decaying?: true;
  /** Weights of SSIM, gradients and MAE. */
  readonly weights?: readonly [ssim: number, gradient: number, mae: number];
  readonly maskInvalid?: true;
  /** Copies appended before the training in the place of random flips and swaps. */
  readonly copies?: true;
  /** Training and validation cut by picture, copies among them. */
  readonly leakySplit?: true;
}

export interface RunName extends Change {
  readonly network: NetworkName;
  readonly protocol: Protocol;
}

/** Its name in files and for people. */
export function runKey({ network, protocol, ...change }: RunName): string {
  const parts = Object.entries(change).map(([name, value]) => (value === true ? name : `${name}=${String(value)}`));
  return `${network}, ${protocol}${parts.length > 0 ? ` (${parts.join(' ')})` : ''}`;
}

const probability = z.number().min(0).max(1);
/** The rate times `factor` after every so many steps. */
const decay = z.strictObject({ factor: probability, every: count }).nullable();

export const settingsSchema = z.strictObject({
  network: z.enum([...(Object.keys(backbones) as (keyof typeof backbones)[]), 'toy']),
  /** What the pictures become before the network: x / 255 for all, or what its weights were trained on. */
  scaling: z.enum(['published', 'native']),
  filters: count,
  /** Of the last block; those of the toy network's first layer. */
  lastFilters: count,
  dropout: share,
  /** Share of each batch in the running statistics of the decoder and of the backbone while it is pre-trained. */
  momentum: z.strictObject({ decoder: share, backbone: share }),
  weights: weightsSchema,
  /** Stands in for ImageNet's weights where there is no file: classes of shape and colour of other generated scenes. */
  pretraining: z
    .strictObject({
      count,
      epochs: count,
      batch: count,
      rates: pairOf(positive),
      contrast: pairOf(positive),
      brightness: notNegative,
    })
    .nullable(),
  /** Sides of the pictures in pixels, multiples of 32. */
  width: z.int().positive().multipleOf(32),
  height: z.int().positive().multipleOf(32),
  /** Pictures of the cohorts; of less data every cohort gets its part. */
  counts: z.strictObject({ train: count, validation: countOrNone, test: count }),
  framesPerScan: count,
  leakySplit: z.boolean(),
  augmentation: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('online'), flip: probability, swap: probability }),
    z.strictObject({ kind: z.literal('copies'), flips: probability, swaps: probability }),
  ]),
  batch: count,
  /** Pictures of a batch in evaluation, on which SSIM by the batch's range depends. */
  evaluationBatch: count,
  epochs: count,
  /** After which predictions and weights are kept besides those of the end. */
  snapshotEpoch: count,
  learningRate: positive,
  decay,
  lossWeights: z.strictObject({ ssim: notNegative, gradient: notNegative, mae: notNegative }),
  /** L of the loss' SSIM in metres. */
  range: positive,
  maskInvalid: z.boolean(),
  fineTuning: z.strictObject({ epochs: count, learningRate: positive, decay }).nullable(),
  /** What stands for a loss that diverges, where that is looked for. */
  ceiling: positive.nullable(),
});
export type TrainingSettings = Readonly<z.infer<typeof settingsSchema>>;
export type Pretraining = NonNullable<TrainingSettings['pretraining']>;
