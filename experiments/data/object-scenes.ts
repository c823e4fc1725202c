// What the data sets of DenseDepth have in common: pictures of one object each, with depth in millimetres and a class, in three
// cohorts; scenes are decoded when asked for and kept while there is room. Leaves out where they come from.
import { DataError } from '../../engine/index.ts';
import type { LoadedData } from './dataset.ts';
import { Kept } from './kept.ts';

/** The classes in the order of the paper's labels. */
export const objectClasses = ['car', 'trash container', 'bicycle'] as const;

/** The splits of the scenes. */
export const sceneCohorts = ['train', 'validation', 'test'] as const;
/** One of the splits of the scenes. */
export type SceneCohort = (typeof sceneCohorts)[number];
/** A number of scenes for each split. */
export type SceneCounts = Readonly<Record<SceneCohort, number>>;

/** Width and height in pixels. */
export interface SceneSize {
  readonly width: number;
  readonly height: number;
}

/** One picture with its depth. */
export interface ObjectScene extends SceneSize {
  /** Red, green, blue of each pixel, row-major. */
  readonly color: Uint8Array;
  /** Millimetres, row-major; 0 where nothing was measured. */
  readonly depth: Uint16Array;
  /** Index among `objectClasses`. */
  readonly label: number;
}

/** What a paper asks for. */
export interface SceneRequest extends SceneSize {
  readonly counts: SceneCounts;
  /** Frames taken of a scan, evenly spaced over it. */
  readonly framesPerScan: number;
}

/** Scenes of one cohort, to be read one by one. */
export interface Scenes {
  readonly count: number;
  /** Scene number `index` in the size that was asked for. Rejects with DataError where a file is damaged. */
  read(index: number): Promise<ObjectScene>;
}

/** A data set of scenes, cut into cohorts. */
export interface LoadedScenes extends LoadedData {
  readonly cohorts: Readonly<Record<SceneCohort, Scenes>>;
  /** What is to be said aloud about the whole. */
  readonly remarks: readonly string[];
}

/** Bytes of decoded scenes to keep: the paper's training set in its size fits. */
const CACHE_BYTES = 512e6;

/** Scenes that are made on demand, and kept while there is room. */
export class CachedScenes implements Scenes {
  readonly count: number;
  readonly #scenes: Kept<ObjectScene>;

  constructor(count: number, make: (index: number) => ObjectScene | Promise<ObjectScene>) {
    this.count = count;
    this.#scenes = new Kept(make, ({ color, depth }) => color.byteLength + depth.byteLength, CACHE_BYTES);
  }

  read(index: number): Promise<ObjectScene> {
    return this.#scenes.read(index);
  }
}

/** Nearest neighbour with half-pixel centres, colours and depth alike, as the paper's preparation does. */
export function resizeScene(scene: ObjectScene, { width, height }: SceneSize): ObjectScene {
  if (scene.width === width && scene.height === height) return scene;
  const color = new Uint8Array(3 * width * height);
  const depth = new Uint16Array(width * height);
  for (let y = 0; y < height; y++) {
    const row = Math.floor(((y + 0.5) * scene.height) / height) * scene.width;
    for (let x = 0; x < width; x++) {
      const from = row + Math.floor(((x + 0.5) * scene.width) / width);
      depth[y * width + x] = scene.depth[from]!;
      for (let c = 0; c < 3; c++) color[3 * (y * width + x) + c] = scene.color[3 * from + c]!;
    }
  }
  return { width, height, color, depth, label: scene.label };
}

/** A real map goes beyond 255 mm; one that was scaled down to 8 bits does not. */
const LARGEST_OF_8_BITS = 255;

/**
 * Refuses what cannot be trained on: a depth map without a measurement, and one that has lost its upper bits. Throws DataError that
 * begins with `name`.
 */
export function checkDepth(name: string, depth: ArrayLike<number>): void {
  let largest = 0;
  for (let i = 0; i < depth.length; i++) if (depth[i]! > largest) largest = depth[i]!;
  if (largest === 0) {
    throw new DataError(`${name}: the depth map is empty: no pixel has a measurement`, {
      expected: 'millimetres, 0 for none',
      hint: 'Leave this frame out: take its two files away',
    });
  }
  if (largest <= LARGEST_OF_8_BITS) {
    throw new DataError(`${name}: no depth beyond ${LARGEST_OF_8_BITS} mm`, {
      expected: 'millimetres, in 16 bits',
      given: `values up to ${largest}`,
      hint: 'It was saved in metres, or by a program that keeps 8 bits of 16; take the original file',
    });
  }
}
