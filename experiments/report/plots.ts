// Line plots as SVG text, drawn by vega without a browser.
import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import type { JudgedTable } from '../runner/results.ts';
import { summarize } from '../runner/statistics.ts';

const WIDTH = 460;
const HEIGHT = 260;

/** A plot as SVG text. */
export async function draw(spec: TopLevelSpec): Promise<string> {
  const view = new View(parse(compile(spec).spec), { renderer: 'none' });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}

interface Point {
  x: string | number;
  y: number;
  low: number;
  high: number;
  line: string;
}

const lines = (values: Point[], x: { title: string; type: 'ordinal' | 'quantitative' }, y: string): TopLevelSpec => ({
  width: WIDTH,
  height: HEIGHT,
  background: 'white',
  data: { values },
  encoding: {
    x: {
      field: 'x',
      type: x.type,
      title: x.title,
      ...(x.type === 'ordinal' ? { sort: null, axis: { labelAngle: 0 } } : { axis: { tickMinStep: 1 } }),
    },
    color: {
      field: 'line',
      type: 'nominal',
      title: null,
      sort: null,
      legend: { labelLimit: 0, symbolOpacity: 1 },
    },
  },
  layer: [
    {
      mark: x.type === 'ordinal' ? { type: 'rule', opacity: 0.6 } : { type: 'area', opacity: 0.15 },
      encoding: {
        y: { field: 'low', type: 'quantitative', title: y, scale: { zero: false } },
        y2: { field: 'high' },
      },
    },
    {
      mark: { type: 'line', point: true },
      encoding: { y: { field: 'y', type: 'quantitative', title: y, scale: { zero: false } } },
    },
  ],
});

/** The cells of a table as lines: rows along x, one line per column, mean and spread over seeds; published points too. */
export function cellPlot({ table, result }: JudgedTable): Promise<string> | undefined {
  if (!table.plot) return undefined;
  const values = result.cells.flatMap(({ row, column, ours, published }): Point[] => [
    ...(ours ? [{ x: row, y: ours.mean, low: ours.mean - ours.std, high: ours.mean + ours.std, line: column }] : []),
    ...(published === null
      ? []
      : [{ x: row, y: published, low: published, high: published, line: `${column}, published` }]),
  ]);
  return draw(lines(values, { title: table.plot.x, type: 'ordinal' }, table.plot.y));
}

/** Curves over epochs, mean and spread over seeds. */
export function curvePlot({ table, records }: JudgedTable): Promise<string> | undefined {
  const values: Point[] = [];
  for (const { run, curve, label } of table.curves ?? []) {
    const perSeed = (records.get(run) ?? []).flatMap(({ result }) => [result.curves?.[curve] ?? []]);
    const epochs = Math.min(...perSeed.map((each) => each.length));
    for (let epoch = 0; epoch < epochs && Number.isFinite(epochs); epoch++) {
      const { mean, std } = summarize(perSeed.map((each) => each[epoch]!));
      values.push({ x: epoch + 1, y: mean, low: mean - std, high: mean + std, line: label });
    }
  }
  if (values.length === 0) return undefined;
  return draw(lines(values, { title: table.curveAxis ?? 'epoch', type: 'quantitative' }, ''));
}
