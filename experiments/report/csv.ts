// The view as CSV (RFC 4180). One block for each matrix in the paper's shape, one for the claims of each table; blocks are
// separated by an empty line, and the first field of a block's head names the table.
import type { CellView, MatrixView, TableView, View } from './view.ts';

/** A value of CSV; undefined is an empty one. */
export type Field = string | number | undefined;

const field = (value: Field): string => {
  const text = value === undefined ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

/** One line of CSV, without its end. */
export const record = (fields: readonly Field[]): string => fields.map(field).join(',');

/** What each column of the paper becomes: our mean and spread, the published number, the verdict. */
const cellFields = (cell: CellView | null): Field[] => [
  cell?.ours?.mean,
  cell?.ours?.std,
  cell?.published?.value,
  cell?.verdict ?? undefined,
];

function matrixBlock(name: string, { title, corner, columns, rows }: MatrixView): string[] {
  const head = columns.flatMap(({ name: column }) => [
    column,
    `${column} (spread)`,
    `${column} (published)`,
    `${column} (verdict)`,
  ]);
  return [
    record([`${name}${title === undefined ? '' : `, ${title}`}: ${corner}`, ...head]),
    ...rows.map(({ name: row, cells }) => record([row, ...cells.flatMap(cellFields)])),
    '',
  ];
}

function claimBlock(name: string, { claims }: TableView): string[] {
  if (claims.length === 0) return [];
  const rows = claims.flatMap(({ text, source, verdict, seedsHolding, seeds, effects }) => {
    const claim = [text, source, verdict, seedsHolding, seeds];
    if (effects.length === 0) return [record([...claim, '', '', '', '', '', ''])];
    return effects.map(({ text: effect, mean, interval, claimed, verdict: own }) =>
      record([...claim, effect, own, mean, interval?.[0], interval?.[1], `${claimed.direction} ${claimed.size}`]),
    );
  });
  const head = [
    'where',
    'verdict',
    'seeds holding',
    'seeds',
    'effect',
    'its verdict',
    'mean',
    'low',
    'high',
    'claimed',
  ];
  return [record([`${name}: claim`, ...head]), ...rows, ''];
}

function tableBlocks(table: TableView): string[] {
  const name = `${table.paper}/${table.name}${table.setting ? `, ${table.setting.text}` : ''}`;
  return [
    ...[...(table.matrix ? [table.matrix] : []), ...table.besides].flatMap((matrix) => matrixBlock(name, matrix)),
    ...claimBlock(name, table),
  ];
}

/** The tables as CSV with full digits. Ends with a line break. */
export const csvText = ({ papers }: View): string =>
  `${papers
    .flatMap(({ tables }) => tables.flatMap(tableBlocks))
    .join('\n')
    .trim()}\n`;
