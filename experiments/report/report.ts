// report.html: one file without scripts and without requests. What was found, the published numbers against ours, then each
// table, the protocol of each paper, and where the numbers come from.
import { writeWhole } from '../runner/files.ts';
import base from './base.css?text';
import { finding } from './finding.ts';
import folded from './folded.css?text';
import { Html, html } from './html.ts';
import { plotKey } from './marks.ts';
import { publishedPlots } from './plots.ts';
import media from './media.css?text';
import frame from './report.css?text';
import { anchorsOf, plotGrid, tableSection, verdictMark } from './table-section.ts';
import ofTables from './tables.css?text';
import type { PaperView, ProvenanceView, TableView, View } from './view.ts';

const style = [base, frame, ofTables, folded, media].join('\n');

/** Plots at the top of the page; the others are folded. */
const PLOTS_ON_TOP = 6;

/** Nothing is loaded from anywhere, and no script runs. */
const policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

const themes = [
  ['auto', 'as the system'],
  ['light', 'light'],
  ['dark', 'dark'],
] as const;

const themeSwitch = html`<fieldset class="theme">
  <legend>Colours</legend>
  ${themes.map(
    ([name, text], i) =>
      html`<label><input type="radio" name="theme" id="theme-${name}" ${new Html(i === 0 ? 'checked' : '')} />${text}</label>`,
  )}
</fieldset>`; // prettier-ignore

const legend = html`<details class="fold">
  <summary>How numbers and claims are judged</summary>
  <dl>
    <dt>${verdictMark('reproduced')}</dt>
    <dd>
      The 90 % interval of our mean over at least three seeds lies within the stated tolerance of the published number.
    </dd>
    <dt>${verdictMark('better than published')}</dt>
    <dd>It lies beyond that tolerance in the better direction of the column.</dd>
    <dt>${verdictMark('not reproduced')}</dt>
    <dd>Neither.</dd>
    <dt>${verdictMark('not comparable')}</dt>
    <dd>
      Made on a stand-in for the data or below the size of the paper: another experiment, of which only claims are
      judged.
    </dd>
    <dt>${verdictMark('too few seeds')}</dt>
    <dd>Fewer than three, with which nothing can be said.</dd>
    <dt>${verdictMark('holds')}</dt>
    <dd>
      The claim is true in the means and in at least two thirds of the seeds, and the 90 % interval of the difference,
      paired by seed, does not reach the claimed size.
    </dd>
    <dt>${verdictMark('within noise')}</dt>
    <dd>It is true in the means, and no more than that.</dd>
    <dt>${verdictMark('fails')}</dt>
    <dd>It is not true in the means.</dd>
  </dl>
</details>`;

async function overview(tables: readonly TableView[]): Promise<Html | undefined> {
  const plots = (await Promise.all(tables.map(publishedPlots))).flat();
  if (plots.length === 0) return undefined;
  const others = plots.slice(PLOTS_ON_TOP);
  return html`<section aria-labelledby="overview">
    <h2 class="unseen" id="overview">Published numbers against ours</h2>
    ${plotKey} ${plotGrid(plots.slice(0, PLOTS_ON_TOP))}
    ${
      others.length > 0 &&
      html`<details class="fold">
        <summary>${others.length} more: published numbers against ours</summary>
        ${plotGrid(others)}
      </details>`
    }
  </section>`;
}

function contents(anchors: ReadonlyMap<TableView, string>): Html | undefined {
  if (anchors.size < 2) return undefined;
  return html`<nav aria-label="Tables">
    <ul>
      ${[...anchors].map(([table, anchor]) => {
        const { paper, name, title, setting } = table;
        const isTwice = [...anchors.keys()].some(
          (each) => each !== table && each.paper === paper && each.name === name,
        );
        const which = isTwice && setting && ` (preset ${setting.preset}, ${setting.data.name})`;
        return html`<li><a href="#${anchor}">${paper}/${name}</a> ${title}${which}</li>`;
      })}
    </ul>
  </nav>`;
}

/** What each preset that was run shrinks, and where the paper leaves a choice. */
function protocol({ name, tables, choices }: PaperView): Html {
  const presets = new Map(tables.flatMap(({ setting }) => (setting ? [[setting.preset, setting.presetText]] : [])));
  return html`<article class="table" aria-labelledby="${name}-protocol">
    <h3 id="${name}-protocol">Protocol and open choices</h3>
    <dl>
      ${[...presets].map(([preset, text]) => html`<dt>preset ${preset}</dt><dd>${text}</dd>`)}
    </dl>
    ${choices.length > 0 &&
    html`<h4>Where the paper is silent or contradicts itself, and our choice</h4>
      <ol class="choices">
        ${choices.map((text) => html`<li>${text}</li>`)}
      </ol>`}
  </article>`; // prettier-ignore
}

async function paperSection(paper: PaperView, anchors: ReadonlyMap<TableView, string>, isOnly: boolean): Promise<Html> {
  const sections: Html[] = [];
  for (const table of paper.tables) sections.push(await tableSection(table, anchors.get(table)!));
  return html`<section class="paper" aria-labelledby="${paper.name}-title">
    <h2 id="${paper.name}-title">${paper.title}</h2>
    <p class="soft">${paper.citation}</p>
    ${!isOnly && html`<p>${finding(paper.tables)}</p>`} ${sections} ${protocol(paper)}
  </section>`;
}

const provenanceHtml = ({ folder, facts, manifest }: ProvenanceView): Html =>
  html`<details class="fold">
    <summary>Where the numbers come from: ${folder}</summary>
    <dl>
      ${facts.map(({ name, value }) => html`<dt>${name}</dt><dd>${value}</dd>`)}
    </dl>
    ${
      manifest
        ? html`<pre role="group" tabindex="0" aria-label="Manifest of ${folder}">${JSON.stringify(manifest, null, 1)}</pre>`
        : html`<p>There is no manifest that could be read.</p>`
    }
  </details>`; // prettier-ignore

/** The whole page. */
export async function htmlText({ papers, provenance, problems }: View): Promise<string> {
  const tables = papers.flatMap((paper) => paper.tables);
  const anchors = anchorsOf(tables);
  const sections: Html[] = [];
  for (const paper of papers) sections.push(await paperSection(paper, anchors, papers.length === 1));
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${policy}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>Reproduction of ${papers.map(({ name }) => name).join(', ')} with wgrad</title>
        <link rel="icon" href="data:," />
        <style>
          ${new Html(style)}
        </style>
      </head>
      <body>
        <a class="skip" href="#main">Skip to the results</a>
        <header class="bar">
          <h1>wgrad: reproduction of ${papers.map(({ name }) => name).join(', ')}</h1>
          ${themeSwitch}
        </header>
        <main id="main" tabindex="-1">
          <p class="finding">${finding(tables)}</p>
          ${problems.map((problem) => html`<p class="problem">Not used: ${problem}</p>`)} ${await overview(tables)}
          ${legend} ${contents(anchors)} ${sections}
        </main>
        <footer>${provenance.map(provenanceHtml)}</footer>
      </body>
    </html>`;
  return page.text;
}

/** Writes the report of a command. */
export const writeReport = async (file: string, view: View): Promise<void> => writeWhole(file, await htmlText(view));
