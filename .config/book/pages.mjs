// The pages of the book: the chapters that docs/README.md lists, from Markdown to HTML, with the links that do not lead anywhere.
// Links between pages are those that hold in a checkout; on the site they lead to the page, a source file to its listing.
import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import GithubSlugger from 'github-slugger';
import MarkdownIt from 'markdown-it';
import { root } from '../sources.mjs';

const CONTENTS = 'docs/README.md';
const LONGEST_LISTING = 400_000; // bytes
const listed = /^(engine|kernels|models|experiments|bench|test|docs|\.config)\/[\w./-]+\.(ts|mjs|py|wgsl|json)$/;
const text = (file) => readFileSync(path.join(root, file), 'utf8');
const isFile = (file) => statSync(path.join(root, file), { throwIfNoEntry: false })?.isFile() ?? false;

/** Where a chapter lies on the site. */
function addressOf(file) {
  const result = /^experiments\/papers\/([\w-]+)\/results\/README\.md$/.exec(file)?.[1];
  if (result) return `results/${result}.html`;
  if (file === 'README.md') return 'about.html';
  if (file === 'bench/results/README.md') return 'results/benchmarks.html';
  const inside = file.replace(/^(docs|engine)\//, '').toLowerCase();
  return inside.replace(/readme\.md$/, 'index.html').replace(/\.md$/, '.html');
}

/** The parts of the book, each with its chapters in order, as the contents list them. */
export function readContents() {
  const parts = [{ title: 'The book', chapters: [chapterOf(CONTENTS, 'Contents')] }];
  for (const line of text(CONTENTS).split('\n')) {
    const part = /^## (.+)$/.exec(line)?.[1];
    if (part) parts.push({ title: part, chapters: [] });
    const [, title, link] = /^- \[(.+)\]\((.+\.md)\)$/.exec(line) ?? [];
    if (link) parts.at(-1).chapters.push(chapterOf(path.posix.join('docs', link), title));
  }
  return parts;
}

const chapterOf = (file, title) => ({ file, title, address: addressOf(file) });

/** From one address of the site to another. */
export const between = (from, to) => path.posix.relative(path.posix.dirname(from), to);

/** Comments, which hold what tests need and readers do not, are left out; those within programs stay. */
const withoutComments = (source) =>
  source
    .split(/(^```[\s\S]*?^```$)/m)
    .map((part, i) => (i % 2 ? part : part.replace(/<!--[\s\S]*?-->\n*/g, '')))
    .join('');

const textOf = (inline) =>
  (inline.children ?? []).map(({ type, content }) => (/^(text|code_inline)$/.test(type) ? content : type === 'softbreak' ? ' ' : '')).join(''); // prettier-ignore

/** Commands, one a line, of which some have what they do behind spaces; undefined for anything else. */
function commandsIn(content) {
  const lines = content.trimEnd().split('\n');
  if (!lines.every((line) => /^(wgrad|npm) /.test(line))) return undefined;
  const commands = lines.map((line) => line.split(/ {2,}(?=\S)/));
  return commands.some((parts) => parts.length > 1) ? commands.map(([command, ...rest]) => [command, rest.join(' ')]) : undefined; // prettier-ignore
}

/** They fit a narrow page as a table, where lines would run out of it. */
const commandTable = (commands, escape) =>
  `<div class="wide" tabindex="0"><table class="commands">\n${commands.map(([command, does]) => `<tr><td${does ? '' : ' colspan="2"'}><code>${escape(command)}</code></td>${does && `<td>${escape(does)}</td>`}</tr>\n`).join('')}</table></div>\n`; // prettier-ignore

/** A link as it stands in a chapter, to a path of the checkout and a place there; undefined for an address elsewhere. */
function targetOf(href, file) {
  if (/^[a-z]+:/i.test(href)) return undefined;
  const [link, anchor] = href.split('#');
  return { path: link ? path.posix.join(path.posix.dirname(file), link).replace(/\/$/, '') : file, anchor };
}

/** All chapters as HTML: `pages`, `sections` for the search, `listings` of sources that are linked, and `faults`. */
export function renderBook(parts) {
  const chapters = parts.flatMap((part) => part.chapters.map((chapter) => ({ ...chapter, part: part.title })));
  const byFile = new Map(chapters.map((chapter) => [chapter.file, chapter]));
  const [listings, pictures, faults, links] = [new Map(), new Map(), [], []];
  const anchors = new Map();

  /** The address of what a link leads to, or undefined, and a fault, where there is nothing. */
  function resolve(target, from, href) {
    const chapter = byFile.get(target.path) ?? byFile.get(`${target.path}/README.md`);
    if (chapter) {
      links.push({ from: from.file, href, to: chapter.file, anchor: target.anchor });
      return between(from.address, chapter.address) + (target.anchor ? `#${target.anchor}` : '');
    }
    if (/\.svg$/.test(target.path) && isFile(target.path)) {
      pictures.set(target.path, `pictures/${path.basename(target.path)}`);
      return between(from.address, pictures.get(target.path));
    }
    if (listed.test(target.path) && isFile(target.path)) return between(from.address, listingOf(target.path));
    if (!existsSync(path.join(root, target.path))) faults.push(`${from.file}: ${href} leads nowhere`);
    return undefined;
  }
  function listingOf(file) {
    if (!listings.has(file)) listings.set(file, `sources/${file}.html`);
    return listings.get(file);
  }

  const md = new MarkdownIt({ html: true });
  const { renderer } = md;
  const { image, code_inline: code } = renderer.rules;
  renderer.rules.table_open = () => '<div class="wide" tabindex="0"><table>\n';
  renderer.rules.table_close = () => '</table></div>\n';
  renderer.rules.fence = renderer.rules.code_block = (tokens, i) => {
    const { content, info } = tokens[i];
    const commands = commandsIn(content);
    if (commands) return commandTable(commands, md.utils.escapeHtml);
    const kind = info.trim() === 'text' ? 'output' : 'program';
    return `<pre class="${kind}" tabindex="0"><code>${md.utils.escapeHtml(content)}</code></pre>\n`;
  };
  // A file that is named is a link to its listing.
  renderer.rules.code_inline = (tokens, i, options, env, self) => {
    const shown = code.call(self, tokens, i, options, env, self);
    const file = tokens[i].content;
    const isLinked = tokens.slice(0, i).reduce((depth, { type }) => depth + (type === 'link_open') - (type === 'link_close'), 0) > 0; // prettier-ignore
    if (isLinked || !listed.test(file) || !isFile(file)) return shown;
    if (statSync(path.join(root, file)).size > LONGEST_LISTING) return shown;
    return `<a href="${between(env.chapter.address, listingOf(file))}">${shown}</a>`;
  };
  renderer.rules.image = (tokens, i, options, env, self) => {
    const target = targetOf(tokens[i].attrGet('src'), env.chapter.file);
    if (target) tokens[i].attrSet('src', resolve(target, env.chapter, tokens[i].attrGet('src')));
    return image.call(self, tokens, i, options, env, self);
  };
  renderer.rules.link_open = (tokens, i, options, { chapter }, self) => {
    const href = tokens[i].attrGet('href');
    const target = targetOf(href, chapter.file);
    if (target) {
      const address = resolve(target, chapter, href);
      if (address === undefined) tokens[i].attrs = [];
      else tokens[i].attrSet('href', address);
    }
    return self.renderToken(tokens, i, options);
  };

  const sections = [];
  const pages = chapters.map((chapter) => {
    const slugger = new GithubSlugger();
    const tokens = md.parse(withoutComments(text(chapter.file)), { chapter });
    tokens.forEach((token, i) => {
      // A header without words heads nothing.
      if (/^th_/.test(token.type) && tokens[token.nesting > 0 ? i + 1 : i - 1].content === '') token.tag = 'td';
    });
    const own = new Set();
    const headings = [];
    let section = { id: `${chapter.address}`, chapter: chapter.title, part: chapter.part, heading: '', text: '' };
    tokens.forEach((token, i) => {
      if (token.type === 'heading_open') {
        const name = textOf(tokens[i + 1]);
        const slug = slugger.slug(name);
        token.attrSet('id', slug);
        own.add(slug);
        if (token.tag !== 'h1') {
          sections.push(section);
          section = { ...section, id: `${chapter.address}#${slug}`, heading: name, text: '' };
        }
        if (token.tag === 'h2') headings.push({ name, slug });
      } else if (token.type === 'inline' && tokens[i - 1]?.type !== 'heading_open') section.text += `${textOf(token)} `;
      else if (/^(fence|code_block)$/.test(token.type)) section.text += `${token.content} `;
    });
    sections.push(section);
    anchors.set(chapter.file, own);
    return { ...chapter, headings, html: renderer.render(tokens, md.options, { chapter }) };
  });
  for (const { from, href, to, anchor } of links) {
    if (anchor && !anchors.get(to).has(anchor)) faults.push(`${from}: ${href} leads to no heading of ${to}`);
  }
  const sources = [...listings].map(([file, address]) => ({ file, address, html: `<pre class="program" tabindex="0"><code>${md.utils.escapeHtml(text(file))}</code></pre>` })); // prettier-ignore
  return { pages, sources, pictures, sections, faults, links: links.length };
}
