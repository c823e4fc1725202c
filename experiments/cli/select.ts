// From `PAPER[/TABLE]` on the command line to papers and tables, with the nearest names for what does not exist.
import { ConfigError } from '../../engine/index.ts';
import type { Paper, TableDefinition } from '../runner/paper.ts';
import type { Selection } from '../runner/reproduce.ts';
import { suggestion } from '../runner/suggestion.ts';

/** Throws ConfigError for a paper or table that does not exist. No names select everything. */
export function select(names: readonly string[], papers: readonly Paper[]): Selection[] {
  const chosen = new Map<Paper, Set<TableDefinition>>();
  for (const name of names.length > 0 ? names : papers.map((paper) => paper.name)) {
    const [paperName = '', tableName, ...rest] = name.split('/');
    const paper = papers.find((each) => each.name === paperName);
    if (!paper || rest.length > 0) {
      throw new ConfigError(`there is no paper '${name}'`, {
        hint: suggestion(
          paperName,
          papers.map(({ name }) => name),
        ),
      });
    }
    const tables = chosen.get(paper) ?? new Set<TableDefinition>();
    chosen.set(paper, tables);
    if (tableName === undefined) {
      paper.tables.forEach((table) => tables.add(table));
      continue;
    }
    const table = paper.tables.find((each) => each.name === tableName);
    if (!table) {
      const known = paper.tables.map((each) => each.name);
      throw new ConfigError(`${paper.name} has no table '${tableName}'`, { hint: suggestion(tableName, known) });
    }
    tables.add(table);
  }
  return [...chosen].map(([paper, tables]) => ({ paper, tables: paper.tables.filter((table) => tables.has(table)) }));
}
