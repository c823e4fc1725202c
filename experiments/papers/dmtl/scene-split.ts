// Which pictures of NYU Depth V2 train, validate and test (section 2.3 of the specification): all kitchens and as many others, drawn once for
// all seeds of a run, or all pictures by seven categories; 60, 20 and 20 % of each label, pictures of one room in one cohort.
import { ConfigError, DataError, random } from '../../../engine/index.ts';
import type { Cohort } from '../../data/digits.ts';
import { type RoomCohortName, roomCohorts, type RoomScenes } from '../../data/rooms.ts';
import { categoryOf, sceneCategories, type SceneCategory } from '../../data/sets/nyud-scenes.ts';
import { NYUD_MAT } from '../../data/sets/nyud-mat.ts';
import type { Labelling } from './scene-settings.ts';

/** A picture, by its place in the official cohorts, and what it shows. */
export interface ScenePicture {
  readonly cohort: RoomCohortName;
  readonly index: number;
  readonly sceneType: string;
  readonly category: SceneCategory;
  /** The room that it was taken in. */
  readonly scene: string;
}

/** All pictures of both cohorts. Throws DataError where the data do not say which kinds of rooms they are, or of which there is none. */
export function scenePictures({ name, cohorts }: Pick<RoomScenes, 'name' | 'cohorts'>): ScenePicture[] {
  return roomCohorts.flatMap((cohort) => {
    const { names, sceneTypes, scenes } = cohorts[cohort];
    if (!sceneTypes || !scenes) {
      throw new DataError(`${name}: the pictures come without their kinds of rooms`, {
        expected: `${NYUD_MAT} with sceneTypes and scenes, or a folder with scenes.txt`,
        hint: '`wgrad data show nyud` says how its files lie',
      });
    }
    return names.map((picture, index) => {
      const [sceneType, scene] = [sceneTypes[index]!, scenes[index]!];
      return { cohort, index, sceneType, category: categoryOf(sceneType, picture), scene };
    });
  });
}

/** A picture with its label. */
export interface LabelledPicture extends ScenePicture {
  readonly label: number;
}

/** The names of the labels. */
export const labelNames: Readonly<Record<Labelling, readonly string[]>> = {
  kitchen: ['not a kitchen', 'kitchen'],
  seven: sceneCategories,
};

/** The split is the same for every seed of a run. */
const SPLIT_SEED = 0;
const shares: readonly (readonly [Cohort, number])[] = [['train', 0.6], ['validation', 0.2], ['test', 0.2]]; // prettier-ignore

const shuffled = <T>(items: readonly T[], purpose: string): T[] =>
  Array.from(random(SPLIT_SEED, purpose).permutation(items.length), (i) => items[i]!);

/** The pictures that take part, with their labels: for the two labels as many of the rest as there are kitchens. */
export function labelled(pictures: readonly ScenePicture[], labelling: Labelling): LabelledPicture[] {
  if (labelling === 'seven') {
    return pictures.map((each) => ({ ...each, label: sceneCategories.indexOf(each.category) }));
  }
  const kitchens = pictures.filter(({ category }) => category === 'kitchen');
  const rest = pictures.filter(({ category }) => category !== 'kitchen');
  const drawn = shuffled(rest, 'dmtl rooms that are no kitchens').slice(0, kitchens.length);
  return [...kitchens.map((each) => ({ ...each, label: 1 })), ...drawn.map((each) => ({ ...each, label: 0 }))];
}

/**
 * Cuts pictures into the three cohorts, room by room: the next room of a label goes where the largest share of its pictures is still
 * missing. Throws ConfigError where a cohort stays empty, or has one training picture alone.
 */
export function splitScenes(pictures: readonly LabelledPicture[]): Record<Cohort, LabelledPicture[]> {
  const split: Record<Cohort, LabelledPicture[]> = { train: [], validation: [], test: [] };
  const rooms = new Map<string, LabelledPicture[]>();
  for (const picture of pictures) rooms.set(picture.scene, [...(rooms.get(picture.scene) ?? []), picture]);
  // A room has the label of its first picture: no room of NYU Depth V2 is of two kinds.
  const byLabel = new Map<number, LabelledPicture[][]>();
  for (const room of rooms.values()) byLabel.set(room[0]!.label, [...(byLabel.get(room[0]!.label) ?? []), room]);
  for (const [label, own] of [...byLabel].sort(([a], [b]) => a - b)) {
    const total = own.reduce((sum, { length }) => sum + length, 0);
    const had: Record<Cohort, number> = { train: 0, validation: 0, test: 0 };
    for (const room of shuffled(own, `dmtl rooms of label ${label}`)) {
      const missing = ([cohort, share]: (typeof shares)[number]): number => 1 - had[cohort] / (share * total);
      const [cohort] = shares.reduce((best, each) => (missing(each) > missing(best) ? each : best));
      split[cohort].push(...room);
      had[cohort] += room.length;
    }
  }
  for (const [cohort] of shares) {
    const [given, least] = [split[cohort].length, cohort === 'train' ? 2 : 1];
    if (given >= least) continue;
    throw new ConfigError(`there are too few rooms for the ${cohort} cohort`, {
      expected: `${least} or more pictures, of rooms that no other cohort has`,
      given: `${given}, of ${rooms.size} rooms in all`,
      hint: 'Take the whole data set',
    });
  }
  return split;
}
