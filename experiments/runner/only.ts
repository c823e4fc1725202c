// `--only NAME`: some rows or columns of the chosen tables, with the runs that these need and no others.
import { ConfigError } from '../../engine/index.ts';
import type { Matrix, TableDefinition } from './paper.ts';
import type { Selection } from './plan.ts';
import { cellsOf } from './runs.ts';
import { suggestion } from './suggestion.ts';

const namesOf = (table: TableDefinition): string[] => cellsOf(table).flatMap(({ row, column }) => [row, column]);

/** The matrix with the rows and columns of these names; of a column alone, its cells in all rows. */
function only({ columns, rows, ...rest }: Matrix, names: ReadonlySet<string>): Matrix {
  const kept = rows.map(
    ([row, ...cells]) =>
      [row, ...cells.map((cell, i) => (names.has(row) || names.has(columns[i]!.name) ? cell : null))] as const,
  );
  const isFilled = (i: number): boolean => kept.some(([, ...cells]) => cells[i]);
  return {
    ...rest,
    columns: columns.filter((_, i) => isFilled(i)),
    rows: kept
      .map(([row, ...cells]) => [row, ...cells.filter((_, i) => isFilled(i))] as const)
      .filter(([, ...cells]) => cells.some(Boolean)),
  };
}

/** The table with these alone. What is said of all cells, or of one that is left out, is left out too. */
function onlyNamed(table: TableDefinition, names: ReadonlySet<string>): TableDefinition {
  const { conclusion: _, matrix, besides = [], claims = [], curves = [], pictures = [], ...rest } = table;
  const kept = cellsOf(table).filter(({ row, column }) => names.has(row) || names.has(column));
  if (kept.length === cellsOf(table).length) return table;
  const cells = new Set(kept.map(({ cell }) => cell));
  const runs = new Set(kept.map(({ cell }) => cell.run?.key));
  return {
    ...rest,
    ...(matrix ? { matrix: only(matrix, names) } : {}),
    besides: besides.map((each) => only(each, names)).filter(({ rows }) => rows.length > 0),
    claims: claims.filter(({ effects }) => effects.every((effect) => effect.cells.every((cell) => cells.has(cell)))),
    curves: curves.filter(({ run }) => runs.has(run.key)),
    pictures: pictures.filter(({ key }) => runs.has(key)),
  };
}

/** The selection with these rows and columns alone. Throws ConfigError, with the nearest, for a name that no chosen table has. */
export function selectOnly(selection: readonly Selection[], names: readonly string[]): Selection[] {
  const known = [...new Set(selection.flatMap(({ tables }) => tables.flatMap(namesOf)))];
  for (const name of names) {
    if (known.includes(name)) continue;
    throw new ConfigError(`the chosen tables have no row or column '${name}'`, { hint: suggestion(name, known) });
  }
  const wanted = new Set(names);
  return selection.flatMap((each) => {
    const tables = each.tables.map((table) => onlyNamed(table, wanted)).filter((table) => cellsOf(table).length > 0);
    return tables.length > 0 ? [{ ...each, tables }] : [];
  });
}
