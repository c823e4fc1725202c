// Results as one self-contained HTML page: the facts of each run, its plots, and its tables as they are printed.
import { html, Html } from '../../experiments/report/html.ts';
import type { ReadDocument } from './document.ts';
import { peersPlot, rooflinePlot, scalingPlot, sweepPlot } from './plots.ts';
import { caseText, groupText, stepText, sweepText } from './tables.ts';
import type { CaseResult } from '../contestants/run.ts';

/** Columns of the tables: a page scrolls. */
const WIDTH = 240;

const style = `body { font: 15px/1.4 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem }
pre { overflow-x: auto; font-size: 12px } figure { margin: 1rem 0; overflow-x: auto } figcaption { font-weight: 600 }`;

async function figure(caption: string, plot: Promise<string> | undefined): Promise<Html | undefined> {
  return (
    plot &&
    html`<figure>
      <figcaption>${caption}</figcaption>
      ${new Html(await plot)}
    </figure>`
  );
}

function machineText({ machine, versions, device, driver }: ReadDocument): string {
  const load = (machine.loadAverageBefore as number[] | undefined)?.map((each) => each.toFixed(1)).join(', ');
  const facts = [
    device,
    typeof driver === 'string' ? driver : undefined,
    `${String(machine.processor)}, ${String(machine.cores)} cores, ${String(machine.platform)}`,
    `load average before: ${load ?? 'unknown'}`,
    Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', '),
  ];
  return facts.filter((fact) => fact !== undefined).join('; ');
}

const block = (text: string): Html => html`<pre>${text}</pre>`;

async function section(name: string, result: ReadDocument): Promise<Html> {
  const { cases, groups, steps, ceilings, method } = result;
  const swept = groups.filter(({ point }) => point !== undefined);
  const facts = new Map(steps.map((each) => [each.name, each]));
  const roofs = ceilings
    ? `Ceilings: ${ceilings.gflops.toFixed(1)} GFLOP/s, ${ceilings.gbps.toFixed(1)} GB/s.`
    : undefined;
  return html`<section>
    <h2>${name}</h2>
    <p><code>${result.command}</code>, ${result.finished}, ${result.seconds} s</p>
    <p>${machineText(result)}</p>
    <p>${method} ${roofs}</p>
    ${await figure('Roofline', rooflinePlot(result))} ${await figure('Scaling with threads', scalingPlot(result))}
    ${await figure('Sweep over the batch', sweepPlot(result, 'batch'))}
    ${await figure('Sweep over the channels', sweepPlot(result, 'channels'))}
    ${await figure('Beside the peers', peersPlot(result))} ${swept.length > 0 ? block(sweepText(swept)) : undefined}
    ${cases.map((each) => {
      const step = facts.get(each.name);
      return [block(caseText(each as unknown as CaseResult, WIDTH)), step ? block(stepText(step, WIDTH)) : undefined];
    })}
    ${groups.map((each) => block(groupText(each, WIDTH)))}
  </section>`;
}

/** The page of some results by name. */
export async function resultsPage(results: ReadonlyMap<string, ReadDocument>): Promise<string> {
  const sections = await Promise.all([...results].map(([name, result]) => section(name, result)));
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>wgrad benchmarks</title>
        <style>
          ${new Html(style)}
        </style>
      </head>
      <body>
        <h1>wgrad benchmarks</h1>
        ${sections}
      </body>
    </html> `;
  return page.text;
}
