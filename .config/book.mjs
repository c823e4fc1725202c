// `npm run book`: the pages that docs/README.md lists as a static site, with a search, in dist/book or the folder that is named. It needs
// no server: open dist/book/index.html. Ends with status 1 where a link leads nowhere.
//
// Why not a site generator: measured with their dependencies, VitePress 1.6 is 102 MB in 29 s of installing, Eleventy 3.1 with Pagefind 36 MB
// in 18 s, markdown-it, minisearch and github-slugger 5 MB in 3 s; and so the gate can make the whole site.
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import MiniSearch from 'minisearch';
import { between, readContents, renderBook } from './book/pages.mjs';
import { searchOptions } from './book/search-options.mjs';
import { root } from './sources.mjs';

const escape = (words) => words.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/"/g, '&quot;');

/** The list of chapters, with the sections of the one that is open. */
function navigation(parts, page) {
  const entry = ({ file, title, address }) => {
    const isOpen = file === page.file;
    const own = isOpen ? page.headings.map(({ name, slug }) => `<li><a href="#${slug}">${escape(name)}</a></li>`) : [];
    const inner = own.length > 1 ? `<ul>${own.join('')}</ul>` : '';
    return `<li><a href="${between(page.address, address)}"${isOpen ? ' aria-current="page"' : ''}>${escape(title)}</a>${inner}</li>`;
  };
  const part = ({ title, chapters }) =>
    `<li><span>${escape(title)}</span><ul>${chapters.map(entry).join('')}</ul></li>`;
  return `<ul>${parts.map(part).join('')}</ul>`;
}

function pageText(parts, page, neighbours = []) {
  const to = (address) => between(page.address, address);
  const turns = neighbours.map((other, i) => other && `<a href="${to(other.address)}" rel="${i ? 'next' : 'prev'}">${i ? '' : '← '}${escape(other.title)}${i ? ' →' : ''}</a>`); // prettier-ignore
  const base = '../'.repeat(page.address.split('/').length - 1);
  const chapters = navigation(parts, page);
  return `<!doctype html>
<html lang="en" data-base="${base}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escape(page.title)} - wgrad</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${base}style.css">
</head>
<body>
<a class="skip" href="#content">To the text</a>
<header>
<a class="name" href="${to('index.html')}">wgrad</a>
<search><label for="search">Search</label><input id="search" type="search" autocomplete="off" placeholder="Search, or press /"></search>
</header>
<div id="results" role="region" aria-label="Found"><p id="count" role="status"></p><ol id="found"></ol></div>
<div class="columns">
<nav class="side" aria-label="Chapters">${chapters}</nav>
<details class="menu"><summary>Chapters</summary><nav aria-label="Chapters, folded">${chapters}</nav></details>
<main id="content">
${page.html}
</main>
${turns.some(Boolean) ? `<nav class="turn" aria-label="Neighbouring chapters">${turns.map((turn) => turn || '<span></span>').join('')}</nav>` : ''}
</div>
<script src="${base}search.js"></script>
</body>
</html>
`;
}

/** Writes the site. Returns its faults (links that lead nowhere), the number of links that were followed, and the search index. */
export async function makeBook(out) {
  const parts = readContents();
  const { pages, sources, pictures, sections, faults, links } = renderBook(parts);
  const files = new Map();
  pages.forEach((page, i) => files.set(page.address, pageText(parts, page, [pages[i - 1], pages[i + 1]])));
  for (const { file, address, html } of sources) {
    files.set(
      address,
      pageText(parts, { file, address, title: file, headings: [], html: `<h1>${file}</h1>\n${html}` }),
    );
  }
  const index = new MiniSearch(searchOptions);
  index.addAll(sections.map((section) => ({ ...section, text: section.text.replace(/\s+/g, ' ') })));
  files.set('search-index.js', `globalThis.bookIndex = ${JSON.stringify(index)};\n`);
  const [{ text: script }] = (await build({ entryPoints: [path.join(root, '.config/book/search.mjs')], bundle: true, minify: true, format: 'iife', write: false })).outputFiles; // prettier-ignore
  files.set('search.js', script);
  files.set('style.css', await readFile(path.join(root, '.config/book/style.css'), 'utf8'));
  await rm(out, { recursive: true, force: true });
  for (const [address, content] of files) {
    await mkdir(path.dirname(path.join(out, address)), { recursive: true });
    await writeFile(path.join(out, address), content);
  }
  for (const [file, address] of pictures) {
    await mkdir(path.dirname(path.join(out, address)), { recursive: true });
    await copyFile(path.join(root, file), path.join(out, address));
  }
  return { faults, links, index, addresses: [...files.keys()] };
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const out = path.resolve(process.argv[2] ?? path.join(root, 'dist/book'));
  const { faults, links, addresses } = await makeBook(out);
  for (const fault of faults) console.error(fault);
  console.log(`${addresses.filter((each) => each.endsWith('.html')).length} pages and ${links} links in ${out}`);
  if (faults.length) process.exitCode = 1;
}
