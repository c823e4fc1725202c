// Table 5: Cityscapes, all of it and a low number of samples. Statements of the text that the numbers contradict stand among the claims
// both ways.
import { above, claim, difference, rising } from '../../runner/definition.ts';
import type { Cell, Claim, TableDefinition } from '../../runner/paper.ts';
import { type PrintedRow, protocolMatrix, pseudoMatrix, scored, type Score } from './cells.ts';
import { rowNotes } from './table4.ts';

const withheld = 'the text withholds 250 labelled pictures; the table counts the 500 for validation among them';
const large = { data: 'cityscapes' } as const;
const small = { data: 'cityscapes', small: true } as const;

// prettier-ignore
const rows = {
  UMMT: { run: { ...large, row: 'UMMT' }, scores: [71.7, 32.65, 10.45], counts: [2975, null, 500], notes: { A: 'the text withholds 250' } },
  'MMMT-D': { run: { ...large, row: 'MMMT-D' }, scores: [73.6, 33.8, 10.4], counts: [3475, 2975, 500], notes: { A: withheld } },
  'UMST-S': { run: { ...large, row: 'UMST-S, all labels' }, scores: [72.87], counts: [2975, null, 500] },
  'UMMT-PS': {
    run: { ...large, row: 'UMMT-PS' }, scores: [73.1, 32.6, 10.5], counts: [3475, 2975, 500],
    notes: { A: withheld, mIoU: 'the text calls it the second-best network on pictures alone; it is the best', logrmse: 'the worst of the large set, beside the best rmse' },
  },
  'UMMT-L': { run: { ...small, row: 'UMMT' }, scores: [52.64, 27.92, 9.56], counts: [300, 200, 200], notes: { A: 'the text: 200 of both' } },
  'UMST-S-L': { run: { ...small, row: 'UMST-S, all labels' }, scores: [52.83], counts: [300, 200, 200], notes: { B: 'the text: 300 labels of S' } },
  'MMMT-L': { run: { ...small, row: 'MMMT-D' }, scores: [53.84, 27.7, 9.68] },
  'UMMT-PS-L': {
    run: { ...small, row: 'UMMT-PS' }, scores: [54.06, 29.11, 7.84], counts: [300, 200, 200],
    notes: { rmse: 'the worst of the small set', logrmse: 'the best of the small set' },
  },
} as const satisfies Record<string, PrintedRow>;

type Name = keyof typeof rows;
const table = scored(rows, [2, 2, 2]);
const at = (row: Name, score: Score = 'mIoU'): Cell => table.at(row, score);

/** That a row has the best, or the worst, error of a list. */
const extreme = (text: string, row: Name, score: Score, others: readonly Name[], is: 'best' | 'worst'): Claim =>
  claim(
    text,
    others.map((other) =>
      is === 'best' ? difference(at(other, score), at(row, score)) : difference(at(row, score), at(other, score)),
    ),
  );

/** A statement about a row's error among others, and its opposite. */
const bothWays = (row: Name, score: Score, others: readonly Name[]): Claim[] =>
  (['best', 'worst'] as const).map((is) => extreme(`${row} has the ${is} ${score}`, row, score, others, is));

export const table5: TableDefinition = {
  name: 'table5',
  title: 'Cityscapes: all of it, and a low number of samples (L)',
  source: 'Table 5',
  data: 'cityscapes',
  matrix: table.matrix,
  besides: [
    pseudoMatrix([
      ['UMMT-PS', rows['UMMT-PS'].run],
      ['UMMT-PS-L', rows['UMMT-PS-L'].run],
    ]),
    protocolMatrix(rows),
  ],
  claims: [
    rising('the order in mIoU: UMMT, UMST-S, UMMT-PS, MMMT-D', [at('UMMT'), at('UMST-S'), at('UMMT-PS'), at('MMMT-D')]),
    above('UMMT-PS-L is above UMST-S-L in mIoU', at('UMMT-PS-L'), at('UMST-S-L')),
    above('UMMT-PS-L is above UMMT-L in mIoU', at('UMMT-PS-L'), at('UMMT-L')),
    claim(
      'of the networks on pictures alone UMMT-PS is the best in mIoU',
      [difference(at('UMMT-PS'), at('UMST-S')), difference(at('UMMT-PS'), at('UMMT'))],
      'Table 5, numbers',
    ),
    claim(
      'it is the second best',
      [difference(at('UMST-S'), at('UMMT-PS')), difference(at('UMMT-PS'), at('UMMT'))],
      'text',
    ),
    ...bothWays('UMMT-PS', 'rmse', ['UMMT', 'MMMT-D']),
    ...bothWays('UMMT-PS', 'logrmse', ['UMMT', 'MMMT-D']),
    ...bothWays('UMMT-PS-L', 'rmse', ['UMMT-L', 'MMMT-L']),
    ...bothWays('UMMT-PS-L', 'logrmse', ['UMMT-L', 'MMMT-L']),
  ],
  notes: [
    ...rowNotes,
    'Units: a natural logarithm that is off by 10 is a factor of 20,000. Either the errors are printed times 100, or pixels without a disparity ' +
      'were not masked, which explains both columns. Here such pixels are masked, depth ends at 200 m, errors are in metres and natural ' +
      'logarithms: only the order can be compared.',
    'Withheld pictures: 250 of 2,975 in the text, 500 in the table (3475). UMST-S has all labels; UMMT and MMMT-D lack the withheld pictures, ' +
      'which the student gets back with depth and pseudo-labels. L: 200 with both labels, 100 withheld. The cells of MMMT-L beside its scores are empty.',
    'UMMT-PS is printed with the best rmse and the worst logrmse of its set, UMMT-PS-L with the worst rmse and the best logrmse: each is a ' +
      'claim both ways.',
  ],
};
