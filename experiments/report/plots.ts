// The plots of a report: published numbers against ours, matrices as lines, and curves with their seeds. Colours are names that
// the style sheet defines for light and dark. No plot is wider than a small telephone: wide pages show several side by side.
import type { TopLevelSpec } from 'vega-lite';
import { summarize } from '../runner/statistics.ts';
import { draw } from './vega.ts';
import type { CellView, CurvesView, MatrixView, TableView } from './view.ts';

/** A picture with its caption, and what it shows in words. */
export interface Plot {
  readonly svg: string;
  readonly caption: string;
  readonly description: string;
}

const WIDTH = 372;
const HEIGHT = 220;
/** A row of dots below its name. */
const ROW = 40;

/** Lines that one plot can tell apart. */
const LINES_TOGETHER = 6;
const COLOURS = Array.from({ length: LINES_TOGETHER }, (_, i) => `var(--line-${i + 1})`);
/** Told by more than colour. */
const DASHES = [[1, 0], [7, 3], [2, 2], [7, 2, 2, 2], [12, 3], [4, 2]]; // prettier-ignore

const frame = {
  width: WIDTH,
  autosize: { type: 'fit-x', contains: 'padding' },
  background: 'transparent',
  config: {
    aria: false,
    font: 'system-ui, sans-serif',
    view: { stroke: null },
    axis: {
      labelColor: 'var(--ink)',
      titleColor: 'var(--soft)',
      gridColor: 'var(--rule)',
      domainColor: 'var(--rule)',
      tickColor: 'var(--rule)',
      labelFontSize: 12,
      titleFontSize: 12,
      titleFontWeight: 'normal',
    },
    legend: { labelColor: 'var(--ink)', labelFontSize: 12, labelLimit: WIDTH - 40 },
  },
} as const;

const isDrawn = ({ ours, published }: CellView): boolean => ours !== undefined && published !== undefined;

/** Ours as a point with its interval and a tick for each seed, the published number as a diamond, for each name. */
async function dots(entries: readonly { name: string; cell: CellView }[], caption: string): Promise<Plot> {
  const drawn = entries.filter(({ cell }) => isDrawn(cell));
  const ours = drawn.map(({ name, cell: { ours } }) => {
    const [low, high] = ours!.interval ?? [ours!.mean, ours!.mean];
    return { name, mean: ours!.mean, low, high };
  });
  const seeds = drawn.flatMap(({ name, cell }) => cell.ours!.bySeed.map(({ value }) => ({ name, value })));
  const published = drawn.map(({ name, cell: { published } }) => {
    const { value, spread = 0 } = published!;
    return { name, value, low: value - spread, high: value + spread };
  });
  const y = { field: 'name', type: 'nominal', sort: null, axis: null } as const;
  const x = (field: string) =>
    ({ field, type: 'quantitative', title: null, scale: { zero: false, nice: true }, axis: { tickCount: 4 } }) as const;
  const spec: TopLevelSpec = {
    ...frame,
    height: ROW * drawn.length,
    layer: [
      {
        data: { values: ours },
        mark: {
          type: 'text',
          align: 'left',
          baseline: 'bottom',
          dy: -9,
          fontSize: 12,
          limit: WIDTH,
          color: 'var(--ink)',
        },
        encoding: { y, x: { value: 0 }, text: { field: 'name' } },
      },
      {
        data: { values: ours },
        mark: { type: 'rule', color: 'var(--rule)' },
        encoding: { y, x: { value: 0 }, x2: { value: 'width' } },
      },
      {
        data: { values: seeds },
        mark: { type: 'tick', color: 'var(--ours)', opacity: 0.6, thickness: 1, size: 14 },
        encoding: { y, x: x('value') },
      },
      {
        data: { values: ours },
        mark: { type: 'rule', color: 'var(--ours)', strokeWidth: 4, opacity: 0.45 },
        encoding: { y, x: x('low'), x2: { field: 'high' } },
      },
      {
        data: { values: published },
        mark: { type: 'rule', color: 'var(--published)', strokeWidth: 1.5 },
        encoding: { y, x: x('low'), x2: { field: 'high' } },
      },
      {
        data: { values: ours },
        mark: { type: 'point', shape: 'circle', filled: true, opacity: 1, size: 60, color: 'var(--ours)' },
        encoding: { y, x: x('mean') },
      },
      {
        data: { values: published },
        mark: { type: 'point', shape: 'diamond', opacity: 1, size: 90, stroke: 'var(--published)', strokeWidth: 2 },
        encoding: { y, x: x('value') },
      },
    ],
  };
  const words = drawn.map(({ name, cell }) => `${name}: ours ${cell.ours!.text}, published ${cell.published!.text}`);
  return { svg: await draw(spec), caption, description: `${caption}. ${words.join('; ')}.` };
}

