// Table 2: mean squared error of f2 in the toy problem, with two controls that the paper does not have.
import {
  above,
  beside,
  cell,
  claim,
  column,
  effect,
  matrix,
  publishedSpread,
  rising,
} from '../../runner/definition.ts';
import type { Cell, Run, TableDefinition } from '../../runner/paper.ts';
import { toySettings, type ToySettings } from './toy-settings.ts';

/** All networks of a seed. */
export const toyRun: Run<ToySettings> = { key: 'toy', settings: (preset) => toySettings[preset] };

const error = (name: string) => column(name, 5, 'lower', publishedSpread);
const mse = (network: string, published?: number, spread?: number): Cell =>
  cell(toyRun, `${network} mse`, published, spread === undefined ? {} : { publishedSpread: spread });
const mae = (network: string): Cell => cell(toyRun, `${network} mae`);

// Updates at the paper's sizes: 100 for ST, MTL and teacher, 400 for the student.
const single = mse('ST', 0.0149, 0.0111);
const multi = mse('MTL', 0.0101, 0.0068);
const student = mse('T-S', 0.0072, 0.0062);
const teacher = mse('teacher');
const stopped = mse('T-S, updates of ST');
const longer = mse('ST, updates of T-S');

const curveOf = (name: string) => ({ run: toyRun, curve: `error of ${name}`, label: `${name}, MSE of f2` });

const networks = ['ST', 'MTL only', 'MTL T-S'].map(error);

const percent = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(0)} %`;

export const table2: TableDefinition = {
  name: 'table2',
  title: 'toy problem, error of f2',
  source: 'Table 2 and its text',
  matrix: matrix('error', networks, [['average MSE', single, multi, student]]),
  besides: [
    beside('control: the teacher, and equal numbers of updates', 'network', ['MSE', 'MAE'].map(error), [
      ['teacher', teacher, mae('teacher')],
      ['T-S stopped at the updates of ST', stopped, mae('T-S, updates of ST')],
      ['ST with the updates of T-S', longer, mae('ST, updates of T-S')],
    ]),
    beside('mean absolute errors, which the published numbers may be', 'error', networks, [
      ['MAE', mae('ST'), mae('MTL'), mae('T-S')],
    ]),
  ],
  claims: [
    above('MTL is better than ST', single, multi),
    above('T-S is better than MTL', multi, student),
    above('T-S is better than ST', single, student),
    rising('the whole order: T-S, MTL, ST', [student, multi, single]),
    claim('T-S is about 30 % better than MTL', [
      effect('0.7 MTL - T-S', [multi, student], 'above', 0, (value) => 0.7 * value(multi) - value(student)),
    ]),
  ],
  notes: [
    'Published values are "average MSE"; their ratios of spread to mean (0.74, 0.67, 0.86) are those of absolute errors over ' +
      'points or of spreads over runs, so both MSE and MAE are given here. The spread of ours is over seeds.',
    'The first control stops the student at the number of updates that ST makes, the second lets ST make as many as the student.',
  ],
  curves: ['ST', 'MTL', 'teacher', 'student'].map(curveOf),
  ...({ curveAxis: 'epoch of the points with f2', curveScale: 'log' } as const),
  conclusion(value) {
    const [st, mtl, ts, guide] = [value(single), value(multi), value(student), value(teacher)];
    const [early, late] = [value(stopped), value(longer)];
    const first =
      ts < st && ts < mtl
        ? `With training counted in epochs and stopped early T-S is best: its error is ${percent(ts, st)} of ST's, but ` +
          'the student makes several times as many updates. '
        : 'T-S is not best here. ';
    const equal =
      early > ts
        ? `Stopped at the updates of ST, the student's error is ${percent(early, st)} of ST's`
        : "Stopped at the updates of ST, the student's error does not grow";
    const other =
      late < ts
        ? `, and single task with the student's updates is better than all (${percent(late, ts)} of T-S). `
        : `, and single task with the student's updates stays behind T-S. `;
    const real =
      guide < mtl && mtl < st
        ? 'What is real at equal updates is the gain of the teacher over MTL over ST: the second input and the second task ' +
          'make learning faster.'
        : 'At equal updates teacher, MTL and ST do not rank as the paper has it.';
    return first + equal + other + real;
  },
};
