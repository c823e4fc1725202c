// Results as text tables in the paper's shape. Where the terminal is too narrow for columns, a row takes several short lines.
import Table from 'cli-table3';
import { claimDetails, heading, numbersText, remarks } from '../report/cell-text.ts';
import type { MatrixView, TableView } from '../report/view.ts';

/** Assumed width where the output is not a terminal. */
export const DEFAULT_WIDTH = 120;

const plain = {
  'top': '', 'top-mid': '', 'top-left': '', 'top-right': '', 'bottom': '', 'bottom-mid': '', 'bottom-left': '',
  'bottom-right': '', 'left': '', 'left-mid': '', 'mid': '', 'mid-mid': '', 'right': '', 'right-mid': '', 'middle': '  ',
}; // prettier-ignore

/** Lays out rows in columns, or one below the other if that would be wider than `width`. */
export function layOut(head: readonly string[], rows: readonly (readonly string[])[], width: number): string {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  const needed = widths.reduce((sum, each) => sum + each, 2 * (head.length - 1));
  if (needed <= width) {
    const table = new Table({
      head: [...head],
      chars: plain,
      style: { 'head': [], 'border': [], 'padding-left': 0, 'padding-right': 0 }, // prettier-ignore
    });
    table.push(...rows.map((row) => [...row]));
    return table
      .toString()
      .split('\n')
      .map((line) => line.trimEnd())
      .join('\n');
  }
  return rows
    .map((row) => {
      const cells = row.slice(1).flatMap((value, i) => (value === '' ? [] : [`  ${head[i + 1]}: ${value}`]));
      return [row[0]!, ...cells].join('\n');
    })
    .join('\n');
}

const matrixText = ({ title, corner, columns, rows }: MatrixView, width: number): string[] => {
  const head = [corner, ...columns.map(({ name }) => name)];
  const lines = rows.map(({ name, cells }) => [
    name,
    ...cells.map((cell) => (cell ? `${numbersText(cell)}${cell.verdict === null ? '' : ` (${cell.verdict})`}` : '')),
  ]);
  return [...(title === undefined ? [] : [`${title}:`]), layOut(head, lines, width)];
};

/** One table with its setting, cells and claims. */
export function tableText(table: TableView, width: number): string {
  if (!table.setting) return [heading(table), ...remarks(table)].join(': ');
  return [
    heading(table),
    `  ${table.setting.text}`,
    ...(table.matrix ? matrixText(table.matrix, width) : []),
    ...table.claims.map((claim) => `claim: ${claim.text}: ${claim.verdict} (${claimDetails(claim)})`),
    ...table.besides.flatMap((matrix) => matrixText(matrix, width)),
    ...remarks(table),
  ].join('\n');
}
