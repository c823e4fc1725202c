// Plots of results as SVG: the roofline with every kernel below it, rates along the axes of a sweep, and how steps and peers stand.
import type { TopLevelSpec } from 'vega-lite';
import { draw } from '../../experiments/report/vega.ts';
import { isMeasured, measuredPeers, type ReadDocument } from './document.ts';

const WIDTH = 560;
const HEIGHT = 320;
const frame = { width: WIDTH, height: HEIGHT, background: 'white' } as const;

/** GFLOP/s over operations per byte, both logarithmic, below the measured ceilings; best and median of each kernel. */
export function rooflinePlot({ groups, ceilings }: ReadDocument): Promise<string> | undefined {
  const points = groups.flatMap(({ title, kernels }) =>
    kernels
      .filter(({ flops, bytes }) => flops > 0 && bytes > 0)
      .map(({ kernel, flops, bytes, gflops }) => ({ intensity: flops / bytes, gflops, kernel, title })),
  );
  if (!ceilings || points.length === 0) return undefined;
  const ridge = ceilings.gflops / ceilings.gbps;
  const [least, most] = [
    Math.min(ridge, ...points.map(({ intensity }) => intensity)) / 2,
    Math.max(ridge, ...points.map(({ intensity }) => intensity)) * 2,
  ];
  const roof = [least, ridge, most].map((intensity) => ({
    intensity,
    gflops: Math.min(ceilings.gflops, intensity * ceilings.gbps),
  }));
  const x = {
    field: 'intensity',
    type: 'quantitative',
    title: 'floating-point operations per byte',
    scale: { type: 'log' },
    axis: { grid: false, tickCount: 6 },
  } as const;
  const y = {
    field: 'gflops',
    type: 'quantitative',
    title: 'GFLOP/s',
    scale: { type: 'log' },
    axis: { tickCount: 6 },
  } as const;
  const spec: TopLevelSpec = {
    ...frame,
    layer: [
      { data: { values: roof }, mark: { type: 'line', color: 'black' }, encoding: { x, y } },
      {
        data: { values: points },
        mark: { type: 'point', filled: true, opacity: 0.6 },
        encoding: {
          x,
          y,
          color: {
            field: 'kernel',
            type: 'nominal',
            title: null,
            legend: { labelLimit: 0 },
            scale: { scheme: 'category20' },
          },
        },
      },
    ],
  };
  return draw(spec);
}

const axisTitles = { batch: 'batch', channels: 'channels, in and out' } as const;

/** Best GFLOP/s along one axis of a sweep, the others where the sweep starts. */
export function sweepPlot({ groups }: ReadDocument, axis: keyof typeof axisTitles): Promise<string> | undefined {
  const start: Readonly<Record<string, number>> = { batch: 8, channels: 64, kernel: 3, stride: 1, dilation: 1 };
  const values = groups.flatMap(({ point, kernels }) => {
    const isOnAxis = point && Object.entries(point).every(([name, value]) => name === axis || value === start[name]);
    return isOnAxis
      ? kernels.map(({ kernel, flops, min }) => ({ at: point[axis]!, gflops: flops / min / 1e9, kernel }))
      : [];
  });
  if (values.length === 0) return undefined;
  return draw({
    ...frame,
    data: { values },
    mark: { type: 'line', point: true },
    encoding: {
      x: { field: 'at', type: 'quantitative', title: axisTitles[axis], scale: { type: 'log', base: 2 } },
      y: { field: 'gflops', type: 'quantitative', title: 'GFLOP/s' },
      color: { field: 'kernel', type: 'nominal', title: null, legend: { labelLimit: 0 } },
    },
  });
}

/** How many times as fast all threads are as one, for the steps where both have been measured. */
export function scalingPlot({ cases }: ReadDocument): Promise<string> | undefined {
  const values = cases.flatMap(({ name, ours, peers }) => {
    if (!isMeasured(ours)) return [];
    const timeOf = (who: string): number | undefined =>
      measuredPeers({ peers }).find((peer) => peer.name === who)?.median;
    const pairs = [
      { who: 'wgrad', all: ours.median, one: timeOf('wgrad, 1 thread') },
      { who: 'pytorch', all: timeOf('pytorch'), one: timeOf('pytorch, 1 thread') },
    ];
    return pairs.flatMap(({ who, all, one }) => (all && one ? [{ step: name, who, times: one / all }] : []));
  });
  if (values.length === 0) return undefined;
  return draw({
    ...frame,
    data: { values },
    mark: 'bar',
    encoding: {
      y: { field: 'step', type: 'nominal', title: null, axis: { labelLimit: 0 } },
      yOffset: { field: 'who' },
      x: { field: 'times', type: 'quantitative', title: 'one thread to all of them: times as fast' },
      color: { field: 'who', type: 'nominal', title: null },
    },
  });
}

/** How many times as fast we are as each peer in each case, logarithmic, least to largest of the rounds. */
export function peersPlot({ cases }: ReadDocument): Promise<string> | undefined {
  const values = cases.flatMap((each) =>
    measuredPeers(each).map(({ name, ratio: { median, min, max } }) => ({
      case: each.name,
      peer: name,
      median,
      min,
      max,
    })),
  );
  if (values.length === 0) return undefined;
  const x = { type: 'quantitative', scale: { type: 'log' }, title: 'we are times as fast' } as const;
  const y = { field: 'case', type: 'nominal', title: null, axis: { labelLimit: 0 } } as const;
  const color = { field: 'peer', type: 'nominal', title: null, legend: { labelLimit: 0 } } as const;
  return draw({
    width: WIDTH,
    height: { step: 18 },
    background: 'white',
    data: { values },
    layer: [
      { mark: { type: 'rule', opacity: 0.5 }, encoding: { x: { ...x, field: 'min' }, x2: { field: 'max' }, y, color } },
      { mark: { type: 'point', filled: true }, encoding: { x: { ...x, field: 'median' }, y, color } },
    ],
  });
}
