// Runs, columns and cells of the tables on pictures.
import { beside, cell, column, matrix, printedDigits, rowsOf, runMaker } from '../../runner/definition.ts';
import type { Cell, Column, Matrix, Run, Tolerance } from '../../runner/paper.ts';
import { settingsOf, teacherOf } from './presets.ts';
import { type RoomSettings, rowOf, type RunName, runKey } from './settings.ts';
import { WEIGHTS } from './training.ts';

/** A student needs the weights of its teacher. */
export const runOf: (name: RunName) => Run<RoomSettings> = runMaker(runKey, settingsOf, (name) => {
  const teacher = teacherOf(name);
  return teacher ? [{ run: runOf(teacher), weights: WEIGHTS }] : [];
});

export const scores = ['mIoU', 'rmse', 'logrmse'] as const;
export type Score = (typeof scores)[number];

/** The names of the scores among the metrics of a run: the tables' mIoU is averaged as MTI-Net's code does. */
export const metricOf: Readonly<Record<Score, string>> = {
  mIoU: 'mIoU (MTI-Net)',
  rmse: 'rmse',
  logrmse: 'logrmse',
};

const counts = ['A', 'B', 'val'] as const;
const countMetrics = { A: 'pictures', B: 'pictures with all labels', val: 'validation pictures' } as const;
const aCount: Tolerance = { of: () => 0, source: 'a count' };

/** The columns of scores, printed with so many digits. */
export const scoreColumns = (digits: readonly [number, number, number]): Column[] =>
  scores.map((name, i) => column(name, digits[i]!, name === 'mIoU' ? 'higher' : 'lower', printedDigits(digits[i]!)));

/** A row of a table: its run, what the paper prints, and what is to be said of single numbers. */
export interface PrintedRow {
  readonly run: RunName;
  /** mIoU, rmse and logrmse, as far as printed. */
  readonly scores?: readonly number[];
  /** A, B and the number of validation pictures; null where the place is empty. */
  readonly counts?: readonly (number | null)[];
  readonly notes?: Readonly<Partial<Record<Score | (typeof counts)[number], string>>>;
}

/** Rows of a table with the cells that claims speak of. */
export interface Scored {
  readonly matrix: Matrix;
  at(row: string, score: Score): Cell;
}

/** Whether a run has a score: its network has the task. */
const has = ({ row }: RunName, score: Score): boolean =>
  rowOf(row).outputs.includes(score === 'mIoU' ? 'segmentation' : 'depth');

/** Scores with A and B as used, beside the printed ones. */
export function scored(
  rows: Readonly<Record<string, PrintedRow>>,
  digits: readonly [number, number, number] = [1, 3, 3],
  title?: string,
): Scored {
  const cells = new Map<string, Cell>();
  const cellAt = (name: string, place: Score | (typeof counts)[number]): Cell | null => {
    const { run, scores: printed, counts: used, notes = {} } = rows[name]!;
    const note = notes[place] === undefined ? {} : { note: notes[place] };
    if (place === 'mIoU' || place === 'rmse' || place === 'logrmse') {
      return has(run, place) ? cell(runOf(run), metricOf[place], printed?.[scores.indexOf(place)], note) : null;
    }
    if (place === 'B' && !rowOf(run.row).hidden && typeof used?.[1] !== 'number') return null;
    return cell(runOf(run), countMetrics[place], used?.[counts.indexOf(place)], note);
  };
  const places = [...scores, ...counts];
  const columns = [...scoreColumns(digits), ...counts.map((name) => column(name, 0, undefined, aCount))];
  const body = rowsOf(
    Object.keys(rows).map((name) => [name, name] as const),
    places,
    (name, place) => {
      const made = cellAt(name, place);
      if (made) cells.set(`${name} ${place}`, made);
      return made;
    },
  );
  return {
    matrix: title === undefined ? matrix('network', columns, body) : beside(title, 'network', columns, body),
    at: (row, score) => cells.get(`${row} ${score}`)!,
  };
}

const otherScores = [
  'mIoU (Cityscapes)',
  'mIoU (per picture)',
  'pixel accuracy',
  'rmse (per picture)',
  'clamped pixels',
] as const;

/** The same rows by other protocols, and the pixels that logrmse takes for 1 mm. */
export const protocolMatrix = (rows: Readonly<Record<string, PrintedRow>>): Matrix =>
  beside(
    'control: other averages, and pixels predicted nearer than 1 mm',
    'network',
    otherScores.map((name) => column(name, name.startsWith('rmse') ? 3 : name.startsWith('clamped') ? 0 : 1)),
    rowsOf(
      Object.entries(rows).map(([name, { run }]) => [name, run] as const),
      otherScores,
      (run, metric) =>
        has(run, metric.startsWith('mIoU') || metric.startsWith('pixel') ? 'mIoU' : 'rmse')
          ? cell(runOf(run), metric)
          : null,
    ),
  );

const judged = ['pseudo kept', 'pseudo accuracy', 'pseudo rmse'] as const;

/** Pseudo-labels by the labels that were hidden: a control that the paper does not have. */
export const pseudoMatrix = (rows: readonly (readonly [name: string, run: RunName])[]): Matrix =>
  beside(
    'control: pseudo-labels against the hidden truth',
    'student',
    [column('share kept', 3), column('share right of these', 3, 'higher'), column('rmse of depth', 3, 'lower')],
    rowsOf(rows, judged, (run, metric) => {
      const classes = rowOf(run.row).hidden === 'segmentation';
      if (metric === (classes ? 'pseudo rmse' : 'pseudo accuracy')) return null;
      return cell(runOf(run), metric);
    }),
  );
