// Plots as SVG text, drawn by vega without a browser. It is loaded by the first plot: only commands that draw wait for it.
import type { TopLevelSpec } from 'vega-lite';

/** A plot as SVG text. */
export async function draw(spec: TopLevelSpec): Promise<string> {
  const [{ parse, View }, { compile }] = await Promise.all([import('vega'), import('vega-lite')]);
  const view = new View(parse(compile(spec).spec), { renderer: 'none' });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}
