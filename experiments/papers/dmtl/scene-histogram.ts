// Figure 3: how many pictures of NYU Depth V2 are of each kind of room and of each category. Nothing is trained, no picture is read, and every
// seed gives the same.
import type { RoomScenes } from '../../data/rooms.ts';
import { sceneCategories, type SceneCategory, sceneTypes } from '../../data/sets/nyud-scenes.ts';
import type { RunResult } from '../../runner/paper.ts';
import { type ScenePicture, scenePictures } from './scene-split.ts';

/** The names of the metrics. */
export const picturesOf = {
  category: (category: SceneCategory): string => `pictures, ${category}`,
  sceneType: (sceneType: string): string => `pictures, ${sceneType} (kind)`,
};

/** Counts the pictures. Throws DataError where the data do not say what they show. */
export function countScenes(data: RoomScenes): RunResult {
  const pictures = scenePictures(data);
  const count = (takes: (picture: ScenePicture) => boolean): number => pictures.filter(takes).length;
  return {
    metrics: {
      pictures: pictures.length,
      rooms: new Set(pictures.map(({ scene }) => scene)).size,
      ...Object.fromEntries(
        sceneCategories.map((name) => [picturesOf.category(name), count(({ category }) => category === name)]),
      ),
      ...Object.fromEntries(
        sceneTypes.map((name) => [picturesOf.sceneType(name), count(({ sceneType }) => sceneType === name)]),
      ),
    },
  };
}
