// What the data sets of the imbalanced-labels paper have in common: pictures with a class and a depth for every pixel, in the two
// official cohorts, read one by one and never held; and which of them keep both labels (sections 2.2 and 2.3 of the specification).
// Leaves out where they come from: see sets/nyud.ts, sets/cityscapes.ts and synthetic/rooms.ts.
import { ConfigError, random } from '../../engine/index.ts';
import type { LoadedData } from './dataset.ts';

/** The label of a pixel that belongs to no class: it counts in no loss and no score. */
export const VOID = 255;

/** The official splits. */
export const roomCohorts = ['train', 'test'] as const;
/** One of the official splits. */
export type RoomCohortName = (typeof roomCohorts)[number];

/** The two kinds of generated rooms: in `easy` ones the classes alone tell most of the depth, in `harder` ones they do not. */
export const roomKinds = ['easy', 'harder'] as const;
/** One of these kinds. */
export type RoomKind = (typeof roomKinds)[number];
/** Every kind of generated rooms: `furnished` ones are of the seven categories of sets/nyud-scenes.ts. */
export type GeneratedKind = RoomKind | 'furnished';

/** What a paper asks for. */
export interface RoomRequest {
  /** Size in which pictures are given, in pixels; other ones are resized. */
  readonly width: number;
  readonly height: number;
  /** Generated rooms of each cohort; of real data everything is there. */
  readonly counts: Readonly<Record<RoomCohortName, number>>;
  /** Of the generated rooms. */
  readonly kind: GeneratedKind;
}

/**
 * Pictures of one cohort, read one by one: each part on its own, so that nothing is decoded for a network that does not want it. All
 * three are asynchronous, and reject with DataError, naming the file, where one is missing or damaged.
 */
export interface RoomCohort {
  readonly count: number;
  /** What messages call the pictures. */
  readonly names: readonly string[];
  /** The kind of room of each picture (kitchen, bedroom, ...), where the data say so. */
  readonly sceneTypes?: readonly string[];
  /** The room that each picture was taken in (kitchen_0004, ...), where the data say so: several pictures may be of one. */
  readonly scenes?: readonly string[];
  /** Red, green, blue of each pixel, row-major: height x width x 3. */
  image(index: number): Promise<Uint8Array>;
  /** Class of each pixel, or `VOID`, row-major. */
  labels(index: number): Promise<Uint8Array>;
  /** Metres along the optical axis of each pixel, row-major; 0 where nothing was measured. */
  depth(index: number): Promise<Float32Array>;
}

/** A data set of pictures with classes and depth. */
export interface RoomScenes extends LoadedData {
  readonly kind: 'nyud' | 'cityscapes' | `${GeneratedKind} rooms`;
  readonly width: number;
  readonly height: number;
  readonly classes: readonly string[];
  readonly void: typeof VOID;
  /** Metres: no depth is larger, and depth as an input is divided by it. */
  readonly depthRange: number;
  /** Red, green, blue of each class, 0 to 255; void is black. */
  readonly palette: readonly (readonly [red: number, green: number, blue: number])[];
  readonly cohorts: Readonly<Record<RoomCohortName, RoomCohort>>;
  /** What is to be said aloud about the whole. */
  readonly remarks: readonly string[];
}

/** How a paper cuts the training cohort. */
export interface RoomSplitCounts {
  /** Pictures that keep both labels. */
  readonly labelled: number;
  /** Pictures one label of which is hidden. */
  readonly hidden: number;
  /** Pictures that validate. */
  readonly validation: number;
  /** Where they are from: NYUDv2's are the last of the training cohort, Cityscapes' the first of the other one. */
  readonly validateOn: RoomCohortName;
}

/** Indices into the cohorts. */
export interface RoomSplit {
  readonly labelled: readonly number[];
  readonly hidden: readonly number[];
  readonly validation: { readonly cohort: RoomCohortName; readonly indices: readonly number[] };
}

/** The order of the pictures is the same for every seed of a run. */
const SPLIT_SEED = 0;

/**
 * Cuts the training cohort by a fixed permutation: its first pictures keep both labels, the next ones have one label hidden; those for
 * validation are its last ones, or the first of the test cohort in their own order. Throws ConfigError where there are too few.
 */
export function splitRooms(
  cohorts: Readonly<Record<RoomCohortName, Pick<RoomCohort, 'count'>>>,
  { labelled, hidden, validation, validateOn }: RoomSplitCounts,
): RoomSplit {
  const { train, test } = cohorts;
  const held = validateOn === 'train' ? validation : 0;
  for (const [cohort, given, wanted] of [
    ['training', train.count, labelled + hidden + held],
    ['test', test.count, validation - held],
  ] as const) {
    if (wanted <= given) continue;
    throw new ConfigError(`there are too few pictures in the ${cohort} cohort`, {
      expected: `${wanted}`,
      given: `${given}`,
      hint: 'Ask for fewer, or take the whole data set',
    });
  }
  const order = [...random(SPLIT_SEED, 'split of the rooms').permutation(train.count)];
  return {
    labelled: order.slice(0, labelled),
    hidden: order.slice(labelled, labelled + hidden),
    validation: {
      cohort: validateOn,
      indices:
        validateOn === 'train'
          ? order.slice(train.count - validation)
          : Array.from({ length: validation }, (_, index) => index),
    },
  };
}
