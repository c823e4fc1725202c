// One table of a report: its matrix in the paper's shape, claims, curves, what is ours alone, samples, cost.
import { seedsText } from '../runner/seeds.ts';
import { boundedPanels, pngSize } from './bounded.ts';
import { remarks } from './cell-text.ts';
import { costSection } from './cost-section.ts';
import { Html, html } from './html.ts';
import { effectMark } from './marks.ts';
import { cellPlot, curvePlots, directions, type Plot } from './plots.ts';
import type {
  CellView,
  ClaimVerdict,
  ClaimView,
  ColumnView,
  MatrixView,
  NumberVerdict,
  PanelView,
  SettingView,
  TableView,
} from './view.ts';

/** A sign for each verdict, so that colour is not needed to tell them apart. */
const signs: Readonly<Record<NumberVerdict | ClaimVerdict, string>> = {
  'reproduced': '✓',
  'better than published': '▲',
  'not reproduced': '✗',
  'not comparable': '○',
  'too few seeds': '…',
  'not attempted': '–',
  'holds': '✓',
  'within noise': '≈',
  'fails': '✗',
}; // prettier-ignore

export const verdictMark = (verdict: NumberVerdict | ClaimVerdict): Html =>
  html`<span class="verdict ${verdict.replaceAll(' ', '-')}"><span aria-hidden="true">${signs[verdict]}</span>${verdict}</span>`; // prettier-ignore

const unseen = (text: string): Html => html`<span class="unseen">${text} </span>`;

function cellHtml(cell: CellView | null): Html {
  if (!cell) return html`<td></td>`;
  const { ours, published, verdict } = cell;
  const value = ours ? ours.text : html`<span aria-hidden="true">-</span>${unseen('none')}`;
  return html`<td>
    <span class="value"
      ><span class="ours">${published && unseen('ours')}${value}</span>${
        published && html`<span class="published">${unseen('published')}${published.text}</span>`
      }${verdict !== null && verdictMark(verdict)}</span
    >
  </td>`;
}

const columnHtml = ({ name, better }: ColumnView): Html =>
  html`<th scope="col">${name} ${better && html`<span class="soft">${directions[better]}</span>`}</th>`;

/** So many columns with a spread fit a page in type of full size. */
const FEW_COLUMNS = 6;

