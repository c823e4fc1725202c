// What the renderings in text say of a cell and of a claim.
import type { CellView, ClaimView, TableView } from './view.ts';

/** `0.926 ± 0.007 / 0.858`: ours over the published number, `-` for one that is missing. */
export function numbersText({ ours, published }: CellView): string {
  if (!published) return ours?.text ?? '-';
  return `${ours?.text ?? '-'} / ${published.text}`;
}

/** `in 2 of 3 seeds; +0.012 [0.004, 0.020], claimed above 0`. Of several effects each has its name and verdict. */
export function claimDetails({ effects, seedsHolding, seeds, reason }: ClaimView): string {
  if (reason !== undefined) return reason;
  const named = effects.map(({ text, summary, verdict }) =>
    effects.length > 1 ? `${text}: ${summary} (${verdict})` : `${text}: ${summary}`,
  );
  return [`in ${seedsHolding} of ${seeds} ${seeds === 1 ? 'seed' : 'seeds'}`, ...named].join('; ');
}

/** Remarks on single cells, and why there is no number, each once. */
export function remarks({ matrix, besides }: TableView): string[] {
  const cells = [...(matrix ? [matrix] : []), ...besides].flatMap(({ rows, columns }) =>
    rows.flatMap(({ name, cells }) =>
      cells.flatMap((cell, i) => (cell ? [{ cell, place: `${name}, ${columns[i]!.name}` }] : [])),
    ),
  );
  return [
    ...new Set([
      ...cells.flatMap(({ cell }) => (cell.reason === undefined ? [] : [`not attempted: ${cell.reason}`])),
      ...cells.flatMap(({ cell, place }) => (cell.note === undefined ? [] : [`${place}: ${cell.note}`])),
    ]),
  ];
}

/** The heading of a table: name, title and where the published numbers stand. */
export const heading = ({ paper, name, title, source }: TableView): string =>
  `${paper}/${name}: ${title}${source === undefined ? '' : ` (${source})`}`;
