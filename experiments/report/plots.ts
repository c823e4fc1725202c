// Line plots as SVG text, drawn by vega without a browser.
import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import { summarize } from '../runner/statistics.ts';
import type { TableView } from './view.ts';

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

/** The matrix of a table as lines: rows along x, one line per column, mean and spread over seeds; published points too. */
export function cellPlot({ plot, matrix }: TableView): Promise<string> | undefined {
  if (!plot || !matrix) return undefined;
  const values = matrix.rows.flatMap(({ name: x, cells }) =>
    cells.flatMap((cell, i): Point[] => {
      const column = matrix.columns[i]!.name;
      const [ours, published] = [cell?.ours, cell?.published];
      return [
        ...(ours ? [{ x, y: ours.mean, low: ours.mean - ours.std, high: ours.mean + ours.std, line: column }] : []),
        ...(published
          ? [{ x, y: published.value, low: published.value, high: published.value, line: `${column}, published` }]
          : []),
      ];
    }),
  );
  return draw(lines(values, { title: plot.x, type: 'ordinal' }, plot.y));
}

/** Curves over epochs, mean and spread over seeds. */
export function curvePlot({ curves }: TableView): Promise<string> | undefined {
  const values: Point[] = [];
  for (const { label, bySeed } of curves?.lines ?? []) {
    const points = Math.min(...bySeed.map(({ values }) => values.length));
    for (let at = 0; at < points && Number.isFinite(points); at++) {
      const { mean, std } = summarize(bySeed.map(({ values }) => values[at]!));
      values.push({ x: at + 1, y: mean, low: mean - std, high: mean + std, line: label });
    }
  }
  if (values.length === 0) return undefined;
  return draw(lines(values, { title: curves!.axis, type: 'quantitative' }, ''));
}
