// Figure 3: what the depth maps of the training frames hold. Shares of measured pixels, distances, and histograms over metres, over
// normalised log depth and over classes. Nothing is trained, no picture is read, and every seed gives the same.
import { z } from 'zod';
import { beside, cell, column, matrix } from '../../runner/definition.ts';
import type { Cell, Run, RunContext, RunResult, TableDefinition } from '../../runner/paper.ts';
import { count } from '../../runner/schema.ts';
import { readDepthPng, UNITS_PER_METRE } from '../../data/formats/png.ts';
import { Prefetch } from '../../data/prefetch.ts';
import type { FramePair } from '../../data/sets/kitti-depth.ts';
import { LogDepth } from './log-depth.ts';
import { sizes } from './presets.ts';
import { bounds, DEFAULT_CLASSES, type TrainingSettings } from './settings.ts';

/** Settings of the run that counts. */
export const countingSchema = z.strictObject({
  counts: z.literal('the depth maps of the training frames'),
  /** Of generated frames; real ones are all read. */
  trainCount: count,
  validationCount: count,
});
export type Counting = Readonly<z.infer<typeof countingSchema>>;

export const isCounting = (settings: TrainingSettings | Counting): settings is Counting => 'counts' in settings;

const counting: Run<Counting> = {
  key: 'depth statistics',
  settings(preset) {
    const { trainCount, validationCount } = sizes[preset];
    return { counts: 'the depth maps of the training frames', trainCount, validationCount };
  },
};

const percents = [1, 25, 50, 75, 95, 99] as const;
const percentName = (percent: number): string => `percentile ${percent}`;
/** Intervals of the histograms over metres and normalised log depth. */
const METRES = 125;
const INTERVALS = 64;
/** The part of a picture that is called its upper one. */
const UPPER = 1 / 5;

/** Shares of what is counted, of all that is. */
const shares = (counts: readonly number[]): number[] => {
  const all = counts.reduce((sum, count) => sum + count, 0);
  return counts.map((count) => count / Math.max(1, all));
};

/** Counts the measured pixels of depth maps. Rejects with DataError where a map is damaged. */
export async function depthStatistics(
  pairs: readonly Pick<FramePair, 'depth'>[],
  progress: RunContext['progress'] = () => Promise.resolve(),
): Promise<RunResult> {
  /** Pixels by the number that stands in the map; 0 is none. */
  const byUnits = new Float64Array(2 ** 16);
  const measured: number[] = [];
  let upper = 0;
  const maps = new Prefetch((i) => readDepthPng(pairs[i]!.depth), { end: pairs.length, ahead: 4 });
  for (let done = 1; done <= pairs.length; done++) {
    const { width, height, data } = (await maps.next())!;
    const end = Math.floor(UPPER * height) * width;
    let found = 0;
    for (let i = 0; i < data.length; i++) {
      if (data[i] === 0) continue;
      byUnits[data[i]!]!++;
      found++;
      if (i < end) upper++;
    }
    measured.push(found / data.length);
    await progress(done, pairs.length);
  }
  byUnits[0] = 0;
  const total = byUnits.reduce((sum, count) => sum + count, 0);
  const first = byUnits.findIndex((count) => count > 0);
  const last = byUnits.findLastIndex((count) => count > 0);
  const metresAt = (percent: number): number => {
    let seen = 0;
    const at = byUnits.findIndex((count) => (seen += count) > (percent / 100) * (total - 1));
    return at / UNITS_PER_METRE;
  };
  const space = new LogDepth({ bounds: bounds['2-125'], classPlanes: null });
  /** Sums of the pixels by the interval of their distance; those without one are left out. */
  const histogram = (intervals: number, intervalOf: (metres: number) => number | undefined): number[] => {
    const counts = new Array<number>(intervals).fill(0);
    for (let units = first; units <= last; units++) {
      const interval = byUnits[units]! > 0 ? intervalOf(units / UNITS_PER_METRE) : undefined;
      if (interval !== undefined) counts[Math.min(intervals - 1, interval)]! += byUnits[units]!;
    }
    return shares(counts);
  };
  /** What counts as missing has none. */
  const logOf = (metres: number): number | undefined => space.encode(metres) || undefined;
  return {
    metrics: {
      frames: pairs.length,
      measured: measured.reduce((sum, share) => sum + share, 0) / measured.length,
      leastMeasured: Math.min(...measured),
      upper: upper / Math.max(1, total),
      nearest: first / UNITS_PER_METRE,
      farthest: last / UNITS_PER_METRE,
      ...Object.fromEntries(percents.map((percent) => [percentName(percent), metresAt(percent)])),
    },
    curves: {
      metres: histogram(METRES, Math.floor),
      logDepth: histogram(INTERVALS, (metres) => {
        const t = logOf(metres);
        return t === undefined ? undefined : Math.floor(INTERVALS * t);
      }),
      classes: histogram(DEFAULT_CLASSES, (metres) => {
        const t = logOf(metres);
        return t === undefined ? undefined : space.classOf(t, DEFAULT_CLASSES);
      }),
    },
  };
}

const share = { name: 'share', format: (value: number): string => `${(100 * value).toFixed(1)} %` };
const sharesOf = {
  ...share,
  tolerance: {
    of: ({ published = 0 }: Cell) => (published > 0.01 ? 0.005 : 0.0005),
    source: 'half a unit of the last printed digit',
  },
};

export const figure3: TableDefinition = {
  name: 'figure3',
  title: 'depth of the training frames: how much is measured, and where',
  source: 'Figure 3 and its text',
  matrix: matrix(
    'pixels with a measurement',
    [sharesOf],
    [
      ['of a frame, on average', cell(counting, 'measured', 0.12)],
      ['of the frame with the fewest', cell(counting, 'leastMeasured', 0.008)],
    ],
  ),
  besides: [
    beside(
      `of all measured pixels, those in the upper ${100 * UPPER} % of the picture`,
      'pixels',
      [share],
      [['in the upper part', cell(counting, 'upper')]],
    ),
    beside(
      'distances of measured pixels',
      'distance',
      [column('metres', 2)],
      [
        ['nearest', cell(counting, 'nearest')],
        ...percents.map((percent) => [percentName(percent), cell(counting, percentName(percent))] as const),
        ['farthest', cell(counting, 'farthest')],
      ],
    ),
  ],
  notes: [
    'Comments of the released code say that the nearest measurement is just above 2 m and the farthest just below 116 m.',
    'Parts b to d of the figure as we read them: histograms of depth in metres (intervals of 1 m), of normalised log depth ' +
      `(${INTERVALS} intervals), and of its ${DEFAULT_CLASSES} classes, each as shares of the measured pixels. Pixels at or below 2 m have no class.`,
    'All training frames of a folder are counted, whatever the preset. Every seed gives the same.',
  ],
  curves: [
    { run: counting, curve: 'metres', label: 'depth, intervals of 1 m' },
    { run: counting, curve: 'logDepth', label: `normalised log depth, ${INTERVALS} intervals` },
    { run: counting, curve: 'classes', label: `classes, ${DEFAULT_CLASSES} of them` },
  ],
  curveAxis: 'interval',
};
