// Small drawings between the lines: the effect of a claim with its interval, and the key to the plots.
import { Html, html } from './html.ts';
import type { EffectView } from './view.ts';

const WIDTH = 240;
const HEIGHT = 24;
const MARGIN = 8;

/**
 * An effect on a line: a dot for its mean, a bar for its interval, and where it is claimed to lie as a band that starts at the
 * claimed size. The text beside it says the same.
 */
export function effectMark({ mean, interval, claimed: { direction, size } }: EffectView): Html {
  const [low, high] = interval ?? [mean, mean];
  const [least, most] = [Math.min(low, mean, size), Math.max(high, mean, size)];
  const scale = (WIDTH - 2 * MARGIN) / (most - least || 1);
  const at = (value: number): string => (MARGIN + (value - least) * scale).toFixed(1);
  const [from, to] = direction === 'above' ? [at(size), String(WIDTH)] : ['0', at(size)];
  const middle = HEIGHT / 2;
  return html`<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" aria-hidden="true" focusable="false">
    <rect x="${from}" y="3" width="${Number(to) - Number(from)}" height="${HEIGHT - 6}" fill="var(--rule)" fill-opacity="0.6" />
    <line x1="${at(size)}" x2="${at(size)}" y1="1" y2="${HEIGHT - 1}" stroke="var(--ink)" stroke-width="1.5" />
    <line x1="${at(low)}" x2="${at(high)}" y1="${middle}" y2="${middle}" stroke="var(--ours)" stroke-width="4" stroke-opacity="0.55" />
    <circle cx="${at(mean)}" cy="${middle}" r="5" fill="var(--ours)" />
  </svg>`; // prettier-ignore
}

const keys: readonly (readonly [mark: string, text: string])[] = [
  ['<circle cx="16" cy="8" r="5" fill="var(--ours)"/>', 'our mean'],
  [
    '<line x1="2" x2="30" y1="8" y2="8" stroke="var(--ours)" stroke-width="4" stroke-opacity="0.55"/>',
    '90 % interval of our mean',
  ],
  ['<path d="M8 2V14M16 2V14M24 2V14" stroke="var(--ours)" stroke-opacity="0.7"/>', 'each seed'],
  [
    '<path d="M16 2l6 6l-6 6l-6 -6z" fill="none" stroke="var(--published)" stroke-width="2"/>',
    'published, with its spread where one is printed',
  ],
  [
    '<rect x="12" y="2" width="20" height="12" fill="var(--rule)"/><path d="M12 1V15" stroke="var(--ink)" stroke-width="1.5"/>',
    'where a claim says that a difference lies',
  ],
];

export const plotKey: Html = html`<ul class="key">
  ${keys.map(
    ([mark, text]) =>
      html`<li><svg viewBox="0 0 32 16" aria-hidden="true" focusable="false">${new Html(mark)}</svg>${text}</li>`,
  )}
</ul>`;
