// Depth maps that can be read and still do not look like KITTI's annotated ones: another unit, another mark for "not measured",
// other sensors. No fault, since a scene may be unusual, but said aloud: a table made from millimetres looks like any other.
import { LARGEST_UNIT, UNITS_PER_METRE } from '../formats/png.ts';
import type { Frame } from './kitti-depth.ts';

const percent = (share: number): string => `${Math.round(100 * share)} %`;

/** Metres. The annotated maps end near 90 m, and half of what they measure is nearer than 20 m. */
const [FARTHEST, FARTHEST_MEDIAN] = [120, 30];
/** Share of measured pixels. Annotated maps have 10 to 30 %, one LiDAR scan about 4 %, rendered or filled maps nearly all. */
const [SPARSEST, DENSEST] = [0.07, 0.4];

const doubts = {
  full: 'hold the value 65535 (256 m): an overflow, or another mark for "not measured" than 0',
  unit:
    `reach beyond ${FARTHEST} m or lie mostly beyond ${FARTHEST_MEDIAN} m, read as metres times ${UNITS_PER_METRE}: they look ` +
    'like millimetres',
  dense:
    `are dense, with more than ${percent(DENSEST)} of the pixels: KITTI's measure 10 to 30 %, so these look rendered, filled in or ` +
    'predicted',
  sparse: `are sparse, with less than ${percent(SPARSEST)} of the pixels: they look like raw LiDAR scans (velodyne_raw), not the annotated depth`,
  empty: 'measure nothing',
} as const;
type Doubt = keyof typeof doubts;

/** The value below which half of the measured ones lie. */
function median(depth: Uint16Array, valid: number): number {
  const counts = new Uint32Array(LARGEST_UNIT + 1);
  for (const value of depth) counts[value]!++;
  let [value, below] = [0, 0];
  while (2 * below < valid) below += counts[++value]!;
  return value;
}

function doubtsOf({ depth, valid }: Pick<Frame, 'depth' | 'valid'>): Doubt[] {
  if (valid === 0) return ['empty'];
  const found: Doubt[] = [];
  let [largest, full] = [0, false];
  for (const value of depth) {
    if (value === LARGEST_UNIT) full = true;
    else if (value > largest) largest = value;
  }
  if (full) found.push('full');
  const metres = (units: number): number => units / UNITS_PER_METRE;
  if (metres(largest) > FARTHEST || metres(median(depth, valid)) > FARTHEST_MEDIAN) found.push('unit');
  const share = valid / depth.length;
  if (share > DENSEST) found.push('dense');
  if (share < SPARSEST) found.push('sparse');
  return found;
}

/** Collects the doubts about many maps. */
export class DepthDoubts {
  readonly #files = new Map<Doubt, string[]>();
  #seen = 0;

  look(file: string, frame: Pick<Frame, 'depth' | 'valid'>): void {
    this.#seen++;
    for (const doubt of doubtsOf(frame)) this.#files.set(doubt, [...(this.#files.get(doubt) ?? []), file]);
  }

  /** One line for each doubt: how many of the maps, and the first of them. */
  lines(): string[] {
    return (Object.keys(doubts) as Doubt[]).flatMap((doubt) => {
      const files = this.#files.get(doubt);
      return files
        ? [`${files.length} of ${this.#seen} depth maps looked at ${doubts[doubt]} (the first: ${files[0]})`]
        : [];
    });
  }
}
