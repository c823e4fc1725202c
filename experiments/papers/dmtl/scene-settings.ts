// What decides a run on the rooms of NYU Depth V2: its name in the paper's own terms, and all numbers that the name stands for.
import { z } from 'zod';
import { count, positive } from '../../runner/schema.ts';
import { settingsSchema } from './settings.ts';

/** What a picture is labelled with: kitchen against the rest on a balanced subset, or all seven categories on all pictures. */
export const labellings = ['kitchen', 'seven'] as const;
export type Labelling = (typeof labellings)[number];

/** Generated rooms; of the labelled set every picture is there. */
const rooms = z.strictObject({ train: count, test: count });

export const sceneSchema = settingsSchema
  .pick({
    strategy: true,
    baseWidth: true,
    epochs: true,
    batch: true,
    optimizer: true,
    learningRate: true,
    momentum: true,
    weightDecay: true,
    lambda: true,
    multiOpt: true,
  })
  .extend({
    labels: z.enum(labellings),
    /** Side of the pictures, a multiple of 16. */
    size: z.int().positive().multipleOf(16),
    rooms,
    /** Only the mean square can be taken over the measured pixels alone. */
    depthLoss: z.literal('mse'),
    /** How often a training picture is mirrored. */
    flip: z.number().min(0).max(1),
    /** Test pictures shown in reports. */
    shown: count,
  });
export type SceneSettings = Readonly<z.infer<typeof sceneSchema>>;

/** Settings of a map of all pictures by t-SNE. */
export const mapSchema = z.strictObject({
  /** Side of the pictures whose colours are compared. */
  mapped: count,
  rooms,
  /** Pictures that count as near; fewer of few pictures. */
  perplexity: positive,
  iterations: count,
});
export type MapSettings = Readonly<z.infer<typeof mapSchema>>;

/** Settings of the run that counts the pictures. */
export const histogramSchema = z.strictObject({ counts: z.literal('the kinds of rooms'), rooms });
export type HistogramSettings = Readonly<z.infer<typeof histogramSchema>>;

export interface SceneRunName {
  readonly labels: Labelling;
  readonly strategy: SceneSettings['strategy'];
}

/** The name in files and for people. */
export const sceneKey = ({ labels, strategy }: SceneRunName): string =>
  `NYU ${labels === 'kitchen' ? 'kitchen or not' : 'seven categories'}, ${strategy}`;
