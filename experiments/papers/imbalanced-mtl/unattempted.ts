// Tables 3, 4 and 5: NYUDv2 and Cityscapes with MTI-Net. Their numbers stand here; the network and loaders do not yet exist.
import { column, matrix, notAttempted, printedDigits, rowsOf } from '../../runner/definition.ts';
import type { TableDefinition } from '../../runner/paper.ts';

const reason = 'MTI-Net and the loaders of NYUDv2 and Cityscapes are not part of this version';

/** mIoU, rmse and logrmse as printed, of a table with so many digits behind the point in each of them. */
type Row = readonly [network: string, numbers: readonly number[]];

const table = (number: number, title: string, digits: readonly number[], rows: readonly Row[]): TableDefinition => ({
  name: `table${number}`,
  title,
  source: `Table ${number}`,
  matrix: matrix(
    'network',
    ['mIoU', 'rmse', 'logrmse'].map((name, i) => ({
      ...column(name, digits[i]!, name === 'mIoU' ? 'higher' : 'lower', printedDigits(digits[i]!)),
      format: String,
    })),
    rowsOf(rows, [0, 1, 2], (numbers, i) => (numbers[i] === undefined ? null : notAttempted(numbers[i], reason))),
  ),
});

// prettier-ignore
export const unattempted: readonly TableDefinition[] = [
  table(3, 'NYUDv2, ablation of the pseudo-labels', [1, 3, 3], [
    ['UMMT', [22.1, 0.79, 0.264]],
    ['UMMT-PS', [25.3, 0.653, 0.206]],
  ]),
  table(4, 'NYUDv2', [1, 3, 3], [
    ['MMST', [24.0]],
    ['MMMT-D', [24.4, 0.337, 0.102]],
    ['MMMT-S', [52.6, 0.805, 0.261]],
    ['FMST', [19.7]],
    ['UMST-S', [20.7]],
    ['UMMT', [22.1, 0.79, 0.264]],
    ['UMMT-D', [19.2, 0.783, 0.243]],
    ['UMMT-PD', [23.9, 0.882, 0.272]],
    ['UMMT-PS', [25.3, 0.653, 0.206]],
  ]),
  table(5, 'Cityscapes', [2, 2, 2], [
    ['UMMT', [71.7, 32.65, 10.45]],
    ['MMMT-D', [73.6, 33.8, 10.4]],
    ['UMST-S', [72.87]],
    ['UMMT-PS', [73.1, 32.6, 10.5]],
    ['UMMT-L', [52.64, 27.92, 9.56]],
    ['UMST-S-L', [52.83]],
    ['MMMT-L', [53.84, 27.7, 9.68]],
    ['UMMT-PS-L', [54.06, 29.11, 7.84]],
  ]),
];
