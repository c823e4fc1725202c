// The view as Markdown: tables in the paper's shape, claims, remarks. Made for READMEs: no pictures, no provenance.
import { claimDetails, heading, numbersText, remarks } from './cell-text.ts';
import type { CellView, MatrixView, TableView, View } from './view.ts';

const escaped = (text: string): string => text.replace(/[\\|*_<>`]/g, '\\$&').replace(/\s*\n\s*/g, ' ');

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

const cellText = (cell: CellView | null): string => {
  if (!cell) return '';
  return `${escaped(numbersText(cell))}${cell.verdict === null ? '' : `<br>${cell.verdict}`}`;
};

function matrixLines({ title, corner, columns, rows }: MatrixView): string[] {
  return [
    ...(title === undefined ? [] : [`${escaped(title)}:`, '']),
    line([corner, ...columns.map(({ name }) => name)].map(escaped)),
    line(['---', ...columns.map(() => '---')]),
    ...rows.map(({ name, cells }) => line([escaped(name), ...cells.map(cellText)])),
    '',
  ];
}

function claimLines({ claims }: TableView): string[] {
  if (claims.length === 0) return [];
  return [
    line(['claim', 'where', 'verdict', 'effect, 90 % interval']),
    line(['---', '---', '---', '---']),
    ...claims.map((claim) => {
      const verdict = claim.verdict === 'holds' ? '**holds**' : claim.verdict;
      return line([escaped(claim.text), escaped(claim.source), verdict, escaped(claimDetails(claim))]);
    }),
    '',
  ];
}

function tableLines(table: TableView): string[] {
  const list = remarks(table).map((text) => `- ${escaped(text)}`);
  return [
    `### ${escaped(heading(table))}`,
    '',
    table.setting ? `${escaped(table.setting.text)}.` : 'Nothing was run.',
    '',
    ...(table.matrix ? matrixLines(table.matrix) : []),
    ...claimLines(table),
    ...table.besides.flatMap(matrixLines),
    ...(list.length > 0 ? [...list, ''] : []),
    ...(table.conclusion === undefined ? [] : [escaped(table.conclusion), '']),
  ];
}

/** The tables as Markdown, each cell ours over the published number with its verdict. Ends with a line break. */
export function markdownText({ papers, problems }: View): string {
  const lines = [
    ...papers.flatMap(({ tables }) => tables.flatMap(tableLines)),
    ...problems.map((problem) => `- Not used: ${escaped(problem)}`),
  ];
  return `${lines.join('\n').trim()}\n`;
}
