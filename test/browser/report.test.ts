// report.html in headless Chromium: each paper with made numbers, and the tracked results. Nothing is loaded or logged, nothing
// scrolls sideways, axe finds no fault, the keyboard reaches everything. With SCREENSHOTS=1
// pictures of the tracked results are kept in dist/screenshots.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { viewOfFolders } from '../../experiments/cli/report.ts';
import { launchBrowser } from '../../experiments/verification/golden/browser.ts';
import { papers } from '../../experiments/index.ts';
import { htmlText } from '../../experiments/report/report.ts';
import { writeMadeFolder } from '../experiments/made-folder.ts';
import { repositoryRoot } from '../shared-data.ts';
import { withoutBrowser } from './chromium.ts';

type Look = readonly [width: number, scheme: 'light' | 'dark'];
/** Each width and each colour once. */
const twoLooks: readonly Look[] = [[1200, 'light'], [420, 'dark']]; // prettier-ignore

const HEIGHT = 900;
/** A4 between its margins, in CSS pixels. */
const PAPER_WIDTH = 718;

/** Some tracked results in one look each, for what is on a page has been seen with made numbers: folders, and how they are looked at. */
const tracked: Readonly<Record<string, readonly [folders: readonly string[], ...looks: Look[]]>> = {
  'tour': [['imbalanced-mtl/results/paper', 'dmtl/results/laptop', 'dmtl/results/tour'], [1200, 'dark']],
  'densedepth': [['densedepth/results/laptop'], [420, 'dark']],
  'cross-stitch': [['cross-stitch/results/laptop', 'cross-stitch/results/real'], [1200, 'light']],
}; // prettier-ignore

interface Opened {
  readonly page: Page;
  /** What the page logged or failed with, and addresses that it asked for besides its own. */
  readonly faults: readonly string[];
}

async function open(browser: Browser, file: string, width: number, colorScheme: 'light' | 'dark'): Promise<Opened> {
  const page = await browser.newPage({ viewport: { width, height: HEIGHT }, colorScheme });
  const faults: string[] = [];
  const address = pathToFileURL(file).href;
  page.on('console', (message) => faults.push(message.text()));
  page.on('pageerror', ({ message }) => faults.push(message));
  page.on('request', (request) => {
    if (request.url() !== address && !request.url().startsWith('data:')) faults.push(request.url());
  });
  await page.goto(address);
  return { page, faults };
}

/** By how much the page is wider than its window. */
const overhang = (page: Page): Promise<number> =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

const background = (page: Page): Promise<string> =>
  page.evaluate(() => getComputedStyle(document.body).backgroundColor);

const WHITE = 'rgb(255, 255, 255)';

