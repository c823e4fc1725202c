// One curve, with a line for each seed. The line above the plot says the last values, or those at the cursor, which all plots share and
// which the arrow keys move.
import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import type { Curve } from '../state.ts';
import { numberText } from './text.ts';

/** Colours of lines in the palette: `--line-1` and so on. */
export const lineColours = 6;
const HEIGHT = 170;
const SYNC = 'all';

/** What a colour of the palette is now: a canvas knows no `light-dark()`. */
function colourOf(name: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

/** Counts the changes between light and dark. */
function useScheme(): number {
  const [count, setCount] = useState(0);
  useEffect(() => {
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const change = (): void => setCount((before) => before + 1);
    dark.addEventListener('change', change);
    return () => dark.removeEventListener('change', change);
  }, []);
  return count;
}

/** Points from 1, and the values of each seed, in the order of the seeds; a seed without values has an empty line. */
function dataOf({ bySeed }: Curve, seeds: readonly number[]): uPlot.AlignedData {
  const points = Math.max(...bySeed.map(({ values }) => values.length));
  const lines = seeds.map((seed) => {
    const values = bySeed.find((each) => each.seed === seed)?.values ?? [];
    return Array.from({ length: points }, (_, i) => values[i] ?? null);
  });
  return [Array.from({ length: points }, (_, i) => i + 1), ...lines];
}

function optionsOf(seeds: readonly number[], isLogarithmic: boolean, width: number): uPlot.Options {
  const [ink, grid] = [colourOf('--soft'), colourOf('--rule')];
  const font = '12px system-ui, sans-serif';
  const axis: uPlot.Axis = { stroke: ink, font, grid: { stroke: grid, width: 1 }, ticks: { show: false } };
  return {
    width,
    height: HEIGHT,
    padding: [10, 12, 0, 0],
    legend: { show: false },
    cursor: { sync: { key: SYNC }, y: false, drag: { x: false, y: false }, points: { size: 7 } },
    scales: { x: { time: false }, y: { distr: isLogarithmic ? 3 : 1 } },
    axes: [
      { ...axis, size: 24, gap: 4, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000] },
      {
        ...axis,
        gap: 6,
        size: (_, texts) => 14 + 7 * Math.max(2, ...(texts ?? []).map((text) => text?.length ?? 0)),
        values: (_, ticks) => ticks.map((each) => (each === null ? '' : numberText(each))),
      },
    ],
    series: [{}, ...seeds.map((_, i) => ({ stroke: colourOf(`--line-${(i % lineColours) + 1}`), width: 1.5 }))],
  };
}

/** The values at a point, or the last ones, in the order of the seeds and the colours of their lines. */
function Reading({ curve, seeds, point }: { curve: Curve; seeds: readonly number[]; point: number | null }) {
  return (
    <span>
      {curve.bySeed.map(({ seed, values }) => (
        <b key={seed} class={`line-${(seeds.indexOf(seed) % lineColours) + 1}`}>
          {valueText(point === null ? values.at(-1) : values[point - 1])}
        </b>
      ))}
      {point !== null && ` at ${point}`}
    </span>
  );
}

/** A point that a seed does not have yet is a dash. */
const valueText = (value: number | null | undefined): string => (value === undefined ? '–' : numberText(value));

/** What is drawn, in words. */
function description({ name, bySeed }: Curve): string {
  const lines = bySeed.map(
    ({ seed, values }) => `seed ${seed}: ${values.length} points, the last one ${valueText(values.at(-1))}`,
  );
  return `${name}. ${lines.join('; ')}. Left and right move the cursor.`;
}

export function Chart(props: { curve: Curve; seeds: readonly number[]; isLogarithmic: boolean }) {
  const { curve, seeds, isLogarithmic } = props;
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [point, setPoint] = useState<number | null>(null);
  const scheme = useScheme();
  const data = dataOf(curve, seeds);
  const isPositive = curve.bySeed.every(({ values }) => values.every((value) => value === null || value > 0));
  const distribution = isLogarithmic && isPositive;

  useEffect(() => {
    const box = place.current!;
    const made = new uPlot(optionsOf(seeds, distribution, box.clientWidth || 300), data, box);
    made.hooks.setCursor = [(each) => setPoint(each.cursor.idx == null ? null : each.cursor.idx + 1)];
    plot.current = made;
    const sizes = new ResizeObserver(() => {
      if (box.clientWidth > 0 && box.clientWidth !== made.width)
        made.setSize({ width: box.clientWidth, height: HEIGHT });
    });
    sizes.observe(box);
    return () => {
      sizes.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [scheme, distribution, seeds.join()]);
  useEffect(() => plot.current?.setData(data), [curve]);

  const move = (event: KeyboardEvent): void => {
    const by = event.key === 'ArrowLeft' ? -1 : event.key === 'ArrowRight' ? 1 : 0;
    const points = data[0].length;
    if (by === 0 || !plot.current) return;
    event.preventDefault();
    const next = Math.min(points, Math.max(1, (point ?? (by > 0 ? 0 : points + 1)) + by));
    plot.current.setCursor({ left: plot.current.valToPos(next, 'x'), top: HEIGHT / 3 });
  };
  return (
    <figure class="chart">
      <figcaption>
        <strong>{curve.name}</strong>
        <Reading curve={curve} seeds={seeds} point={point} />
      </figcaption>
      <div
        ref={place}
        class="plot"
        role="img"
        tabIndex={0}
        aria-label={description(curve)}
        onKeyDown={move}
        onBlur={() => plot.current?.setCursor({ left: -10, top: -10 })}
      />
    </figure>
  );
}
