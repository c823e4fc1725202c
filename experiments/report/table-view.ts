// From what is known of a table to its view: judged, and written as text.
import type { Cell, Claim, Column, Matrix } from '../runner/paper.ts';
import { overridesText } from '../runner/overrides.ts';
import { cellsOf, isPaperScale, type PlacedCell, runsOf } from '../runner/runs.ts';
import { outcomeOf, type TableData } from '../runner/results.ts';
import { seedsText } from '../runner/seeds.ts';
import { type Summary, summarize } from '../runner/statistics.ts';
import { type EffectResult, judgeClaim, judgeNumber } from '../runner/verdict.ts';
import type { CellView, ClaimView, CurvesView, MatrixView, SettingView, TableView } from './view.ts';

type Format = (value: number) => string;

const spreadText = (value: number, spread: number | undefined, format: Format): string =>
  format(value) + (spread === undefined ? '' : ` ± ${format(spread)}`);

function settingView({ paper, preset, device, data, set, seeds }: TableData): SettingView {
  const stand = data.real ? '' : " (a stand-in for the paper's data)";
  const change = Object.keys(set).length > 0 ? `, with ${overridesText(set)}` : '';
  return {
    preset,
    presetText: paper.presets[preset],
    device,
    data: { name: data.name, real: data.real },
    set,
    seeds,
    text: `preset ${preset}${change}, data: ${data.name}${stand}, device ${device}, ${seedsText(seeds)}`,
  };
}

function cellView(known: TableData, { format, better, tolerance }: Column, placed: PlacedCell): CellView {
  const { run, published, publishedSpread: spread, source = known.table.source, note } = placed.cell;
  const outcome = outcomeOf(known, placed);
  const values = 'values' in outcome ? outcome.values : undefined;
  const ours: Summary | undefined = values && summarize(values);
  const isReal = known.data.real || run?.exact === true;
  const judged = {
    ours,
    published: published ?? NaN,
    tolerance: tolerance?.of(placed.cell) ?? 0,
    better,
    comparable: isReal && run !== undefined && isPaperScale(run, known.settings.get(run.key)),
    exact: run?.exact,
  };
  return {
    ours: ours && {
      mean: ours.mean,
      std: ours.std,
      interval: ours.interval ?? undefined,
      bySeed: ours.values.map((value, i) => ({ seed: known.seeds[i]!, value })),
      text: spreadText(ours.mean, ours.n > 1 && run?.exact !== true ? ours.std : undefined, format),
    },
    published:
      published === undefined
        ? undefined
        : {
            value: published,
            spread,
            source: source ?? '',
            tolerance: { value: judged.tolerance, source: tolerance?.source ?? 'none is given' },
            text: spreadText(published, spread, format),
          },
    verdict: published === undefined ? null : judgeNumber(judged),
    reason: 'reason' in outcome ? outcome.reason : undefined,
    note,
  };
}

function matrixView(known: TableData, { title, corner, columns, rows }: Matrix): MatrixView {
  return {
    title,
    corner,
    columns: columns.map(({ name, better }) => ({ name, better })),
    rows: rows.map(([row, ...cells]) => ({
      name: row,
      cells: cells.map((cell, i) => {
        const column = columns[i]!;
        return cell && cellView(known, column, { cell, group: title, row, column: column.name, format: column.format });
      }),
    })),
  };
}

const signed = (value: number, format: Format): string => (value > 0 ? `+${format(value)}` : format(value));

/** `+0.012 [0.004, 0.020], claimed above 0`. */
function effectSummary({ mean, interval, claimed }: EffectResult, format: Format): string {
  const range = interval ? ` [${interval.map((value) => signed(value, format)).join(', ')}]` : '';
  const size = claimed.size === 0 ? '0' : format(claimed.size);
  return `${signed(mean, format)}${range}, claimed ${claimed.direction} ${size}`;
}

/** What tells cells apart that are compared: their rows, their columns, or both. In brackets where it has a comma. */
function namesOf(places: readonly PlacedCell[]): string[] {
  const same = (key: 'row' | 'column'): boolean => places.every((place) => place[key] === places[0]![key]);
  return places
    .map(({ row, column }) => (same('column') ? row : same('row') ? column : `${column} of ${row}`))
    .map((name) => (name.includes(',') ? `(${name})` : name));
}

function claimView(known: TableData, claim: Claim, places: ReadonlyMap<Cell, PlacedCell>): ClaimView {
  const { table } = known;
  const result = judgeClaim(claim, (cell) => outcomeOf(known, places.get(cell)!));
  const { format } = places.get(claim.effects[0]!.cells[0]!)!;
  return {
    ...result,
    text: claim.text,
    source: claim.source ?? table.source ?? 'a question of ours',
    effects: result.effects.map((effect, i) => {
      const { text, cells } = claim.effects[i]!;
      const named = text ?? namesOf(cells.map((cell) => places.get(cell)!)).join(' - ');
      return { ...effect, text: named, summary: effectSummary(effect, format) };
    }),
  };
}

function curvesView({ table, curves }: TableData): CurvesView | undefined {
  const quantities = new Map(table.curves?.map(({ label, curve }) => [label, curve]));
  const lines = [...curves].flatMap(([label, bySeed]) => {
    const seeds = [...bySeed].map(([seed, values]) => ({ seed, values }));
    return seeds.length > 0 ? [{ label, quantity: quantities.get(label) ?? label, bySeed: seeds }] : [];
  });
  const scale = table.curveScale ? { scale: table.curveScale } : {};
  return lines.length > 0 ? { axis: table.curveAxis ?? 'epoch', ...scale, lines } : undefined;
}

/** Judges a table and writes its numbers as text. */
export function tableView(known: TableData): TableView {
  const { paper, table } = known;
  const places = new Map<Cell, PlacedCell>(cellsOf(table).map((placed) => [placed.cell, placed]));
  /** Whether all cells that the conclusion reads have numbers. */
  let isFounded = true;
  const mean = (cell: Cell): number => {
    const found = outcomeOf(known, places.get(cell)!);
    const value = 'values' in found ? summarize(found.values).mean : NaN;
    isFounded &&= Number.isFinite(value);
    return value;
  };
  const concluded = runsOf(table).length > 0 ? table.conclusion?.(mean) : undefined;
  return {
    paper: paper.name,
    name: table.name,
    title: table.title,
    source: table.source,
    setting: runsOf(table).length > 0 ? settingView(known) : undefined,
    matrix: table.matrix && matrixView(known, table.matrix),
    besides: (table.besides ?? []).map((matrix) => matrixView(known, matrix)),
    claims: (table.claims ?? []).map((claim) => claimView(known, claim, places)),
    notes: table.notes ?? [],
    conclusion: isFounded ? concluded : undefined,
    plot: table.plot,
    curves: curvesView(known),
    panels: known.panels,
    costs: known.costs.map((cost) => ({ flops: undefined, peakBytes: undefined, ...cost })),
  };
}
