// What the settings of the toy problem may be.
import { z } from 'zod';
import { count, positive } from '../../runner/schema.ts';
import type { ToySettings } from './toy.ts';

export const settingsSchema = z
  .strictObject({
    points: count,
    labelled: count,
    hidden: z.array(count),
    batch: count,
    epochs: count,
    learningRate: positive,
    testPoints: z.int().min(2),
  })
  .refine(({ points, labelled }) => labelled <= points, {
    path: ['labelled'],
    error: 'more points have f2 than there are',
  }) satisfies z.ZodType<ToySettings>;
