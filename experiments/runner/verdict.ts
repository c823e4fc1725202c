// The four verdicts, defined here and nowhere else.
//
// - `not attempted`: the cell has no run, or one of its seeds failed. The reason is given.
// - `reproduced`: the preset is `paper` on the paper's own data, or the table is the same without them (`presetIndependent`);
//   |ours - published| is at most the larger of the table's tolerance and our spread over seeds; and no claim about the cell
//   fails. A published spread does not widen this.
// - `same ordering`: at least one claim of the table is about the cell, and all of those hold in the means over seeds.
// - `not reproduced`: everything else.
//
// A smaller network or a generated stand-in is another experiment, so its numbers are never called reproduced, only their
// order. Cells without a published number (controls) can at best have the same ordering; without a claim they get none.
import type { CellDefinition, CellValue, Claim, TableDefinition } from './paper.ts';
import { type Summary, summarize } from './statistics.ts';

export type Verdict = 'reproduced' | 'same ordering' | 'not reproduced' | 'not attempted';

export interface CellResult {
  row: string;
  column: string;
  published: number | null;
  ours: Summary | null;
  /** Null for a control: a cell with neither a published number nor a claim about it. */
  verdict: Verdict | null;
  /** Why a cell was not attempted. */
  reason?: string;
}

export interface ClaimResult {
  text: string;
  /** In the means over seeds; null where a cell is missing. */
  holds: boolean | null;
  /** In how many of the single seeds it holds. */
  seedsHolding: number;
  seeds: number;
}

const sameCell = (claim: Claim, cell: CellDefinition): boolean =>
  claim.cells.some(([row, column]) => row === cell.row && column === cell.column);

/** Looks a value up by row and column; NaN where there is none, which no claim survives. */
const lookup =
  (cells: readonly CellResult[], pick: (summary: Summary) => number | undefined): CellValue =>
  (row, column) => {
    const found = cells.find((cell) => cell.row === row && cell.column === column)?.ours;
    return (found && pick(found)) ?? NaN;
  };

export const meansOf = (cells: readonly CellResult[]): CellValue => lookup(cells, (summary) => summary.mean);

function checkClaim(claim: Claim, cells: readonly CellResult[]): ClaimResult {
  const summaries = claim.cells.map(
    ([row, column]) => cells.find((cell) => cell.row === row && cell.column === column)?.ours,
  );
  if (summaries.some((summary) => !summary)) return { text: claim.text, holds: null, seedsHolding: 0, seeds: 0 };
  const seeds = Math.min(...summaries.map((summary) => summary!.n));
  let seedsHolding = 0;
  for (let seed = 0; seed < seeds; seed++) {
    if (claim.holds(lookup(cells, (summary) => summary.values[seed]))) seedsHolding++;
  }
  return { text: claim.text, holds: claim.holds(meansOf(cells)), seedsHolding, seeds };
}

/** The distance that counts as the same number. */
const allowance = (table: TableDefinition, ours: Summary): number => Math.max(table.tolerance, ours.std);

function verdictOf(
  table: TableDefinition,
  cell: CellDefinition,
  ours: Summary | null,
  claims: readonly boolean[],
  comparable: boolean,
): Verdict | null {
  if (!ours) return 'not attempted';
  const ordered = claims.every(Boolean);
  if (cell.published === null) return claims.length === 0 ? null : ordered ? 'same ordering' : 'not reproduced';
  const near = Math.abs(ours.mean - cell.published) <= allowance(table, ours);
  if (comparable && near && ordered) return 'reproduced';
  return claims.length > 0 && ordered ? 'same ordering' : 'not reproduced';
}

/** What became of a cell's runs: the values in the order of the seeds, or why there are none. */
export type CellOutcome = { values: readonly number[] } | { reason: string };

/** Judges a table. `comparable` is true where its numbers may be called reproduced. */
export function judge(
  table: TableDefinition,
  outcome: (cell: CellDefinition) => CellOutcome,
  comparable: boolean,
): { cells: CellResult[]; claims: ClaimResult[] } {
  const cells = table.cells.map((cell): CellResult => {
    const { row, column, published } = cell;
    const found = outcome(cell);
    if ('reason' in found) {
      return { row, column, published, ours: null, verdict: 'not attempted', reason: found.reason };
    }
    return { row, column, published, ours: summarize(found.values), verdict: null };
  });
  const claims = table.claims.map((claim) => checkClaim(claim, cells));
  cells.forEach((result, i) => {
    const cell = table.cells[i]!;
    const about = table.claims.flatMap((claim, j) => {
      const holds = claims[j]!.holds;
      return sameCell(claim, cell) && holds !== null ? [holds] : [];
    });
    result.verdict = verdictOf(table, cell, result.ours, about, comparable);
  });
  return { cells, claims };
}
