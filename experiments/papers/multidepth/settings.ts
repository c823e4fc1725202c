// What decides a training run of MultiDepth: its name in the paper's own terms, and all numbers that the name stands for.
import { z } from 'zod';
import { count, listOf, notNegative, pairOf, positive, share } from '../../runner/schema.ts';

/** How the two losses are weighted. `manual` is a search over constant weights, of which the best is reported. */
export type Weighting = 'regression' | 'classification' | 'equal' | 'manual' | 'learned';

/** Side of the training patches in the paper, in pixels. Presets scale them. */
export type Patch = 128 | 256;

/** Metres between which depth is normalised. */
export const bounds = { '2-125': [2, 125], '0-256': [0, 256] } as const;
export type Bounds = keyof typeof bounds;

/** Controls, the learning rate range test, and longer training. */
export type Variant =
  'rate of the network' | 'weights as printed' | 'whole metres' | 'narrow classes' | 'range test' | 'longer';

export interface RunName {
  readonly weighting: Weighting;
  readonly classes?: number;
  readonly patch?: Patch;
  readonly bounds?: Bounds;
  readonly variant?: Variant;
}

/** Classes of the paper's main table. */
export const DEFAULT_CLASSES = 32;

/** The name in files and for people. */
export const runKey = ({ weighting, classes = DEFAULT_CLASSES, patch = 128, bounds = '2-125', variant }: RunName) =>
  `${weighting} n=${classes} patch=${patch} bounds=${bounds}${variant ? ` (${variant})` : ''}`;

/** Two distances in metres, the nearer one first. */
const range = z
  .tuple([notNegative, positive])
  .readonly()
  .refine(([near, far]) => near < far, { error: 'expected the nearer distance first' });

export const settingsSchema = z.strictObject({
  /** What a network learns, and with which weights. */
  objective: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('regression') }),
    z.strictObject({ kind: z.literal('classification') }),
    z.strictObject({ kind: z.literal('constant'), regression: notNegative, classification: notNegative }),
    z.strictObject({ kind: z.literal('learned'), form: z.enum(['exp(-s)', 'exp(-s^2)']), start: z.number() }),
  ]),
  /** Constant regression weights to be tried one after the other; the objective's own is left aside then. */
  search: listOf(notNegative),
  classes: z.int().min(2),
  bounds: range,
  classPlanes: range.nullable(),
  /** Cuts depth to whole metres, as the released augmentation does by mistake. */
  wholeMetres: z.boolean(),
  /** Pixels of a side. */
  patch: count,
  batch: count,
  iterations: count,
  learningRate: positive,
  /** Learning rate of the weights' scalars, on the same schedule. */
  weightsLearningRate: positive,
  /** L2 penalty of everything that is trained, added to the gradient. */
  weightDecay: notNegative,
  /** Power of the polynomial by which the rates fall to 0. */
  power: notNegative,
  /** Instead of training: the first and the last rate, the past's share in the smoothed loss, and what stands for a diverged one. */
  rangeTest: z
    .strictObject({ steps: z.int().min(2), rates: pairOf(positive), memory: share, ceiling: positive })
    .nullable(),
  validateEvery: count,
  checkpointEvery: count,
  baseWidth: count,
  blocks: z.tuple([count, count, count, count]).readonly(),
  scales: z.enum(['uniform', 'one']),
  /** Frames of the cohorts. Real training frames are all used. */
  trainCount: count,
  validationCount: count,
});
export type TrainingSettings = Readonly<z.infer<typeof settingsSchema>>;
export type RangeTest = Readonly<NonNullable<TrainingSettings['rangeTest']>>;
