// Pictures with classes and depth as a place of any layout gives them: in their own size, checked, with what is to be said aloud; and
// what a paper gets of it, in the size that it asks for. Leaves out the layouts.
import { createHash } from 'node:crypto';
import { DataError } from '../../engine/index.ts';
import { type DataCheck, firstFault } from './dataset.ts';
import type { ColorImage, LabelImage } from './formats/png.ts';
import { Kept } from './kept.ts';
import { PassedOver } from './listing.ts';
import { type PixelSize, resizeNearest, resizePicture, sizeText } from './resize.ts';
import { type RoomCohort, type RoomCohortName, roomCohorts, type RoomRequest, type RoomScenes, VOID } from './rooms.ts';

/** Metres along the optical axis, row-major; 0 where nothing was measured. */
export interface DepthMap extends PixelSize {
  readonly data: Float32Array;
}

/** The pictures of a cohort in their own size. What is read is checked, and DataError names the file. */
export interface SourceCohort {
  readonly names: readonly string[];
  readonly sceneTypes?: readonly string[] | undefined;
  readonly scenes?: readonly string[] | undefined;
  image(index: number): Promise<ColorImage>;
  /** Classes from 0, or `VOID`. */
  labels(index: number): Promise<LabelImage>;
  depth(index: number): Promise<DepthMap>;
}

/** A place that holds a data set. */
export interface RoomSource {
  readonly cohorts: Readonly<Record<RoomCohortName, SourceCohort>>;
  readonly passedOver: PassedOver;
  /** SHA-256 of small files that decide what is what, by name. */
  readonly checksums?: Readonly<Record<string, string>>;
  readonly remarks: readonly string[];
  /** What has been noticed in the pictures read so far, and is no fault. */
  doubts?(): readonly string[];
}

/** Bytes of each part of a cohort to keep in the size that was asked for: small pictures are decoded once. */
const CACHE_BYTES = 64e6;

function cohortOf({ names, sceneTypes, scenes, ...parts }: SourceCohort, size: PixelSize): RoomCohort {
  const kept = <T extends Uint8Array | Float32Array>(make: (index: number) => Promise<T>): Kept<T> =>
    new Kept(make, (values) => values.byteLength, CACHE_BYTES);
  const nearest = <T extends Uint8Array | Float32Array>({ width, height, data }: PixelSize & { data: T }): T =>
    width === size.width && height === size.height ? data : resizeNearest(data, width, height, size.width, size.height);
  const images = kept(async (index) => resizePicture(await parts.image(index), size));
  const labels = kept(async (index) => nearest(await parts.labels(index)));
  const depths = kept(async (index) => nearest(await parts.depth(index)));
  return {
    count: names.length,
    names,
    ...(sceneTypes ? { sceneTypes } : {}),
    ...(scenes ? { scenes } : {}),
    image: (index) => images.read(index),
    labels: (index) => labels.read(index),
    depth: (index) => depths.read(index),
  };
}

/** What is known of a data set without its files. */
export type RoomFacts = Pick<RoomScenes, 'kind' | 'classes' | 'depthRange' | 'palette'>;

/** The pictures of a place in the size that was asked for. */
export function scenesOf(
  source: RoomSource,
  facts: RoomFacts,
  { width, height }: Pick<RoomRequest, 'width' | 'height'>,
  { title, real }: { readonly title: string; readonly real: boolean },
): RoomScenes {
  const { cohorts, checksums, passedOver } = source;
  const { train, test } = cohorts;
  const names = roomCohorts.flatMap((cohort) => [cohort, ...cohorts[cohort].names]).join('\n');
  return {
    ...facts,
    name: `${title}, ${train.names.length} training and ${test.names.length} test pictures`,
    real,
    checksums: { pictures: createHash('sha256').update(names).digest('hex'), ...checksums },
    passedOver,
    width,
    height,
    void: VOID,
    cohorts: { train: cohortOf(train, { width, height }), test: cohortOf(test, { width, height }) },
    get remarks() {
      return [...source.remarks, ...(source.doubts?.() ?? [])];
    },
  };
}

