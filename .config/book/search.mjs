// The search of the book, in the page: the index comes with the first key, as a script, so that it works from a folder too.
import MiniSearch from 'minisearch';
import { searchOptions } from './search-options.mjs';

const SHOWN = 8;
const EXCERPT = 150; // characters
const input = document.querySelector('#search');
const list = document.querySelector('#found');
const base = document.documentElement.dataset.base;
let loading;

/** Resolves to the index. */
const load = () =>
  (loading ??= new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = `${base}search-index.js`;
    script.onload = () => resolve(MiniSearch.loadJS(globalThis.bookIndex, searchOptions));
    script.onerror = () => reject(new Error(`${script.src} cannot be loaded`));
    document.head.append(script);
  }));

/** What stands round the first of the words that were found, from the beginning of a word. */
function excerptOf({ text, terms }) {
  const lower = text.toLowerCase();
  const found = terms
    .map((term) => lower.search(new RegExp(`\\b${term.replace(/\W/g, '\\$&')}`)))
    .filter((at) => at >= 0);
  const near = Math.max(0, Math.min(...(found.length > 0 ? found : [0])) - EXCERPT / 3);
  const from = near > 0 ? text.indexOf(' ', near) + 1 : 0;
  const shown = text.slice(from, from + EXCERPT);
  const rest = from + EXCERPT < text.length;
  return `${from > 0 ? '… ' : ''}${rest ? shown.slice(0, shown.lastIndexOf(' ')) : shown}${rest ? ' …' : ''}`;
}

function show(results) {
  list.replaceChildren(
    ...results.map((result) => {
      const [item, link, place, excerpt] = ['li', 'a', 'strong', 'span'].map((tag) => document.createElement(tag));
      link.href = base + result.id;
      place.textContent = result.heading ? `${result.chapter}: ${result.heading}` : result.chapter;
      excerpt.textContent = excerptOf(result);
      link.append(place, excerpt);
      item.append(link);
      return item;
    }),
  );
}

async function search() {
  const words = input.value.trim();
  const index = await load();
  if (words !== input.value.trim()) return; // typed on
  const results = words ? index.search(words).slice(0, SHOWN) : [];
  show(results);
  document.querySelector('#count').textContent = !words
    ? ''
    : results.length
      ? `${results.length} places`
      : 'Nothing was found';
}

input.addEventListener('input', search);
input.addEventListener('keydown', ({ key }) => {
  if (key === 'Escape') input.value = '';
  if (key === 'Escape') search();
  if (key === 'Enter') list.querySelector('a')?.click();
});
document.addEventListener('keydown', (event) => {
  if (event.key !== '/' || /^(INPUT|TEXTAREA)$/.test(document.activeElement.tagName)) return;
  event.preventDefault();
  input.focus();
});
