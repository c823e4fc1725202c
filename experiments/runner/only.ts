// `--only ROW`: some rows of the chosen tables, with the runs that these need and no others.
import { ConfigError } from '../../engine/index.ts';
import type { TableDefinition } from './paper.ts';
import type { Selection } from './reproduce.ts';
import { suggestion } from './suggestion.ts';

const rowsOf = ({ cells }: TableDefinition): string[] => [...new Set(cells.map(({ row }) => row))];

/** The table with these rows alone. What is said of all rows, or of one that is left out, is left out too. */
function onlyRows(table: TableDefinition, rows: ReadonlySet<string>): TableDefinition {
  const cells = table.cells.filter(({ row }) => rows.has(row));
  if (cells.length === table.cells.length) return table;
  const runs = new Set(cells.map(({ run }) => run));
  const { conclusion: _, ...rest } = table;
  return {
    ...rest,
    cells,
    claims: table.claims.filter((claim) => claim.cells.every(([row]) => rows.has(row))),
    ...(table.curves ? { curves: table.curves.filter(({ run }) => runs.has(run)) } : {}),
    ...(table.pictures ? { pictures: table.pictures.filter((run) => runs.has(run)) } : {}),
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
    const tables = each.tables.map((table) => onlyRows(table, wanted)).filter(({ cells }) => cells.length > 0);
    return tables.length > 0 ? [{ ...each, tables }] : [];
  });
}
