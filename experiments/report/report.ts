// report.html: one file without links to others. Tables with our value beside the published one, plots, sample pictures,
// claims, controls, and where the paper is silent. Every table says its preset, data, device and seeds.
import type { Manifest } from '../runner/manifest.ts';
import { writeWhole } from '../runner/files.ts';
import { overridesText } from '../runner/overrides.ts';
import type { Picture, TableDefinition } from '../runner/paper.ts';
import { type JudgedTable, noData } from '../runner/results.ts';
import { seedsText } from '../runner/seeds.ts';
import { type CellResult, meansOf } from '../runner/verdict.ts';
import { Html, html } from './html.ts';
import { cellPlot, curvePlot } from './plots.ts';

const style = `
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a; overflow-wrap: anywhere }
table { border-collapse: collapse; margin: 1rem 0; display: block; overflow-x: auto } th, td { padding: .25rem .7rem; text-align: left; border-bottom: 1px solid #ddd }
td.number { text-align: right; font-variant-numeric: tabular-nums } .setting { color: #555 } .stand-in { color: #a04000; font-weight: 600 }
td { white-space: nowrap } figure { display: inline-block; max-width: 100%; margin: 0 .8rem .5rem 0 } figcaption { font-size: 12px; color: #555 }
img { height: 128px; max-width: 100%; object-fit: contain; object-position: left; image-rendering: pixelated; display: block } svg { max-width: 100%; height: auto }
pre { overflow-x: auto; background: #f6f6f6; padding: .7rem; font-size: 12px }`;

/** `mean ± spread`, without a spread for one seed. */
export const oursText = (cell: CellResult, format: (value: number) => string): string =>
  cell.ours ? format(cell.ours.mean) + (cell.ours.n > 1 ? ` ± ${format(cell.ours.std)}` : '') : '-';

/** The published number with the spread printed beside it. */
export function publishedText({ row, column, published }: CellResult, table: TableDefinition): string {
  if (published === null) return '-';
  const spread = table.cells.find((cell) => cell.row === row && cell.column === column)?.publishedSpread;
  return table.format(published) + (spread === undefined ? '' : ` ± ${table.format(spread)}`);
}

export const verdictText = (cell: CellResult): string => cell.verdict ?? 'control';

/** What was run: preset, data, device, seeds. A stand-in is called one. */
export function settingText({ result, data, seeds }: JudgedTable): string {
  if (data === noData) return 'nothing was run';
  const stand = data.real ? '' : " (a stand-in for the paper's data)";
  const change = result.set ? `, with ${overridesText(result.set)}` : '';
  return `preset ${result.preset}${change}, data: ${data.name}${stand}, device ${result.device}, ${seedsText(seeds)}`;
}

function cellTable({ table, result }: JudgedTable): Html {
  const rows = result.cells.map(
    (cell) =>
      html`<tr>
        <td>${cell.row}</td>
        <td>${cell.column}</td>
        <td class="number">${publishedText(cell, table)}</td>
        <td class="number">${oursText(cell, table.format)}</td>
        <td class="verdict">${verdictText(cell)}</td>
      </tr>`,
  );
  const reasons = [...new Set(result.cells.flatMap(({ reason }) => reason ?? []))];
  return html`<table>
      <thead>
        <tr>
          <th>row</th>
          <th>column</th>
          <th>published</th>
          <th>ours</th>
          <th>verdict</th>
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
    ${reasons.map((reason) => html`<p class="setting">Not attempted: ${reason}.</p>`)}`;
}

function claimList({ claims }: JudgedTable): Html | undefined {
  if (claims.length === 0) return undefined;
  const items = claims.map(({ text, holds, seedsHolding, seeds }) => {
    const state = holds === null ? 'not tested' : holds ? 'holds in the means' : 'does not hold in the means';
    return html`<li>${text}: <b>${state}</b>${seeds > 0 ? `, in ${seedsHolding} of ${seeds} single seeds` : ''}</li>`;
  });
  return html`<h4>Claims</h4>
    <ul>
      ${items}
    </ul>`;
}