export const directions = { higher: '↑\u00a0higher is better', lower: '↓\u00a0lower is better' } as const;

/** Published numbers against ours, by column; a single row in one plot. Empty where nothing can be set side by side. */
export async function publishedPlots({ matrix, setting, paper, name }: TableView): Promise<Plot[]> {
  if (!matrix || !setting) return [];
  const title = `${paper}/${name}, ${setting.preset}${setting.data.real ? '' : ' on a stand-in'}`;
  const { columns, rows } = matrix;
  const cellAt = (row: MatrixView['rows'][number], i: number): CellView[] => (row.cells[i] ? [row.cells[i]] : []);
  const plots =
    rows.length === 1
      ? [
          {
            caption: `${title}: ${rows[0]!.name}`,
            better: columns[0]!.better,
            entries: columns.flatMap((column, i) => cellAt(rows[0]!, i).map((cell) => ({ name: column.name, cell }))),
          },
        ]
      : columns.map((column, i) => ({
          caption: `${title}: ${column.name}`,
          better: column.better,
          entries: rows.flatMap((row) => cellAt(row, i).map((cell) => ({ name: row.name, cell }))),
        }));
  return Promise.all(
    plots
      .filter(({ entries }) => entries.some(({ cell }) => isDrawn(cell)))
      .map(({ caption, better, entries }) => dots(entries, caption + (better ? `, ${directions[better]}` : ''))),
  );
}

interface Point {
  readonly x: string | number;
  readonly y: number;
  readonly low: number;
  readonly high: number;
  readonly line: string;
}

const legend = (names: readonly string[]) => ({
  color: {
    field: 'line',
    type: 'nominal',
    scale: { domain: [...names], range: COLOURS },
    legend: { title: null, orient: 'bottom', columns: 1, symbolType: 'stroke', symbolSize: 400, symbolStrokeWidth: 2,
      symbolOpacity: 1,
    },
  },
  strokeDash: { field: 'line', type: 'nominal', scale: { domain: [...names], range: DASHES }, legend: { title: null } },
}) as const; // prettier-ignore

/** The matrix of a table as lines: rows along x, one line per column, mean and interval over seeds; published points too. */
export async function cellPlot({ plot, matrix, title }: TableView): Promise<Plot | undefined> {
  if (!plot || !matrix) return undefined;
  const cells = matrix.rows.flatMap(({ name: x, cells }) =>
    cells.flatMap((cell, i) => (cell ? [{ x, cell, line: matrix.columns[i]!.name }] : [])),
  );
  const ours = cells.flatMap(({ x, line, cell: { ours } }): Point[] => {
    const [low, high] = ours?.interval ?? [ours?.mean ?? 0, ours?.mean ?? 0];
    return ours ? [{ x, y: ours.mean, low, high, line }] : [];
  });
  if (ours.length === 0) return undefined;
  const published = cells.flatMap(({ x, line, cell }) =>
    cell.published ? [{ x, y: cell.published.value, line }] : [],
  );
  const x = { field: 'x', type: 'ordinal', sort: null, title: plot.x, axis: { labelAngle: 0 } } as const;
  const y = (field: string) => ({ field, type: 'quantitative', title: plot.y, scale: { zero: false } }) as const;
  const { color, strokeDash } = legend(matrix.columns.map(({ name }) => name));
  const spec: TopLevelSpec = {
    ...frame,
    height: HEIGHT,
    layer: [
      {
        data: { values: ours },
        mark: { type: 'rule', strokeWidth: 4, opacity: 0.45 },
        encoding: { x, y: y('low'), y2: { field: 'high' }, color },
      },
      { data: { values: ours }, mark: 'line', encoding: { x, y: y('y'), color, strokeDash } },
      {
        data: { values: ours },
        mark: { type: 'point', filled: true, opacity: 1 },
        encoding: { x, y: y('y'), color },
      },
      {
        data: { values: published },
        mark: { type: 'point', shape: 'diamond', size: 90, opacity: 1, stroke: 'var(--published)', strokeWidth: 2 },
        encoding: { x, y: y('y') },
      },
    ],
  };
  const caption = `${plot.y} by ${plot.x}${published.length > 0 ? '; diamonds are published numbers' : ''}`;
  return { svg: await draw(spec), caption, description: `${title}: ${caption}. The numbers stand in the table.` };
}

