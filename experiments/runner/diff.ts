// `wgrad diff`: what two run folders say differently, table by table, and how they were made.
import { claimDetails, numbersText } from '../report/cell-text.ts';
import { tableView } from '../report/table-view.ts';
import type { TableView } from '../report/view.ts';
import { asJson, type Difference, differences } from './difference.ts';
import type { Manifest } from './manifest.ts';
import type { RunFolder } from './read-results.ts';
import type { TableData } from './results.ts';
import { seedsText } from './seeds.ts';

export interface FolderDifferences {
  /** By `paper/table`, in the order of the first folder; a table that is in one of them alone differs as a whole. */
  readonly tables: readonly { readonly name: string; readonly differences: readonly Difference[] }[];
  readonly manifest: readonly Difference[];
}

/** Of no matter, or shown with the tables. */
const leftOut = ['finished', 'checksum', 'configurations', 'papers'];

const joined = (record: Readonly<Record<string, readonly string[]>> = {}): object =>
  Object.fromEntries(Object.entries(record).map(([name, list]) => [name, list.join(', ')]));

/** Cells as the terminal shows them, by name; and their values by seed, for differences in digits that are not shown. */
function cellsOfView({ matrix, besides }: TableView): {
  cells: Record<string, string>;
  values: Record<string, object>;
} {
  const cells: Record<string, string> = {};
  const values: Record<string, object> = {};
  for (const { title, columns, rows } of [...(matrix ? [matrix] : []), ...besides]) {
    for (const { name: row, cells: ofRow } of rows) {
      ofRow.forEach((cell, i) => {
        if (!cell) return;
        const name = [title, row, columns[i]!.name].filter((part) => part !== undefined).join(', ');
        cells[name] = `${numbersText(cell)}${cell.verdict === null ? '' : ` (${cell.verdict})`}`;
        values[name] = Object.fromEntries(cell.ours?.bySeed.map(({ seed, value }) => [`seed ${seed}`, value]) ?? []);
      });
    }
  }
  return { cells, values };
}

/** A table as it is compared: what was run, each cell and claim, and the settings; not what it cost. */
function content(known: TableData): { values: Record<string, object>; [part: string]: unknown } {
  const view = tableView(known);
  const { preset, device, data, seeds } = view.setting ?? {};
  return {
    preset,
    device,
    data,
    seeds: seeds && seedsText(seeds),
    ...cellsOfView(view),
    claims: Object.fromEntries(view.claims.map((claim) => [claim.text, `${claim.verdict} (${claimDetails(claim)})`])),
    settings: Object.fromEntries(known.settings),
  };
}

/** Values of the seeds that both have, of cells that look the same. */
function diffTables(a: TableData, b: TableData): Difference[] {
  const found = differences(asJson(content(a)), asJson(content(b)));
  const shown = new Set(found.filter(({ at }) => at[0] === 'cells').map(({ at }) => at[1]));
  return found.filter(
    (each) => each.at[0] !== 'values' || (!shown.has(each.at[1]) && each.a !== undefined && each.b !== undefined),
  );
}

const nameOf = ({ paper, table }: TableData): string => `${paper.name}/${table.name}`;

function manifestContent(manifest: Manifest | undefined): object {
  const { commandLine, plans, ...rest } = manifest ?? {};
  const facts = Object.entries(rest).filter(([name]) => !leftOut.includes(name));
  return { command: commandLine?.join(' '), ...Object.fromEntries(facts), plans: joined(plans) };
}

export function diffFolders(a: RunFolder, b: RunFolder): FolderDifferences {
  const [left, right] = [a, b].map(({ tables }) => new Map(tables.map((table) => [nameOf(table), table])));
  const names = [...new Set([...left!.keys(), ...right!.keys()])];
  const tables = names.map((name) => {
    const [one, other] = [left!.get(name), right!.get(name)];
    if (!one || !other) return { name, differences: [{ at: [], a: one && 'there', b: other && 'there' }] };
    return { name, differences: diffTables(one, other) };
  });
  return {
    tables: tables.filter(({ differences: found }) => found.length > 0),
    manifest: differences(asJson(manifestContent(a.manifest)), asJson(manifestContent(b.manifest))),
  };
}