function matrixHtml({ corner, columns, rows }: MatrixView, caption: string, style?: string): Html {
  return html`<div class="scroll" role="group" tabindex="0" aria-label="${caption}">
    <table class="${columns.length > FEW_COLUMNS && 'many-columns'}">
      <caption class="${style}">
        <span>${caption}</span>
      </caption>
      <thead>
        <tr>
          <th scope="col">${corner}</th>
          ${columns.map(columnHtml)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          ({ name, cells }) =>
            html`<tr>
              <th scope="row">${name}</th>
              ${cells.map(cellHtml)}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

const cellsOf = ({ rows }: MatrixView): CellView[] => rows.flatMap(({ cells }) => cells.flatMap((cell) => cell ?? []));

/** What the numbers of the matrix are, and how near counts as the same. */
function captionOf({ source }: TableView, matrix: MatrixView): string {
  const published = cellsOf(matrix).flatMap((cell) => cell.published ?? []);
  if (published.length === 0) return 'Ours, mean and spread over seeds. The paper prints no numbers here.';
  const sources = [...new Set(published.map((each) => each.source))].filter((text) => text !== '' && text !== source);
  const where = [source, ...sources].filter((text) => text !== undefined).join('; ');
  const tolerances = [...new Set(published.map(({ tolerance }) => tolerance.source))].join('; ');
  return `Ours, mean and spread over seeds, over the published number (${where}). Tolerance: ${tolerances}.`;
}

function claimHtml({ text, source, verdict, seedsHolding, seeds, effects, reason }: ClaimView): Html {
  const held = reason ?? `as claimed in ${seedsHolding} of ${seeds} ${seeds === 1 ? 'seed' : 'seeds'}`;
  return html`<li>
    <p>${verdictMark(verdict)}</p>
    <div>
      <p>${text}</p>
      <p class="small soft">${source}; ${held}</p>
      <ul class="effects">
        ${effects.map(
          (effect) =>
            html`<li>
              ${effectMark(effect)}
              <span
                >${effect.text}:
                <b>${effect.summary}</b>${effects.length > 1 && html` ${verdictMark(effect.verdict)}`}</span
              >
            </li>`,
        )}
      </ul>
    </div>
  </li>`;
}

const claimSection = ({ claims }: TableView): Html | undefined =>
  claims.length === 0
    ? undefined
    : html`<h4>Claims</h4>
        <ol class="claims">
          ${claims.map(claimHtml)}
        </ol>`;

const plotHtml = ({ svg, caption, description }: Plot): Html => {
  const label = html`<svg role="img" aria-label="${description}" `;
  // One picture with one description: the groups that vega names inside say nothing.
  const plain = svg.replace(/ (?:role="graphics-[\w-]+"|aria-\w+="[^"]*")/g, '').replace('<svg ', label.text);
  return html`<figure>
    <figcaption>${caption}</figcaption>
    ${new Html(plain)}
  </figure>`;
};

/** Plots side by side where there is room. */
export const plotGrid = (plots: readonly Plot[]): Html => html`<div class="plots">${plots.map(plotHtml)}</div>`;

/** Pictures below that many pixels are shown with visible ones. */
const COARSE = 100;
/** Samples of more pictures, or of wide ones, take a row of their own. */
const NARROW = 3;

function sampleHtml({ label, images }: PanelView): Html {
  const sizes = images.map(({ png }) => pngSize(png));
  const isWide = images.length > NARROW || sizes.some(([width, height]) => width > 2 * height);
  return html`<details class="sample ${isWide && 'wide'}">
    <summary>
      ${label}
      <span class="strip">
        ${images.map(({ caption, png }, i) => {
          const [width, height] = sizes[i]!;
          return html`<span
            class="${width < COARSE && 'small-picture'}"
            style="--across: ${Math.min(320, Math.max(140, width))}; --shape: ${(width / height).toFixed(2)}"
            ><img
              alt="${caption}, ${label}"
              width="${width}"
              height="${height}"
              src="data:image/png;base64,${png}"
            /><span class="soft" aria-hidden="true">${caption}</span></span
          >`;
        })}
      </span>
    </summary>
  </details>`;
}

async function sampleSection({ panels, setting }: TableView): Promise<Html | undefined> {
  if (panels.length === 0) return undefined;
  return html`<h4>Samples of seed ${setting?.seeds[0]}; a sample opens larger</h4>
    <div class="samples">${(await boundedPanels(panels)).map(sampleHtml)}</div>`;
}

const besidesSection = ({ besides, matrix }: TableView): Html | undefined =>
  besides.length === 0
    ? undefined
    : html`<section class="besides">
        <h4>
          ${matrix ? 'Beside the paper: controls, searches and counters' : 'Our numbers, of which the paper has none'}
        </h4>
        ${besides.map((each) => matrixHtml(each, each.title ?? '', 'table-title'))}
      </section>`;

const settingHtml = ({ preset, device, data, seeds }: SettingView): Html =>
  html`<ul class="facts" aria-label="What was run">
    <li>preset ${preset}</li>
    <li class="${!data.real && 'stand-in'}">${data.name}${data.real ? '' : " (a stand-in for the paper's data)"}</li>
    <li>device ${device}</li>
    <li>${seedsText(seeds)}</li>
  </ul>`;

/** Where the section of each table is found in the page. A table can be there in several settings. */
export function anchorsOf(tables: readonly TableView[]): Map<TableView, string> {
  const anchors = new Map<TableView, string>();
  tables.forEach((table, i) => {
    const same = tables.slice(0, i).filter(({ paper, name }) => paper === table.paper && name === table.name).length;
    anchors.set(table, `${table.paper}-${table.name}${same > 0 ? `-${same + 1}` : ''}`);
  });
  return anchors;
}

const notRun = (numbers: Html | undefined): Html =>
  html`<details class="fold">
    <summary>Nothing was run; the published numbers</summary>
    ${numbers}
  </details>`;

/** The whole section of a table, to be found at `id`. */
export async function tableSection(table: TableView, id: string): Promise<Html> {
  const { source, title, setting, matrix, notes, conclusion, costs } = table;
  const shown = matrix && matrixHtml(matrix, captionOf(table, matrix));
  const drawn = await cellPlot(table);
  const curves = await curvePlots(table);
  const list = remarks(table);
  return html`<article class="table" aria-labelledby="${id}">
    <h3 id="${id}" tabindex="-1">${source === undefined ? '' : `${source}: `}${title}</h3>
    <p class="soft"><code>${table.paper}/${table.name}</code></p>
    ${setting && settingHtml(setting)} ${matrix && (setting ? shown : notRun(shown))} ${drawn && plotGrid([drawn])}
    ${list.length > 0 &&
    html`<ul class="small soft">
      ${list.map((text) => html`<li>${text}</li>`)}
    </ul>`}
    ${conclusion !== undefined && html`<p><b>Taken together.</b> ${conclusion}</p>`} ${claimSection(table)}
    ${curves.length > 0 && html`<h4>Curves</h4>${plotGrid(curves)}`} ${await sampleSection(table)}
    ${besidesSection(table)}
    ${notes.length > 0 && html`<h4>Notes</h4>${notes.map((note) => html`<p class="small">${note}</p>`)}`}
    ${costSection(costs)}
  </article>`; // prettier-ignore
}
