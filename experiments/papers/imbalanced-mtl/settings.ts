// What decides a training on pictures: its name in the paper's own terms, and all numbers that the name stands for.
import { z } from 'zod';
import { roomCohorts, roomKinds } from '../../data/rooms.ts';
import { weightsSchema } from '../../runner/given-weights.ts';
import { count, countOrNone, listOf, notNegative, positive } from '../../runner/schema.ts';

export const tasks = ['segmentation', 'depth'] as const;
/** Task 1 has labels for all pictures, task 2 for some of them: which is which depends on the row. */
export type Task = (typeof tasks)[number];

/** The data sets of the paper, and the generated rooms in which classes do not tell depth. */
export const dataSets = ['nyud', 'cityscapes', 'harder'] as const;
export type DataSetName = (typeof dataSets)[number];

/** What a row of the tables learns from. */
interface Row {
  /** The second input beside the picture, through a backbone of its own (FFM) or stacked onto the picture (early fusion). */
  readonly second?: { readonly input: Task; readonly fusion: 'backbones' | 'channels' };
  readonly outputs: readonly Task[];
  /** Pictures: those that keep both labels, or all. */
  readonly pictures: 'labelled' | 'all';
  /** The label that the other pictures have lost. */
  readonly hidden?: Task;
  /** Whose predictions stand in for the hidden labels. */
  readonly teacher?: 'MMMT-D' | 'MMMT-S';
}

const [S, D]: readonly ['segmentation', 'depth'] = tasks;
const both = [S, D] as const;
const beside = (input: Task) => ({ input, fusion: 'backbones' }) as const;

/** Section 1 of the specification, "who learns from what". `UMST-S, all labels` is UMST-S of Table 5, which withholds nothing. */
export const rows = {
  'MMST': { second: beside(D), outputs: [S], pictures: 'labelled' },
  'MMMT-D': { second: beside(D), outputs: both, pictures: 'labelled' },
  'MMMT-S': { second: beside(S), outputs: both, pictures: 'labelled' },
  'FMST': { second: { input: D, fusion: 'channels' }, outputs: [S], pictures: 'labelled' },
  'UMST-S': { outputs: [S], pictures: 'labelled' },
  'UMST-S, all labels': { outputs: [S], pictures: 'all' },
  'UMMT': { outputs: both, pictures: 'labelled' },
  'UMMT-D': { outputs: both, pictures: 'all', hidden: S },
  'UMMT-PD': { outputs: both, pictures: 'all', hidden: D, teacher: 'MMMT-S' },
  'UMMT-PS': { outputs: both, pictures: 'all', hidden: S, teacher: 'MMMT-D' },
  'MMMT-D, all depths': { second: beside(D), outputs: both, pictures: 'all', hidden: S },
} as const satisfies Record<string, Row>; // prettier-ignore
export type RowName = keyof typeof rows;

export const rowOf = (name: RowName): Row => rows[name];

/** One setting made otherwise. */
export interface Change {
  /** As many epochs as the other rows instead of as many updates. */
  readonly equal?: 'epochs';
  /** The threshold of pseudo-labels. */
  readonly tau?: number;
  /** A single task with first predictions, as wide as UMMT. */
  readonly head?: 'same';
  /** Losses of a scale at its own resolution. */
  readonly supervision?: 'own';
  readonly pairing?: 'aligned';
}

export interface RunName extends Change {
  readonly data: DataSetName;
  /** The low number of samples of Table 5. */
  readonly small?: true;
  readonly row: RowName;
}

/** Its name in files and for people. */
export function runKey({ data, small, row, ...change }: RunName): string {
  const parts = Object.entries(change).map(([name, value]) => `${name}=${String(value)}`);
  return `${data}${small ? ' small' : ''}, ${row}${parts.length > 0 ? ` (${parts.join(' ')})` : ''}`;
}

const probability = z.number().min(0).max(1);
const rgb = z.tuple([z.number(), z.number(), z.number()]).readonly();
const task = z.enum(tasks);

/** What a network is made of, and how its inputs are scaled. */
export const networkSchema = z.strictObject({
  backbone: z.enum(['w18-small-v2', 'w18', 'nano']),
  tasks: listOf(task),
  second: z.strictObject({ input: task, fusion: z.enum(['backbones', 'channels']) }).nullable(),
  /** Of a single task: see `SingleTaskNet`. */
  head: z.enum(['fa', 'same']),
  fpmPairing: z.enum(['official', 'aligned']),
  /** Colours from 0 to 1. */
  picture: z.strictObject({ mean: rgb, deviation: rgb }),
  /** Metres; the encoded number stands in so many channels, and is 0 where nothing was measured. */
  depthInput: z.strictObject({ mean: z.number(), deviation: positive, channels: count }),
  /** The colours of the classes, or a channel for each class. */
  segmentationInput: z.strictObject({ encoding: z.enum(['colours', 'one-hot']), scale: positive }),
  /** Sides of the pictures in pixels, multiples of 32. */
  width: z.int().positive().multipleOf(32),
  height: z.int().positive().multipleOf(32),
});
export type NetworkSettings = Readonly<z.infer<typeof networkSchema>>;

export const settingsSchema = z.strictObject({
  data: z.enum(dataSets),
  /** Of generated rooms. */
  rooms: z.enum(roomKinds),
  counts: z.strictObject({ train: count, test: count }),
  split: z.strictObject({ labelled: count, hidden: count, validation: count, validateOn: z.enum(roomCohorts) }),
  pictures: z.enum(['labelled', 'all']),
  /** The label that the pictures beyond the labelled ones have lost. */
  hidden: task.nullable(),
  /** Labels of a teacher in the place of those; `tau` is the probability above which a class is believed. */
  pseudo: z.strictObject({ teacher: z.string(), tau: probability }).nullable(),
  network: networkSchema,
  /** Files of pretrained weights for the backbone of the pictures. */
  weights: weightsSchema,
  batch: count,
  evaluationBatch: count,
  updates: count,
  learningRate: positive,
  weightDecay: notNegative,
  /** The rate is (1 - t)^power, t the share of the training in so many steps. */
  schedule: z.strictObject({ power: positive, steps: count }),
  /** Weight of the segmentation's loss beside that of depth. */
  alpha: positive,
  /** First predictions are compared at full size, at their own resolution, or not at all. */
  supervision: z.enum(['full', 'own', 'none']),
  flip: probability,
  /** One of them for each picture; depth is divided by it. */
  scales: listOf(positive),
  /** Validation pictures shown in reports. */
  shown: countOrNone,
});
export type RoomSettings = Readonly<z.infer<typeof settingsSchema>>;