const number = (value: number): string => String(Number(value.toPrecision(3)));

/** Curves of one plot: each seed as a thin line, their mean with a band of one standard deviation. */
async function curvePlot(
  lines: CurvesView['lines'],
  { axis, scale }: CurvesView,
  quantity: string | undefined,
): Promise<Plot> {
  // A logarithm has no place for what lies at 0 or below.
  const isShown = (value: number): boolean => Number.isFinite(value) && (scale !== 'log' || value > 0);
  const seeds = lines.flatMap(({ label: line, bySeed }) =>
    bySeed.flatMap(({ seed, values }) =>
      values.flatMap((y, i) => (isShown(y) ? [{ x: i + 1, y, line, thread: `${line} ${seed}` }] : [])),
    ),
  );
  const floor = scale === 'log' ? Math.min(...seeds.map(({ y }) => y)) : -Infinity;
  const means = lines.flatMap(({ label: line, bySeed }): Point[] => {
    const points = Math.min(...bySeed.map(({ values }) => values.length));
    return Array.from({ length: Number.isFinite(points) ? points : 0 }, (_, i) => {
      const { mean, std } = summarize(bySeed.map(({ values }) => values[i]!));
      return { x: i + 1, y: mean, low: Math.max(floor, mean - std), high: mean + std, line };
    }).filter(({ y }) => isShown(y));
  });
  const x = { field: 'x', type: 'quantitative', title: axis, axis: { tickMinStep: 1, tickCount: 6 } } as const;
  const y = (field: string) =>
    ({
      field,
      type: 'quantitative',
      title: null,
      scale: scale ? { type: scale } : { zero: false },
      axis: { tickCount: 5 },
    }) as const;
  const { color, strokeDash } = legend(lines.map(({ label }) => label));
  const spec: TopLevelSpec = {
    ...frame,
    height: HEIGHT,
    layer: [
      {
        data: { values: means },
        // Where many bands lie over one another, each is fainter.
        mark: { type: 'area', opacity: lines.length > 3 ? 0.08 : 0.16 },
        encoding: { x, y: y('low'), y2: { field: 'high' }, color },
      },
      {
        data: { values: seeds },
        mark: { type: 'line', strokeWidth: 0.75, opacity: 0.55 },
        encoding: { x, y: y('y'), color, detail: { field: 'thread' } },
      },
      {
        data: { values: means },
        mark: { type: 'line', strokeWidth: 2 },
        encoding: { x, y: y('y'), color, strokeDash },
      },
    ],
  };
  const several = lines.some(({ bySeed }) => bySeed.length > 1);
  const what = several ? 'mean of the seeds, one standard deviation, each seed as a thin line' : 'one seed';
  const caption = `${quantity ?? 'Curves'} by ${axis}: ${what}`;
  const words = lines.flatMap(({ label }) => {
    const own = means.filter(({ line }) => line === label);
    return own.length > 0 ? [`${label} from ${number(own[0]!.y)} to ${number(own.at(-1)!.y)}`] : [];
  });
  return { svg: await draw(spec), caption, description: `${quantity ?? 'Curves'} by ${axis}: ${words.join('; ')}.` };
}

/** Lines of one quantity together, then those whose quantity no other has. */
function byQuantity(lines: CurvesView['lines']): { quantity: string | undefined; lines: CurvesView['lines'] }[] {
  const quantities = [...new Set(lines.map(({ quantity }) => quantity))];
  const groups = quantities.map((quantity) => ({
    quantity,
    lines: lines.filter((line) => line.quantity === quantity),
  }));
  const single = groups.filter(({ lines }) => lines.length === 1).flatMap(({ lines }) => lines);
  const shared = groups.filter(({ lines }) => lines.length > 1);
  return single.length > 0 ? [...shared, { quantity: undefined, lines: single }] : shared;
}

/** Learning curves, a few lines in each plot. */
export function curvePlots({ curves }: TableView): Promise<Plot[]> {
  const plots = byQuantity(curves?.lines ?? []).flatMap(({ quantity, lines }) => {
    // As many in each plot, not six and one.
    const count = Math.ceil(lines.length / LINES_TOGETHER);
    const size = Math.ceil(lines.length / count);
    return Array.from({ length: count }, (_, i) => ({ quantity, lines: lines.slice(i * size, (i + 1) * size) }));
  });
  return Promise.all(plots.map(({ quantity, lines }) => curvePlot(lines, curves!, quantity)));
}