/** What axe objects to: rule, and the first elements. */
async function objections(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => window.axe.run());
  return violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.slice(0, 3).map(({ html }) => html).join(' ')}`); // prettier-ignore
}

declare global {
  interface Window {
    axe: typeof axe;
  }
}

/** Tabs through the page: how many elements are reached, and those that cannot be or do not show that they are. */
async function unreached(page: Page): Promise<{ reached: number; missed: string[] }> {
  const expected = await page.evaluate(() => {
    const found = [...document.querySelectorAll<HTMLElement>('a[href], summary, input:checked, [tabindex="0"]')];
    const reachable = found.filter((each) => each.checkVisibility());
    reachable.forEach((each, i) => (each.dataset.stop = String(i)));
    return reachable.map((each) => each.outerHTML.slice(0, 100));
  });
  const reached = new Set<number>();
  for (const _ of expected) {
    await page.keyboard.press('Tab');
    const stop = await page.evaluate(() => {
      const focused = document.activeElement as HTMLElement;
      return getComputedStyle(focused).outlineStyle === 'none' ? undefined : focused.dataset.stop;
    });
    if (stop !== undefined) reached.add(Number(stop));
  }
  return { reached: reached.size, missed: expected.filter((_, i) => !reached.has(i)) };
}

/** Opens a report in these widths and colours. */
async function check(t: Test, browser: Browser, name: string, file: string, looks: readonly Look[]): Promise<void> {
  const folder = path.join(repositoryRoot(), 'dist/screenshots');
  const keepsPicture = process.env.SCREENSHOTS !== undefined && tracked[name] !== undefined;
  if (keepsPicture) await mkdir(folder, { recursive: true });
  for (const [width, scheme] of looks) {
    const { page, faults } = await open(browser, file, width, scheme);
    const where = `${name}, ${width} pixels, ${scheme}`;
    t.ok((await overhang(page)) <= 0, `${where}: nothing scrolls sideways`);
    t.equal((await background(page)) === WHITE, scheme === 'light', `${where}: colours`);
    if (keepsPicture) {
      await page.screenshot({ path: path.join(folder, `${name}-${width}-${scheme}.png`), fullPage: true });
    }
    t.same(await objections(page), [], `${where}: axe`);
    t.same(faults, [], `${where}: no message, no request`);
    await page.close();
  }
}

async function write(folder: string, name: string, folders: readonly string[]): Promise<string> {
  const file = path.join(folder, `${name}.html`);
  const view = await viewOfFolders(folders);
  await writeFile(file, await htmlText(view));
  return file;
}

t.test('reports in Chromium', { skip: withoutBrowser }, async (t) => {
  const folder = t.testdir();
  const browser = await launchBrowser();
  t.teardown(() => browser.close());
  const made = new Map<string, string>();
  for (const paper of papers) {
    const run = path.join(folder, 'runs', paper.name);
    await writeMadeFolder(run, paper);
    made.set(paper.name, await write(folder, `made-${paper.name}`, [run]));
  }

  await t.test('each paper, and the tracked results', async (t) => {
    // The styles are the same for all: each paper in one look, the first in both.
    for (const [i, [name, file]] of [...made].entries()) {
      await check(t, browser, `made-${name}`, file, i === 0 ? twoLooks : [twoLooks[i % 2]!]);
    }
    const results = path.join(repositoryRoot(), 'experiments/papers');
    for (const [name, [folders, ...looks]] of Object.entries(tracked)) {
      const file = await write(
        folder,
        name,
        folders.map((each) => path.join(results, each)),
      );
      await check(t, browser, name, file, looks);
    }
  });

  await t.test('by keyboard', async (t) => {
    const { page: first } = await open(browser, made.get('dmtl')!, 1200, 'light');
    await first.keyboard.press('Tab');
    t.equal(await first.evaluate(() => document.activeElement!.textContent), 'Skip to the results');
    t.ok(await first.locator('.skip').isVisible(), 'the skip link appears');
    await first.keyboard.press('Enter');
    t.equal(await first.evaluate(() => document.activeElement!.id), 'main');
    await first.close();
    const { page, faults } = await open(browser, made.get('dmtl')!, 1200, 'light');
    const { reached, missed } = await unreached(page);
    t.same(missed, [], 'everything is reached and shows it');
    t.ok(reached > 20, `${reached} places`);

    const sample = page.locator('.sample').first();
    const widthOf = async (): Promise<number> => (await sample.locator('img').first().boundingBox())!.width;
    const before = await widthOf();
    await sample.locator('summary').focus();
    await page.keyboard.press('Enter');
    t.ok((await widthOf()) > 2 * before, 'a sample opens larger');
    t.ok((await overhang(page)) <= 0);
    t.same(faults, []);
    await page.close();
  });

  await t.test('the switch of colours needs no script, and paper is white', async (t) => {
    const { page, faults } = await open(browser, made.get('multidepth')!, PAPER_WIDTH, 'light');
    await page.getByLabel('dark').check();
    t.not(await background(page), WHITE);
    t.same(await objections(page), [], 'dark');
    await page.emulateMedia({ media: 'print' });
    t.equal(await background(page), WHITE);
    t.ok((await overhang(page)) <= 0, 'nothing is cut off');
    t.not(await page.locator('nav').isVisible(), 'no navigation');
    t.same(faults, []);
    await page.close();
  });

  await t.test('the widest table fits a desk, and on a telephone says that it goes on', async (t) => {
    for (const [width, scrolls] of [[1200, false], [420, true]] as const) {
      const { page } = await open(browser, made.get('cross-stitch')!, width, 'light');
      const table = page.locator('article:has(#cross-stitch-table1) .scroll').first();
      t.equal(await table.evaluate((box) => box.scrollWidth > box.clientWidth), scrolls, `${width} pixels`);
      t.match(await table.evaluate((box) => getComputedStyle(box).backgroundAttachment), /local.*scroll/, 'a shadow');
      const small = await page.evaluate(() =>
        [...document.querySelectorAll('main *')]
          .filter((each) => each.childNodes.length > 0 && each.textContent.trim() !== '' && each.checkVisibility())
          .map((each) => parseFloat(getComputedStyle(each).fontSize))
          .filter((size) => size > 0 && size < 12),
      );
      t.same(small, [], 'no text below 12 pixels');
      await page.close();
    }
  }); // prettier-ignore

  await t.test('everything folded can be unfolded', async (t) => {
    const { page, faults } = await open(browser, made.get('cross-stitch')!, 420, 'dark');
    await page.evaluate(() => document.querySelectorAll('details').forEach((each) => (each.open = true)));
    t.ok((await overhang(page)) <= 0);
    t.same(await objections(page), []);
    t.same(faults, []);
    await page.close();
  });
});

t.test('one file without scripts and addresses', async (t) => {
  const folder = t.testdir();
  for (const paper of papers) {
    const run = path.join(folder, paper.name);
    await writeMadeFolder(run, paper);
    const text = await readFile(await write(folder, paper.name, [run]), 'utf8');
    t.match(text, /Content-Security-Policy" content="default-src &#39;none&#39;/);
    t.notMatch(text, /<script|@import|url\(|\bon\w+="/i, `${paper.name}: no script`);
    const addresses = [...text.matchAll(/(?:src|href)="([^"#]*)/g)].map(([, address]) => address!);
    t.same(addresses.filter((address) => address !== '' && !address.startsWith('data:')), [], `${paper.name}: addresses`); // prettier-ignore
  }
});
