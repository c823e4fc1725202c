// Plots as SVG text, drawn by vega without a browser. It is loaded by the first plot: only commands that draw wait for it.
import type { TopLevelSpec } from 'vega-lite';

/**
 * Width of a letter in parts of its height, on the safe side for common fonts. Without a canvas vega takes 0.8, and cuts names off
 * that have room.
 */
const LETTER = 0.62;

/** What vega measures texts with; its types leave it out. */
interface Measure {
  readonly textMetrics: { width: (item: { fontSize?: number }, text: unknown) => number };
}

/** A plot as SVG text. */
export async function draw(spec: TopLevelSpec): Promise<string> {
  const [vega, { compile }] = await Promise.all([import('vega'), import('vega-lite')]);
  const { parse, View } = vega;
  (vega as unknown as Measure).textMetrics.width = ({ fontSize = 11 }, text) => LETTER * fontSize * String(text).length;
  const view = new View(parse(compile(spec).spec), { renderer: 'none' });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}