/** Metres beyond which a map is in another unit. */
const FARTHEST = 1000;

/** Refuses what are no metres, and a map without a measurement. Throws DataError that begins with `name`. */
export function checkMetres(name: string, depth: Float32Array): void {
  let isEmpty = true;
  for (let pixel = 0; pixel < depth.length; pixel++) {
    const metres = depth[pixel]!;
    if (metres > 0) isEmpty = false;
    if (metres >= 0 && metres <= FARTHEST) continue;
    throw new DataError(`${name}, pixel ${pixel}: no depth in metres`, {
      expected: `0 for none, to ${FARTHEST}`,
      given: String(metres),
      hint: metres > FARTHEST ? 'Are these millimetres? Divide them by 1000' : undefined,
    });
  }
  if (isEmpty) {
    throw new DataError(`${name}: the depth map is empty: no pixel has a measurement`, {
      hint: 'Get the file again, or take this picture out of its list',
    });
  }
}

/** Throws DataError where a file has another size than the picture that it belongs to. */
export function checkSize(file: string, given: PixelSize, picture: string, expected: PixelSize): void {
  if (given.width === expected.width && given.height === expected.height) return;
  throw new DataError(`${file} has another size than the picture ${picture}`, {
    expected: sizeText(expected),
    given: sizeText(given),
  });
}

/** Each class of a file's values by a table; throws DataError, naming the pixel, where the table has none. `expected` lists them. */
export function classesOf(
  file: string,
  values: ArrayLike<number>,
  table: ReadonlyMap<number, number>,
  expected: string,
): Uint8Array {
  const lookup: (number | undefined)[] = [];
  for (const [value, label] of table) lookup[value] = label;
  const labels = new Uint8Array(values.length);
  for (let pixel = 0; pixel < values.length; pixel++) {
    const label = lookup[values[pixel]!];
    if (label === undefined) {
      throw new DataError(`${file}, pixel ${pixel}: no such class`, { expected, given: String(values[pixel]) });
    }
    labels[pixel] = label;
  }
  return labels;
}

/** Reads every part of every picture, and counts. */
export async function checkRooms(
  folder: string,
  open: () => Promise<RoomSource>,
  progress: (done: number, total: number) => void,
): Promise<DataCheck> {
  const counts: Record<string, string | number> = {};
  let source: RoomSource | undefined;
  const fault = await firstFault(async () => {
    source = await open();
    const { train, test } = source.cohorts;
    const total = train.names.length + test.names.length;
    let read = 0;
    Object.assign(counts, { 'training pictures': train.names.length, 'test pictures': test.names.length });
    for (const cohort of [train, test]) {
      for (let index = 0; index < cohort.names.length; index++) {
        await cohort.image(index);
        await cohort.labels(index);
        await cohort.depth(index);
        counts['pictures read whole'] = `${++read} of ${total}`;
        progress(read, total);
      }
    }
  });
  const doubts = [...(source?.remarks ?? []), ...(source?.doubts?.() ?? [])];
  return { folder, counts, passedOver: source?.passedOver ?? new PassedOver(), doubts, fault };
}

/** Pictures of each cohort that are looked at before a training. */
const LOOKED_AT = 2;

/** Reads a few pictures of each cohort, which throws where they are damaged, and gives what is to be said aloud. */
export async function inspectRooms(scenes: RoomScenes): Promise<readonly string[]> {
  for (const cohort of roomCohorts) {
    const { count, ...parts } = scenes.cohorts[cohort];
    for (let index = 0; index < Math.min(LOOKED_AT, count); index++) {
      await Promise.all([parts.image(index), parts.labels(index), parts.depth(index)]);
    }
  }
  return scenes.remarks;
}