/** The pictures of several runs of one sample in one row, equal pictures once; labels that differ become captions. */
function together(rows: readonly (readonly [run: string, picture: Picture])[]): Picture {
  const images = rows.flatMap(([run, picture]) =>
    picture.images.map(({ caption, png }) => ({ caption: `${run}: ${caption}`, png })),
  );
  const first = (png: string): number => images.findIndex((image) => image.png === png);
  return {
    label: rows.map(([run, { label }]) => `${run}: ${label}`).join('; '),
    images: images.filter(({ png }, i) => first(png) === i),
  };
}

function pictureRows({ table, records }: JudgedTable): Html | undefined {
  const runs = (table.pictures ?? []).flatMap((run) => {
    const pictures = records.get(run)?.[0]?.result.pictures;
    return pictures ? [{ run, pictures }] : [];
  });
  const samples = Math.max(0, ...runs.map(({ pictures }) => pictures.length));
  const pictures = table.picturesTogether
    ? Array.from({ length: samples }, (_, i) =>
        together(runs.flatMap(({ run, pictures }) => (pictures[i] ? [[run, pictures[i]] as const] : []))),
      )
    : runs.flatMap(({ run, pictures }) => pictures.map((each) => ({ ...each, label: `${run}, ${each.label}` })));
  const rows = pictures.map(
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
  return rows.length > 0
    ? html`<h4>Samples of seed 0</h4>
        ${rows}`
    : undefined;
}

async function section(judged: JudgedTable): Promise<Html> {
  const { paper, table, data, result } = judged;
  const plots = (await Promise.all([cellPlot(judged), curvePlot(judged)])).filter((plot) => plot !== undefined);
  const complete = result.cells.every((cell) => cell.ours);
  const conclusion = table.conclusion && complete ? table.conclusion(meansOf(result.cells)) : undefined;
  return html`<section>
    <h3>${paper.name}/${table.name}: ${table.title}</h3>
    <p class="${data.real || data === noData ? 'setting' : 'stand-in'}">${settingText(judged)}</p>
    <p class="setting">${data === noData ? undefined : paper.presets[result.preset]}</p>
    ${cellTable(judged)} ${plots.map((svg) => new Html(svg))} ${claimList(judged)}
    ${table.notes.map((note) => html`<p>${note}</p>`)} ${conclusion && html`<p><b>Conclusion.</b> ${conclusion}</p>`}
    ${pictureRows(judged)}
  </section>`;
}

const verdictLegend = html`<p class="setting">
  Verdicts. <b>reproduced</b>: the paper's own data at full size, our mean within the larger of the tolerance and our
  own spread of the published number, and no claim about the cell fails. <b>same ordering</b>: all of the paper's claims
  about the cell hold in our means. <b>not reproduced</b>: otherwise. <b>not attempted</b>: no run, with the reason.
  <b>control</b>: a number of ours that the paper does not have.
</p>`;

/** Writes the report of a command. */
export async function writeReport(file: string, tables: readonly JudgedTable[], manifest: Manifest): Promise<void> {
  const sections: Html[] = [];
  for (const judged of tables) sections.push(await section(judged));
  const papers = [...new Set(tables.map(({ paper }) => paper))];
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
        <p class="setting">
          wgrad ${manifest.wgrad}, node ${manifest.node}, ${manifest.processor}, ${manifest.finished}
        </p>
        ${verdictLegend} ${sections}
        ${papers.map(
          (paper) =>
            html`<section>
              <h3>${paper.title}</h3>
              <p>${paper.citation}</p>
              <h4>Where the paper is silent or contradicts itself, and our choice</h4>
              <ol>
                ${paper.ambiguities.map((text) => html`<li>${text}</li>`)}
              </ol>
            </section>`,
        )}
        <details>
          <summary>Manifest</summary>
          <pre>${JSON.stringify(manifest, null, 2)}</pre>
        </details>
      </body>
    </html>`;
  await writeWhole(file, page.text);
}
