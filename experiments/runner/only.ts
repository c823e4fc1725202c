// `--only ROW`: some rows of the chosen tables, with the runs that these need and no others.
import { ConfigError } from '../../engine/index.ts';
import type { Matrix, TableDefinition } from './paper.ts';
import type { Selection } from './plan.ts';
import { cellsOf } from './runs.ts';
import { suggestion } from './suggestion.ts';

const rowsOf = (table: TableDefinition): string[] => [...new Set(cellsOf(table).map(({ row }) => row))];

const withRows = (matrix: Matrix, rows: ReadonlySet<string>): Matrix => ({
  ...matrix,
  rows: matrix.rows.filter(([row]) => rows.has(row)),
});

/** The table with these rows alone. What is said of all rows, or of one that is left out, is left out too. */
function onlyRows(table: TableDefinition, rows: ReadonlySet<string>): TableDefinition {
  const { conclusion: _, matrix, besides, claims, curves, pictures, ...rest } = table;
  const kept = cellsOf(table).filter(({ row }) => rows.has(row));
  if (kept.length === cellsOf(table).length) return table;
  const cells = new Set(kept.map(({ cell }) => cell));
  const runs = new Set(kept.map(({ cell }) => cell.run?.key));
  return {
    ...rest,
    ...(matrix ? { matrix: withRows(matrix, rows) } : {}),
    besides: (besides ?? []).map((each) => withRows(each, rows)).filter((each) => each.rows.length > 0),
    claims: (claims ?? []).filter(({ effects }) =>
      effects.every((effect) => effect.cells.every((cell) => cells.has(cell))),
    ),
    curves: (curves ?? []).filter(({ run }) => runs.has(run.key)),
    pictures: (pictures ?? []).filter(({ key }) => runs.has(key)),
  };
}

/** The selection with these rows alone. Throws ConfigError, with the nearest, for a row that no chosen table has. */
export function selectRows(selection: readonly Selection[], rows: readonly string[]): Selection[] {
  const known = [...new Set(selection.flatMap(({ tables }) => tables.flatMap(rowsOf)))];
  for (const row of rows) {
    if (known.includes(row)) continue;
    throw new ConfigError(`the chosen tables have no row '${row}'`, { hint: suggestion(row, known) });
  }
  const wanted = new Set(rows);
  return selection.flatMap((each) => {
    const tables = each.tables.map((table) => onlyRows(table, wanted)).filter((table) => cellsOf(table).length > 0);
    return tables.length > 0 ? [{ ...each, tables }] : [];
  });
}
