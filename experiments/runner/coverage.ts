// Everything that the papers print, with what there is of it: made from the definitions of their tables and claims, from what they
// declare besides (`Paper.otherItems`), and from the results that are tracked beside their code. An installed package has no such
// results: there every item that runs is not tracked.
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { checkout } from '../checkout.ts';
import { tableView } from '../report/table-view.ts';
import type { ClaimVerdict } from './verdict.ts';
import type { OtherItem, Paper, TableDefinition } from './paper.ts';
import { readRunFolder } from './read-results.ts';
import { outcomeOf, type TableData } from './results.ts';
import { cellsOf, isPaperScale, runsOf } from './runs.ts';

/** From the best to the least. */
export const coverageStates = [
  'paper scale',
  'laptop, real data',
  'laptop, stand-in',
  'drawn only',
  'runs, not tracked',
  'not run',
] as const;
/** What there is of an item. Everything below `paper` counts as laptop. */
export type CoverageState = (typeof coverageStates)[number];

/** One tracked result of an item. */
export interface TrackedResult {
  readonly state: CoverageState;
  readonly preset: string;
  readonly data: string;
  readonly seeds: number;
  /** How many of the table's cells that run have numbers. */
  readonly cells: readonly [tracked: number, all: number];
  /** What the table shows and these results do not have. */
  readonly without: readonly ('pictures' | 'curves')[];
  /** Of a claim. */
  readonly verdict?: ClaimVerdict;
}

/** Something that a paper prints. */
export interface CoverageItem {
  readonly paper: string;
  /** Where it stands in the paper: `Table 3`, `Figure 11`, `text`. */
  readonly place: string;
  readonly kind: 'table' | 'figure' | 'claim' | 'text';
  readonly what: string;
  /** The table that answers it, by name on the command line. */
  readonly table?: string;
  readonly state: CoverageState;
  /** From the best to the least. */
  readonly tracked: readonly TrackedResult[];
  /** Why nothing is run for it. */
  readonly why?: string;
}

/** A claim of ours has this in its source. */
const OURS = /\bof ours\b/;

/** `Figures 6, 7 and 9 to 11` as the five names: Figure 6, Figure 7, Figure 9, Figure 10, Figure 11. */
export function placesIn(text: string): string[] {
  const lists = text.matchAll(/\b(Table|Fig(?:ure|\.)?)s?\s+(\d+(?:(?:,\s*|\s+and\s+|\s+to\s+|\/)\d+)*)/gi);
  return [...lists].flatMap(([, kind, list]) => {
    const name = kind!.toLowerCase() === 'table' ? 'Table' : 'Figure';
    return list!.split(/,\s*|\s+and\s+|\//).flatMap((part) => {
      const [first, last = first] = part.split(/\s+to\s+/).map(Number) as [number, number?];
      return Array.from({ length: last - first + 1 }, (_, i) => `${name} ${first + i}`);
    });
  });
}

const kindAt = (place: string): 'table' | 'figure' | 'text' =>
  place.startsWith('Table') ? 'table' : place.startsWith('Figure') ? 'figure' : 'text';

const isThere = (known: TableData, placed: ReturnType<typeof cellsOf>[number]): boolean =>
  'values' in outcomeOf(known, placed);

/** What a folder's numbers of a table are; undefined where it has none of them. */
function trackedTable(known: TableData): TrackedResult | undefined {
  const { table, preset, data, seeds, settings } = known;
  const placed = cellsOf(table).filter(({ cell }) => cell.run);
  const found = placed.filter((each) => isThere(known, each));
  if (found.length === 0) return undefined;
  const isPublished = found.every(({ cell: { run } }) => {
    const isComparable = data.real || run!.exact === true;
    return isComparable && isPaperScale(run!, settings.get(run!.key));
  });
  const without = [
    ...(table.pictures && known.panels.length === 0 ? (['pictures'] as const) : []),
    ...(table.curves && ![...known.curves.values()].some(({ size }) => size > 0) ? (['curves'] as const) : []),
  ];
  return {
    state: isPublished ? 'paper scale' : data.real ? 'laptop, real data' : 'laptop, stand-in',
    preset,
    data: data.name,
    seeds: seeds.length,
    cells: [found.length, placed.length],
    without,
  };
}

/** Whether all that the paper has at a place are pictures or curves: no number and no claim that could be judged. */
const isDrawn = ({ drawn, matrix, claims = [], pictures, curves }: TableDefinition, place: string): boolean =>
  drawn ? placesIn(drawn).includes(place) : !matrix && claims.length === 0 && (pictures ?? curves ?? []).length > 0;

