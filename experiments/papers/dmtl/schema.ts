// What the settings of a run of dmtl may be.
import { z } from 'zod';
import { count, notNegative, positive, share } from '../../runner/schema.ts';
import { strategies, type TrainingSettings } from './settings.ts';

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
  }),
  baseWidth: count,
  epochs: count,
  batch: count,
  optimizer: z.enum(['sgd', 'rmsprop']),
  learningRate: positive,
  momentum: share,
  weightDecay: notNegative,
  depthLoss: z.enum(['mse', 'l1']),
  lambda: notNegative,
  multiOpt: z.enum(['twoForwards', 'sharedForward']),
}) satisfies z.ZodType<TrainingSettings>;
