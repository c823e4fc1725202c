// What decides a training run of cross-stitch: the network of its row, one choice changed, and all numbers that these stand for.
import { z } from 'zod';
import type { PetTask, StitchMatrix } from '../../../models/index.ts';
import { count, countOrNone, listOf, notNegative, pairOf, positive } from '../../runner/schema.ts';

/** Rows of table 1. */
export const networkNames = ['baseline', 'binary', 'box', 'mtl', 'oeq'] as const;
export type NetworkName = (typeof networkNames)[number];

/** The names of the rows in the paper. */
export const rowNames: Readonly<Record<NetworkName, string>> = {
  baseline: 'Baseline',
  binary: 'Binary ablation',
  box: 'B.Box ablation',
  mtl: 'MTL',
  oeq: 'OEQ',
};

/** Branches in the order of the authors' stitch matrices. The sequential network has all tasks and no joint encoder. */
export const networkTasks: Readonly<Record<NetworkName, readonly PetTask[]>> = {
  baseline: ['segmentation'],
  binary: ['binary', 'segmentation'],
  box: ['box', 'segmentation'],
  mtl: ['binary', 'box', 'segmentation'],
  oeq: ['binary', 'box', 'segmentation'],
};

/** Starting values of the stitch matrix (section 3.4 of the specification). */
export const stitchMatrices: Readonly<Partial<Record<NetworkName, StitchMatrix>>> = {
  binary: [[1.5, 0.5], [0.5, 1.5]], // prettier-ignore
  box: [[0.8, 0.2], [0.2, 0.8]], // prettier-ignore
  mtl: [[0.6, 0.3, 0.1], [0.1, 0.6, 0.3], [0.1, 0.3, 0.6]], // prettier-ignore
};

/** One setting of the paper changed at a time. */
export const variants = {
  'no sigmoid': { segmentationSigmoid: false },
  'a bias': { segmentationBias: true },
  'no sigmoid and a bias': { segmentationSigmoid: false, segmentationBias: true },
  'dwa equation': { weighting: 'equation' },
  'stitch per stage': { stitchPerStage: true },
  'paper augmentation': { augmentation: 'paper' },
} as const;
export type Variant = keyof typeof variants;

export interface RunName {
  readonly network: NetworkName;
  readonly variant?: Variant | undefined;
}

/** Its name in files and for people. */
export const runKey = ({ network, variant }: RunName): string => (variant ? `${network}, ${variant}` : network);

export const settingsSchema = z.strictObject({
  network: z.enum(networkNames),
  /** Side of the pictures. */
  size: count,
  widths: z.array(count).min(1).readonly(),
  headWidths: pairOf(count),
  /** Images of the three cohorts; of a smaller real data set 60, 20 and 20 %, an epoch being several passes. */
  counts: z.strictObject({ train: count, validation: count, test: count }),
  /** Images in a chunk of the store, and chunks in a batch. */
  chunk: count,
  chunksPerBatch: count,
  epochs: count,
  /** Epochs of the auxiliary network of OEQ, before those of its segmentation network. */
  auxiliaryEpochs: countOrNone,
  learningRate: positive,
  segmentationSigmoid: z.boolean(),
  /** A bias in the last convolution; OEQ has one always. */
  segmentationBias: z.boolean(),
  stitchPerStage: z.boolean(),
  /** The stitch matrix at the start; null where no branches are stitched. */
  stitch: listOf(listOf(z.number())).nullable(),
  /** Task weights as the authors' scripts make them, or by the equation of the paper. */
  weighting: z.enum(['paperCode', 'equation']),
  /** Weights of the first two iterations of an epoch, and factors of the others. */
  priors: z.array(notNegative).min(1).readonly(),
  /** A higher one makes the task weights more equal. */
  temperature: positive,
  /** A task whose loss is below this is left out of the sum of that iteration. */
  dropBelow: z.partialRecord(z.enum(['binary', 'box', 'segmentation']), z.number()),
  /** Whether the tasks that are left keep their weights then; in the script of OEQ they do not. */
  keepsWeights: z.boolean(),
  /** Mirrors training pictures with probability 0.5, boxes along. The paper does not. */
  flip: z.boolean(),
  /** The authors' warp of whole batches in the first phase of OEQ, boxes left where they were. */
  augmentation: z.enum(['none', 'paper']),
  borderIsPet: z.boolean(),
});
export type TrainingSettings = Readonly<z.infer<typeof settingsSchema>>;
