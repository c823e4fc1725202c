// report.html: one file without links to others. Tables with our value beside the published one, plots, sample pictures,
// claims, controls, and where the paper is silent. Every table says its preset, data, device and seeds.
import { writeWhole } from '../runner/files.ts';
import { claimDetails, heading, remarks } from './cell-text.ts';
import { Html, html } from './html.ts';
import { cellPlot, curvePlot } from './plots.ts';
import type { CellView, MatrixView, PaperView, ProvenanceView, TableView, View } from './view.ts';

const style = `
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a; overflow-wrap: anywhere }
table { border-collapse: collapse; margin: 1rem 0; display: block; overflow-x: auto } th, td { padding: .25rem .7rem; text-align: left; border-bottom: 1px solid #ddd }
td.number { text-align: right; font-variant-numeric: tabular-nums } .setting { color: #555 } .stand-in { color: #a04000; font-weight: 600 }
td { white-space: nowrap } figure { display: inline-block; max-width: 100%; margin: 0 .8rem .5rem 0 } figcaption { font-size: 12px; color: #555 }
img { height: 128px; max-width: 100%; object-fit: contain; object-position: left; image-rendering: pixelated; display: block } svg { max-width: 100%; height: auto }
pre { overflow-x: auto; background: #f6f6f6; padding: .7rem; font-size: 12px }`;

function cellHtml(cell: CellView | null): Html {
  if (!cell) return html`<td></td>`;
  const { ours, published, verdict, note, reason } = cell;
  return html`<td class="number" title="${[published?.source, note, reason].filter(Boolean).join('; ')}">
    ${ours?.text ?? '-'}${published && html`<br /><span class="setting">${published.text}</span>`}${verdict !== null && html`<br /><span class="verdict ${verdict.replaceAll(' ', '-')}">${verdict}</span>`}
  </td>`; // prettier-ignore
}

function matrixHtml({ title, corner, columns, rows }: MatrixView): Html {
  return html`${title !== undefined && html`<h4>${title}</h4>`}
    <table>
      <thead>
        <tr>
          <th>${corner}</th>
          ${columns.map(({ name }) => html`<th>${name}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          ({ name, cells }) =>
            html`<tr>
              <th>${name}</th>
              ${cells.map(cellHtml)}
            </tr>`,
        )}
      </tbody>
    </table>`;
}

const claimList = ({ claims }: TableView): Html | undefined =>
  claims.length === 0
    ? undefined
    : html`<h4>Claims</h4>
        <ul>
          ${claims.map(
            (claim) => html`<li>${claim.text} (${claim.source}): <b>${claim.verdict}</b>; ${claimDetails(claim)}</li>`,
          )}
        </ul>`;

function panelRows({ panels, setting }: TableView): Html | undefined {
  if (panels.length === 0) return undefined;
  const rows = panels.map(
    ({ label, images }) =>
      html`<p>${label}</p>
        <div>
          ${images.map(
            ({ caption, png }) =>
              html`<figure>
                <img alt="${caption}" src="data:image/png;base64,${png}" />
                <figcaption>${caption}</figcaption>
              </figure>`,
          )}
        </div>`,
  );
  return html`<h4>Samples of seed ${setting?.seeds[0]}</h4>
    ${rows}`;
}

async function section(table: TableView): Promise<Html> {
  const { setting, matrix, besides, notes, conclusion } = table;
  const plots = (await Promise.all([cellPlot(table), curvePlot(table)])).filter((plot) => plot !== undefined);
  return html`<section>
    <h3>${heading(table)}</h3>
    <p class="${setting?.data.real === false ? 'stand-in' : 'setting'}">${setting?.text ?? 'nothing was run'}</p>
    <p class="setting">${setting?.presetText}</p>
    ${matrix && matrixHtml(matrix)} ${plots.map((svg) => new Html(svg))} ${claimList(table)} ${besides.map(matrixHtml)}
    ${remarks(table).map((text) => html`<p class="setting">${text}</p>`)} ${notes.map((note) => html`<p>${note}</p>`)}
    ${conclusion !== undefined && html`<p><b>Conclusion.</b> ${conclusion}</p>`} ${panelRows(table)}
  </section>`;
}

const legend = html`<p class="setting">
  Each cell: ours over the published number, and a verdict. <b>reproduced</b>: the 90 % interval of our mean over at
  least three seeds lies within the tolerance of the published number. <b>better than published</b>: beyond it in the
  better direction. <b>not reproduced</b>: otherwise. <b>not comparable</b>: a stand-in or below the paper's scale, of
  which only claims are judged. A claim <b>holds</b> in the means, in two thirds of the seeds, and beyond the 90 %
  interval of the paired difference; it is <b>within noise</b> if only in the means, and <b>fails</b> if not there.
</p>`;

const paperHtml = ({ title, citation, choices }: PaperView): Html =>
  html`<section>
    <h3>${title}</h3>
    <p>${citation}</p>
    <h4>Where the paper is silent or contradicts itself, and our choice</h4>
    <ol>
      ${choices.map((text) => html`<li>${text}</li>`)}
    </ol>
  </section>`;

const provenanceHtml = ({ folder, facts, manifest }: ProvenanceView): Html =>
  html`<details>
    <summary>Where the numbers come from: ${folder}</summary>
    <ul>
      ${facts.map(({ name, value }) => html`<li>${name}: ${value}</li>`)}
    </ul>
    <pre>${JSON.stringify(manifest ?? null, null, 2)}</pre>
  </details>`;

/** The whole page. */
export async function htmlText({ papers, provenance, problems }: View): Promise<string> {
  const sections: Html[] = [];
  for (const table of papers.flatMap(({ tables }) => tables)) sections.push(await section(table));
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>wgrad: ${papers.map(({ name }) => name).join(', ')}</title>
        <style>
          ${new Html(style)}
        </style>
      </head>
      <body>
        <h1>Reproduction report</h1>
        ${problems.map((problem) => html`<p class="stand-in">Not used: ${problem}</p>`)} ${legend} ${sections}
        ${papers.map(paperHtml)} ${provenance.map(provenanceHtml)}
      </body>
    </html>`;
  return page.text;
}

/** Writes the report of a command. */
export const writeReport = async (file: string, view: View): Promise<void> => writeWhole(file, await htmlText(view));
