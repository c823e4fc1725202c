// The kinds of rooms in NYUDv2 and the seven categories of the dMTL paper (section 2.3 of its specification). The authors labelled the
// pictures by hand and the labels cannot be had: here a category follows from what the data set says of a picture.
import { DataError } from '../../../engine/index.ts';
import { suggestion } from '../../runner/suggestion.ts';

/** The categories, kitchens first, with the kinds of rooms (`sceneTypes` of the labelled set, spelled as there) that belong to each. */
export const sceneTypesOf = {
  'kitchen': ['kitchen', 'office_kitchen', 'dinette'],
  'office': ['office', 'home_office', 'computer_lab', 'study', 'study_room', 'printer_room', 'reception_room', 'conference_room'],
  'classroom': ['classroom', 'student_lounge'],
  'living room': ['living_room', 'dining_room', 'playroom', 'foyer', 'indoor_balcony', 'cafe', 'basement', 'excercise_room'],
  'washroom': ['bathroom', 'laundry_room'],
  'bedroom': ['bedroom'],
  'store': ['bookstore', 'furniture_store', 'home_storage'],
} as const; // prettier-ignore
/** A category of rooms. */
export type SceneCategory = keyof typeof sceneTypesOf;

/** The categories in the order of their labels. */
export const sceneCategories = Object.keys(sceneTypesOf) as SceneCategory[];

const categoryByType = new Map<string, SceneCategory>(
  sceneCategories.flatMap((category) => sceneTypesOf[category].map((type) => [type, category] as const)),
);

/** The 27 kinds of rooms. */
export const sceneTypes: readonly string[] = [...categoryByType.keys()];

/** The category of a kind of room. Throws DataError, naming the picture, for a kind that NYUDv2 does not have. */
export function categoryOf(sceneType: string, picture: string): SceneCategory {
  const category = categoryByType.get(sceneType);
  if (category) return category;
  throw new DataError(`picture ${picture}: no such kind of room`, {
    expected: `one of the ${sceneTypes.length} of NYUDv2`,
    given: sceneType || 'no text',
    hint: suggestion(sceneType, sceneTypes),
  });
}
