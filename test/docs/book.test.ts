// The book: every program runs, each in a thread of its own, and prints what the page says. As a site (`npm run book`) no link leads
// nowhere, the search finds what a stranger asks for, and in Chromium nothing scrolls sideways, axe finds no fault and nothing is
// loaded from elsewhere.
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import axe from 'axe-core';
import t from 'tap';
import { launchBrowser } from '../../experiments/verification/golden/browser.ts';
import { withoutBrowser } from '../browser/chromium.ts';
import { repositoryRoot } from '../shared-data.ts';
import { blocksOf, expected, printedBy } from './blocks.ts';

interface Book {
  readonly faults: readonly string[];
  readonly links: number;
  readonly addresses: readonly string[];
  readonly index: { search(words: string): { id: string; heading: string }[] };
}

const root = repositoryRoot();
const text = (page: string): Promise<string> => readFile(path.join(root, page), 'utf8');
const chapters = (await readdir(path.join(root, 'docs'), { recursive: true }))
  .filter((name) => name.endsWith('.md'))
  .map((name) => `docs/${name}`);

/** Programs that another test runs, by page and number. */
const elsewhere: Readonly<Record<string, string>> = {
  'docs/batches.md 1': 'test/docs/readme.test.ts',
  'docs/batches.md 2': 'test/docs/readme.test.ts',
  'docs/browser.md 1': 'test/browser/training.test.ts',
  'docs/training.md 1': 'test/experiments/own-training.test.ts',
  'docs/commands.md 2': 'test/docs/readme.test.ts',
};

t.test('programs', async (t) => {
  const folder = t.testdir();
  let run = 0;
  for (const page of chapters) {
    for (const [i, block] of blocksOf(await text(page)).entries()) {
      const name = `${page} ${i + 1}`;
      if (elsewhere[name]) {
        t.match(await text(elsewhere[name]), path.basename(page), `${name} is run by ${elsewhere[name]}`);
        continue;
      }
      const printed = await printedBy(block, folder, name.replace(/\W/g, '-'));
      t.equal(printed, expected(block), `${page}, line ${block.line}`);
      run++;
    }
  }
  t.ok(run >= 15, `${run} programs`);
});

const script = pathToFileURL(path.join(root, '.config/book.mjs')).href;
const { makeBook } = (await import(script)) as { makeBook(out: string): Promise<Book> };
const folder = t.testdir();
const book = await makeBook(folder);

t.test('links', async (t) => {
  t.same(book.faults, []);
  t.ok(book.links > 100, `${book.links} links between chapters`);
  // What the pages themselves point at, the listings of sources and the pictures among it.
  let followed = 0;
  for (const page of book.addresses.filter((each) => each.endsWith('.html'))) {
    const html = await readFile(path.join(folder, page), 'utf8');
    for (const [, link] of html.matchAll(/(?:href|src)="([^"#]+)/g)) {
      if (/^(https?|data):/.test(link!)) continue;
      const target = path.posix.join(path.posix.dirname(page), link!);
      if (!book.addresses.includes(target) && !target.startsWith('pictures/')) t.fail(`${page}: ${link}`);
      followed++;
    }
  }
  t.ok(followed > 1000, `${followed} links`);
});

t.test('a link that leads nowhere is a fault, and so is a heading that is not there', async (t) => {
  const { renderBook } = (await import(pathToFileURL(path.join(root, '.config/book/pages.mjs')).href)) as {
    renderBook(parts: unknown): { faults: string[] };
  };
  const file = path.relative(
    root,
    path.join(t.testdir({ 'page.md': '# A\n\n[b](#b) [c](c.md) [a](#a)\n' }), 'page.md'),
  );
  const { faults } = renderBook([{ title: 'part', chapters: [{ file, title: 'A', address: 'page.html' }] }]);
  t.same(faults, [`${file}: c.md leads nowhere`, `${file}: #b leads to no heading of ${file}`]);
});

/** What somebody asks who knows nothing of the book, and where the answer stands: it is among the first three places. */
const questions: Readonly<Record<string, string>> = {
  'how to add a loss': 'loss.html',
  'custom loss': 'loss.html',
  'why does a sum differ in the seventh digit': 'reproducibility.html#why-a-sum-differs-in-the-seventh-digit',
  'how to run MultiDepth on KITTI': 'papers/multidepth.html#how-to-run-it-at-the-papers-scale',
  'kitti multidepth': 'real-data.html#multidepth',
  'UseAfterFreeError': 'errors.html#in-a-program',
  'add an operation': 'contributing.html#an-operation',
  'out of memory': 'memory.html',
  'nan loss': 'training.html#numbers-that-are-not-finite',
}; // prettier-ignore

t.test('search', (t) => {
  for (const [question, answer] of Object.entries(questions)) {
    const places = book.index.search(question).slice(0, 3).map(({ id }) => id); // prettier-ignore
    t.ok(places.some((each) => each.startsWith(answer)), `${question}: ${places.join(', ')}`); // prettier-ignore
  }
  t.end();
});

declare global {
  interface Window {
    axe: typeof axe;
  }
}

/** Each width and each colour once. The page lies in a folder, and has tables and commands. */
const address = 'papers/multidepth.html';
const looks = [[1200, 'light'], [420, 'dark']] as const; // prettier-ignore

t.test('in Chromium', { skip: withoutBrowser }, async (t) => {
  const browser = await launchBrowser({ args: ['--disable-gpu'] });
  try {
    const page = await browser.newPage();
    const faults: string[] = [];
    page.on('console', (message) => faults.push(message.text()));
    page.on('pageerror', ({ message }) => faults.push(message));
    page.on('request', (request) => {
      if (!/^(data:|file:)/.test(request.url())) faults.push(request.url());
    });
    await page.goto(pathToFileURL(path.join(folder, address)).href);
    await page.evaluate(axe.source);
    for (const [width, colorScheme] of looks) {
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme });
      const where = `${width} pixels, ${colorScheme}`;
      const { overhang, ground } = await page.evaluate(() => ({
        overhang: document.documentElement.scrollWidth - document.documentElement.clientWidth,
        ground: getComputedStyle(document.body).backgroundColor,
      }));
      t.ok(overhang <= 0, `${where}: nothing scrolls sideways`);
      t.equal(ground === 'rgb(255, 255, 255)', colorScheme === 'light', `${where}: colours`);
      const { violations } = await page.evaluate(() => window.axe.run({ preload: false }));
      t.same(violations.map(({ id, nodes }) => `${id}: ${nodes[0]!.html}`), [], `${where}: axe`); // prettier-ignore
    }
    // By the keyboard alone.
    await page.keyboard.press('/');
    await page.keyboard.type('why a sum differs');
    await page.waitForSelector('#found a');
    t.match(await page.textContent('#found'), 'Why a sum differs in the seventh digit');
    await page.keyboard.press('Enter');
    await page.waitForURL(/reproducibility\.html#why-a-sum-differs/);
    t.match(await page.textContent('h1'), 'Reproducibility');
    t.same(faults, [], 'no message, no request');
  } finally {
    await browser.close();
  }
});
