// What the settings of a run of cross-stitch may be.
import { z } from 'zod';
import { count, countOrNone, notNegative, positive } from '../../runner/schema.ts';
import { networkNames, type TrainingSettings } from './settings.ts';

export const settingsSchema = z.strictObject({
  network: z.enum(networkNames),
  size: count,
  widths: z.array(count).min(1),
  headWidths: z.tuple([count, count]),
  counts: z.strictObject({ train: count, validation: count, test: count }),
  chunk: count,
  chunksPerBatch: count,
  epochs: count,
  auxiliaryEpochs: countOrNone,
  learningRate: positive,
  segmentationSigmoid: z.boolean(),
  segmentationBias: z.boolean(),
  stitchPerStage: z.boolean(),
  stitch: z.array(z.array(z.number())).nullable(),
  weighting: z.enum(['paperCode', 'equation']),
  priors: z.array(notNegative).min(1),
  temperature: positive,
  dropBelow: z.partialRecord(z.enum(['binary', 'box', 'segmentation']), z.number()),
  keepsWeights: z.boolean(),
  flip: z.boolean(),
  augmentation: z.enum(['none', 'paper']),
  borderIsPet: z.boolean(),
}) satisfies z.ZodType<TrainingSettings>;
