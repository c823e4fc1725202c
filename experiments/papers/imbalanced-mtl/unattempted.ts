// Tables 3, 4 and 5: NYUDv2 and Cityscapes with MTI-Net. Their numbers stand here; the network and loaders do not yet exist.
import type { CellDefinition, TableDefinition } from '../../runner/paper.ts';

const reason = 'MTI-Net and the loaders of NYUDv2 and Cityscapes are not part of this version';

type Row = readonly [row: string, ...values: (number | null)[]];

function table(name: string, title: string, columns: readonly string[], rows: readonly Row[]): TableDefinition {
  const cells = rows.flatMap(([row, ...values]) =>
    values.flatMap((published, i): CellDefinition[] =>
      published === null ? [] : [{ row, column: columns[i]!, published, reason }],
    ),
  );
  return { name, title, cells, claims: [], tolerance: 0, format: String, notes: [] };
}

const columns = ['mIoU', 'rmse', 'logrmse'];

export const unattempted: readonly TableDefinition[] = [
  table('table3', 'NYUDv2, ablation of the pseudo-labels', columns, [
    ['UMMT', 22.1, 0.79, 0.264],
    ['UMMT-PS', 25.3, 0.653, 0.206],
  ]),
  table('table4', 'NYUDv2', columns, [
    ['MMST', 24.0, null, null],
    ['MMMT-D', 24.4, 0.337, 0.102],
    ['MMMT-S', 52.6, 0.805, 0.261],
    ['FMST', 19.7, null, null],
    ['UMST-S', 20.7, null, null],
    ['UMMT', 22.1, 0.79, 0.264],
    ['UMMT-D', 19.2, 0.783, 0.243],
    ['UMMT-PD', 23.9, 0.882, 0.272],
    ['UMMT-PS', 25.3, 0.653, 0.206],
  ]),
  table('table5', 'Cityscapes', columns, [
    ['UMMT', 71.7, 32.65, 10.45],
    ['MMMT-D', 73.6, 33.8, 10.4],
    ['UMST-S', 72.87, null, null],
    ['UMMT-PS', 73.1, 32.6, 10.5],
    ['UMMT-L', 52.64, 27.92, 9.56],
    ['UMST-S-L', 52.83, null, null],
    ['MMMT-L', 53.84, 27.7, 9.68],
    ['UMMT-PS-L', 54.06, 29.11, 7.84],
  ]),
];
