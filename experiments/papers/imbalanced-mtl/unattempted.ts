// Tables 3, 4 and 5: NYUDv2 and Cityscapes with MTI-Net. Their numbers stand here; the network and loaders do not yet exist.
import { printedDigits } from '../../runner/definition.ts';
import type { Cell, TableDefinition } from '../../runner/paper.ts';

const reason = 'MTI-Net and the loaders of NYUDv2 and Cityscapes are not part of this version';
const names = [
  ['mIoU', 'higher'],
  ['rmse', 'lower'],
  ['logrmse', 'lower'],
] as const;

type Row = readonly [row: string, ...values: (number | null)[]];

const table = (number: number, title: string, digits: readonly number[], rows: readonly Row[]): TableDefinition => ({
  name: `table${number}`,
  title,
  source: `Table ${number}`,
  matrix: {
    corner: 'network',
    columns: names.map(([name, better], i) => ({
      name,
      better,
      format: String,
      tolerance: printedDigits(digits[i]!),
    })),
    rows: rows.map(([row, ...values]): [string, ...(Cell | null)[]] => [
      row,
      ...values.map((published) => (published === null ? null : { published, reason })),
    ]),
  },
});

export const unattempted: readonly TableDefinition[] = [
  table(
    3,
    'NYUDv2, ablation of the pseudo-labels',
    [1, 3, 3],
    [
      ['UMMT', 22.1, 0.79, 0.264],
      ['UMMT-PS', 25.3, 0.653, 0.206],
    ],
  ),
  table(
    4,
    'NYUDv2',
    [1, 3, 3],
    [
      ['MMST', 24.0, null, null],
      ['MMMT-D', 24.4, 0.337, 0.102],
      ['MMMT-S', 52.6, 0.805, 0.261],
      ['FMST', 19.7, null, null],
      ['UMST-S', 20.7, null, null],
      ['UMMT', 22.1, 0.79, 0.264],
      ['UMMT-D', 19.2, 0.783, 0.243],
      ['UMMT-PD', 23.9, 0.882, 0.272],
      ['UMMT-PS', 25.3, 0.653, 0.206],
    ],
  ),
  table(
    5,
    'Cityscapes',
    [2, 2, 2],
    [
      ['UMMT', 71.7, 32.65, 10.45],
      ['MMMT-D', 73.6, 33.8, 10.4],
      ['UMST-S', 72.87, null, null],
      ['UMMT-PS', 73.1, 32.6, 10.5],
      ['UMMT-L', 52.64, 27.92, 9.56],
      ['UMST-S-L', 52.83, null, null],
      ['MMMT-L', 53.84, 27.7, 9.68],
      ['UMMT-PS-L', 54.06, 29.11, 7.84],
    ],
  ),
];
