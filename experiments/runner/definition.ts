// Short ways to write a paper: its presets in words, its runs, and its tables with cells, columns, tolerances and claims.
import {
  type Cell,
  type CellValue,
  type Claim,
  type Column,
  type Effect,
  type Matrix,
  type Need,
  type PresetName,
  presetNames,
  type Run,
  type Tolerance,
} from './paper.ts';

/** What each preset shrinks, from a sentence or two on its sizes. */
export const presetTexts = (describe: (preset: PresetName) => string): Record<PresetName, string> =>
  Object.fromEntries(
    presetNames.map((preset) => [
      preset,
      `${describe(preset)}${preset === 'smoke' ? ' For tests, not for conclusions.' : ''}`,
    ]),
  ) as Record<PresetName, string>;

/** The runs of a paper from their names in its own terms: a key for people and files, the settings by preset, and what they need. */
export const runMaker =
  <Name, Settings extends object>(
    keyOf: (name: Name) => string,
    settingsOf: (name: Name, preset: PresetName) => Settings,
    needsOf: (name: Name) => readonly Need[] = () => [],
  ) =>
  (name: Name): Run<Settings> => {
    const needs = needsOf(name);
    return {
      key: keyOf(name),
      settings: (preset) => settingsOf(name, preset),
      ...(needs.length > 0 ? { needs } : {}),
    };
  };

/** A cell that holds a metric of a run, beside the published number if there is one. */
export const cell = (
  run: Run,
  metric: string,
  published?: number | null,
  rest?: Pick<Cell, 'publishedSpread' | 'source' | 'note'>,
): Cell => ({ run, metric, ...(typeof published === 'number' ? { published } : {}), ...rest });

/** A cell that holds the value of a curve after that share of the training, instead of a metric. */
export const curvePoint = (run: Run, curve: string, share: number): Cell => ({
  run,
  metric: `${curve} after ${share} of the training`,
  point: { curve, share },
});

/** A cell for which nothing is run, and why. */
export const notAttempted = (published: number, reason: string): Cell => ({ published, reason });

/** A column of numbers with so many digits behind the point. */
export const column = (name: string, digits: number, better?: Column['better'], tolerance?: Tolerance): Column => ({
  name,
  format: (value) => value.toFixed(digits),
  ...(better ? { better } : {}),
  ...(tolerance ? { tolerance } : {}),
});

type Rows = Matrix['rows'];

/** A row for each name, with a cell for each column; null where there is nothing. */
export const rowsOf = <Row, Place>(
  rows: readonly (readonly [name: string, row: Row])[],
  places: readonly Place[],
  cellAt: (row: Row, place: Place) => Cell | null,
): Rows => rows.map(([name, row]) => [name, ...places.map((place) => cellAt(row, place))]);

/** The paper's own table: what its rows are, its columns, its rows. */
export const matrix = (corner: string, columns: readonly Column[], rows: Rows): Matrix => ({ corner, columns, rows });

/** Numbers of ours beside it, such as a control or a search. */
export const beside = (title: string, corner: string, columns: readonly Column[], rows: Rows): Matrix => ({
  title,
  ...matrix(corner, columns, rows),
});

/** Half a unit of the last digit that the paper prints. */
export const printedDigits = (digits: number): Tolerance => ({
  of: () => 0.5 * 10 ** -digits,
  source: 'half a unit of the last printed digit',
});

/** The spread that the paper prints beside the number. */
export const publishedSpread: Tolerance = {
  of: ({ publishedSpread: spread = 0 }) => spread,
  source: 'the spread printed beside the number',
};

/** Two binomial standard errors of a share counted on so many test items. */
export const countingError = (items: number): Tolerance => ({
  of: ({ published = 0 }) => 2 * Math.sqrt((published * (1 - published)) / items),
  source: `two binomial standard errors of the protocol's ${items} test images`,
});

/** Half the smallest step between the numbers of a published column: further off, a number could be that of another row. */
export function halfTheSmallestStep(published: readonly number[]): Tolerance {
  const sorted = [...published].sort((a, b) => a - b);
  const step = Math.min(...sorted.slice(1).map((value, i) => value - sorted[i]!));
  return { of: () => step / 2, source: "half the smallest step between the published column's rows" };
}

/** That `higher` is above `lower` by more than `size`. */
export const difference = (higher: Cell, lower: Cell, size = 0): Effect => ({
  cells: [higher, lower],
  of: (value) => value(higher) - value(lower),
  direction: 'above',
  size,
});

/** An effect that is no plain difference: a value made from cells, and the side of a size on which it is claimed to lie. */
export const effect = (
  text: string,
  cells: readonly Cell[],
  direction: Effect['direction'],
  size: number,
  of: (value: CellValue) => number,
): Effect => ({ text, cells, of, direction, size });

/** A claim of one or more effects, all of which must be as claimed. It stands where the table does unless `source` says otherwise. */
export const claim = (text: string, effects: readonly Effect[], source?: string): Claim => ({
  text,
  effects,
  ...(source === undefined ? {} : { source }),
});

/** A claim that `higher` is above `lower` by more than `size`. */
export const above = (text: string, higher: Cell, lower: Cell, size?: number): Claim =>
  claim(text, [difference(higher, lower, size)]);

/** A claim that numbers rise along a list of cells: all its adjacent differences. */
export const rising = (text: string, cells: readonly Cell[]): Claim =>
  claim(
    text,
    cells.slice(1).map((higher, i) => difference(higher, cells[i]!)),
  );