/** The numbers beside a drawing do not stand for it. */
const asDrawing = (result: TrackedResult): TrackedResult[] =>
  result.without.length > 0 ? [] : [{ ...result, state: 'drawn only' }];

/** The better state first; of claims those that enough seeds have judged. */
const rank = ({ state, verdict }: TrackedResult): number =>
  coverageStates.indexOf(state) + (verdict === 'too few seeds' ? coverageStates.length : 0);

function itemFrom(
  item: Omit<CoverageItem, 'state' | 'tracked' | 'table'>,
  paper: Paper,
  table: TableDefinition,
  tracked: readonly TrackedResult[],
): CoverageItem {
  const sorted = [...tracked].sort((a, b) => rank(a) - rank(b));
  const named = { ...item, table: `${paper.name}/${table.name}`, tracked: sorted };
  if (runsOf(table).length > 0) return { ...named, state: sorted[0]?.state ?? 'runs, not tracked' };
  const reasons = [...new Set(cellsOf(table).flatMap(({ cell }) => cell.reason ?? []))];
  const why = reasons.length > 0 ? reasons.join('; ') : (table.notes?.[0] ?? 'no run is defined for it');
  return { ...named, state: 'not run', why };
}

function tableItems(paper: Paper, table: TableDefinition, results: readonly TableData[]): CoverageItem[] {
  const judged = results.flatMap((known) => {
    const result = known.table === table ? trackedTable(known) : undefined;
    return result ? [{ result, claims: tableView(known).claims }] : [];
  });
  const tracked = judged.map(({ result }) => result);
  const places = placesIn(table.source ?? '').map((place) =>
    itemFrom(
      { paper: paper.name, place, kind: kindAt(place), what: table.title },
      paper,
      table,
      isDrawn(table, place) ? tracked.flatMap(asDrawing) : tracked,
    ),
  );
  const claims = (table.claims ?? []).flatMap(({ text, source = table.source }, i) => {
    if (source === undefined || OURS.test(source)) return [];
    const verdicts = judged.flatMap(({ result, claims: views }) => {
      const { verdict } = views[i]!;
      return verdict === 'not attempted' ? [] : [{ ...result, verdict }];
    });
    return [itemFrom({ paper: paper.name, place: source, kind: 'claim', what: text }, paper, table, verdicts)];
  });
  return [...places, ...claims];
}

function otherItem(paper: Paper, { place, what, answer }: OtherItem, results: readonly TableData[]): CoverageItem[] {
  const places = placesIn(place);
  return (places.length > 0 ? places : [place]).map((each): CoverageItem => {
    const item = { paper: paper.name, place: each, kind: kindAt(each), what };
    if ('why' in answer) return { ...item, state: 'not run', tracked: [], why: answer.why };
    const table = paper.tables.find(({ name }) => name === answer.table);
    if (!table) throw new Error(`${paper.name} declares '${what}' in a table '${answer.table}' that it does not have`);
    const own = results.filter((known) => known.table === table);
    return itemFrom(
      item,
      paper,
      table,
      own.flatMap((known) => trackedTable(known) ?? []),
    );
  });
}

/** The tracked results of a paper; undefined where the checkout has none. */
async function trackedResults(paper: Paper, root: string): Promise<TableData[] | undefined> {
  const folder = path.join(root, 'experiments/papers', paper.name, 'results');
  if (!existsSync(folder)) return undefined;
  const entries = await readdir(folder, { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => path.join(folder, name));
  return (await Promise.all(folders.map(readRunFolder))).flatMap(({ tables }) => tables);
}

/** All items of the papers, and whether tracked results were found below `root` at all. */
export async function coverageOf(
  papers: readonly Paper[],
  root = checkout(),
): Promise<{ readonly items: readonly CoverageItem[]; readonly hasResults: boolean }> {
  const found = await Promise.all(
    papers.map(async (paper) => {
      const results = await trackedResults(paper, root);
      const items = [
        ...paper.tables.flatMap((table) => tableItems(paper, table, results ?? [])),
        ...(paper.otherItems ?? []).flatMap((item) => otherItem(paper, item, results ?? [])),
      ];
      return { results, items };
    }),
  );
  return {
    items: found.flatMap(({ items }) => items),
    hasResults: found.some(({ results }) => results !== undefined),
  };
}
