// Results as text tables. Where the terminal is too narrow for columns, one cell takes a few short lines.
import Table from 'cli-table3';
import { oursText, publishedText, settingText, verdictText } from '../report/report.ts';
import { type JudgedTable, noData } from '../runner/results.ts';

/** Width taken for output that is no terminal. */
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
    .map((row) => [row[0]!, ...row.slice(1).map((value, i) => `  ${head[i + 1]}: ${value}`)].join('\n'))
    .join('\n');
}

/** One judged table with its setting, cells and claims. */
export function tableText(judged: JudgedTable, width: number): string {
  const { paper, table, data, result, claims } = judged;
  const rows = result.cells.map((cell) => [
    cell.row,
    cell.column,
    publishedText(cell, table),
    oursText(cell, table.format),
    verdictText(cell),
  ]);
  if (data === noData) return `${paper.name}/${table.name}: ${table.title}: not attempted: ${result.cells[0]?.reason}`;
  const reasons = [...new Set(result.cells.flatMap(({ reason }) => reason ?? []))];
  return [
    `${paper.name}/${table.name}: ${table.title}`,
    `  ${settingText(judged)}`,
    layOut(['row', 'column', 'published', 'ours', 'verdict'], rows, width),
    ...reasons.map((reason) => `not attempted: ${reason}`),
    ...claims.map(({ text, holds, seedsHolding, seeds }) => {
      const state = holds === null ? 'not tested' : holds ? 'holds' : 'does not hold';
      return `claim: ${text}: ${state}${seeds > 1 ? ` (${seedsHolding} of ${seeds} seeds)` : ''}`;
    }),
  ].join('\n');
}
