// What the settings of a run of MultiDepth may be.
import { z } from 'zod';
import { count, notNegative, positive, share } from '../../runner/schema.ts';
import type { TrainingSettings } from './settings.ts';

/** Two distances in metres, the nearer one first. */
const range = z
  .tuple([notNegative, positive])
  .refine(([near, far]) => near < far, { error: 'expected the nearer distance first' });

export const settingsSchema = z.strictObject({
  objective: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('regression') }),
    z.strictObject({ kind: z.literal('classification') }),
    z.strictObject({ kind: z.literal('constant'), regression: notNegative, classification: notNegative }),
    z.strictObject({ kind: z.literal('learned'), form: z.enum(['exp(-s)', 'exp(-s^2)']), start: z.number() }),
  ]),
  search: z.array(notNegative),
  classes: z.int().min(2),
  bounds: range,
  classPlanes: range.nullable(),
  wholeMetres: z.boolean(),
  patch: count,
  batch: count,
  iterations: count,
  learningRate: positive,
  weightsLearningRate: positive,
  weightDecay: notNegative,
  power: notNegative,
  rangeTest: z
    .strictObject({ steps: z.int().min(2), rates: z.tuple([positive, positive]), memory: share, ceiling: positive })
    .nullable(),
  validateEvery: count,
  checkpointEvery: count,
  baseWidth: count,
  blocks: z.tuple([count, count, count, count]),
  scales: z.enum(['uniform', 'one']),
  trainCount: count,
  validationCount: count,
}) satisfies z.ZodType<TrainingSettings>;
