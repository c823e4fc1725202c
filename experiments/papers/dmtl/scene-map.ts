// Figure 12: the pictures of NYU Depth V2 on a plane by t-SNE (van der Maaten and Hinton, 2008), with their seven categories, and how much these
// are clusters. The paper does not say of what: here of the colours of small pictures. Nothing is trained.
import { random } from '../../../engine/index.ts';
import type { RoomScenes } from '../../data/rooms.ts';
import { sceneCategories } from '../../data/sets/nyud-scenes.ts';
import { clusteringOf } from '../../metrics/silhouette.ts';
import { base64, encodePng } from '../../report/png.ts';
import type { Picture, RunContext, RunResult } from '../../runner/paper.ts';
import type { MapSettings } from './scene-settings.ts';
import { scenePictures } from './scene-split.ts';

/** Iterations from one report of the progress to the next. */
const AT_ONCE = 10;
/** The step of t-SNE grows with the points, over their early exaggeration of 4 and over 4 again, as in scikit-learn; but is never less. */
const [PER_POINT, LEAST_STEP] = [16, 50];

/**
 * Places points (n of any number of coordinates) on a plane, (n, 2). With the same numbers from `normal` the same places. A point has at most
 * a third of the others as its neighbours, whatever the perplexity.
 */
export async function tsne(
  points: readonly ArrayLike<number>[],
  { perplexity, iterations }: Pick<MapSettings, 'perplexity' | 'iterations'>,
  normal: () => number,
  progress: (done: number, total: number) => Promise<void> = () => Promise.resolve(),
): Promise<number[][]> {
  const { TSNE } = await import('@keckelt/tsne');
  class Seeded extends TSNE {
    override gaussRandom(): number {
      return normal();
    }
  }
  const map = new Seeded({
    perplexity: Math.min(perplexity, Math.max(1, Math.floor((points.length - 1) / 3))),
    epsilon: Math.max(LEAST_STEP, points.length / PER_POINT),
    dim: 2,
  });
  map.initDataRaw(points as number[][]);
  for (let done = 1; done <= iterations; done++) {
    map.step();
    if (done % AT_ONCE === 0 || done === iterations) await progress(done, iterations);
  }
  return map.getSolution() as number[][];
}

const [SIDE, BORDER, RADIUS] = [360, 8, 2];
/** A colour for each category, told apart by people who see few of them (Okabe and Ito, 2008). */
const colours = [
  ['orange', [230, 159, 0]],
  ['light blue', [86, 180, 233]],
  ['green', [0, 158, 115]],
  ['yellow', [240, 228, 66]],
  ['blue', [0, 114, 178]],
  ['red', [213, 94, 0]],
  ['pink', [204, 121, 167]],
] as const;

/** The plane with a dot for each point. */
function drawn(places: readonly number[][], labels: readonly number[]): Promise<Uint8Array> {
  const data = new Uint8Array(3 * SIDE * SIDE).fill(255);
  const all = places.flat();
  const [low, high] = all.reduce(([a, b], value) => [Math.min(a, value), Math.max(b, value)], [Infinity, -Infinity]);
  const scale = (SIDE - 1 - 2 * BORDER) / (high > low ? high - low : 1);
  places.forEach((place, i) => {
    const [x, y] = place.map((value) => Math.round(BORDER + (value - low) * scale)) as [number, number];
    for (let dy = -RADIUS; dy <= RADIUS; dy++) {
      for (let dx = -RADIUS; dx <= RADIUS; dx++) {
        if (dx * dx + dy * dy <= RADIUS * RADIUS + 1) data.set(colours[labels[i]!]![1], 3 * ((y + dy) * SIDE + x + dx));
      }
    }
  });
  return encodePng({ width: SIDE, height: SIDE, data, channels: 3 });
}

async function panel(places: readonly number[][], labels: readonly number[]): Promise<Picture> {
  const legend = sceneCategories.map((category, i) => `${category} ${colours[i]![0]}`).join(', ');
  return { label: 't-SNE', images: [{ caption: legend, png: base64(await drawn(places, labels)) }] };
}

/** Maps all pictures and measures the categories on the map. Rejects with DataError where the data do not say what they show. */
export async function mapScenes(context: RunContext, settings: MapSettings, data: RoomScenes): Promise<RunResult> {
  const pictures = scenePictures(data);
  const points: Float32Array[] = [];
  for (const { cohort, index } of pictures) {
    points.push(Float32Array.from(await data.cohorts[cohort].image(index), (value) => value / 255));
    await context.progress(points.length, pictures.length + settings.iterations);
  }
  const stream = random(context.seed, 'dmtl t-SNE');
  const places = await tsne(
    points,
    settings,
    () => stream.normal(),
    (done, total) => context.progress(pictures.length + done, pictures.length + total),
  );
  const labels = pictures.map(({ category }) => sceneCategories.indexOf(category));
  const kitchens = labels.map((label) => Number(label === sceneCategories.indexOf('kitchen')));
  const seven = clusteringOf(places, labels);
  const two = clusteringOf(places, kitchens);
  return {
    metrics: {
      pictures: pictures.length,
      ...seven,
      ...Object.fromEntries(Object.entries(two).map(([name, value]) => [`${name}, kitchens`, value as number])),
    },
    pictures: [await panel(places, labels)],
  };
}
