// The page of `wgrad watch` in headless Chromium: curves are drawn and grow while it is looked at, the page outlives its server, nothing
// is asked of others, nothing scrolls sideways, axe finds no fault. Screenshots are kept in dist/screenshots.
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import t from 'tap';
import { writeJson } from '../../experiments/runner/files.ts';
import { launchBrowser } from '../../experiments/verification/golden/browser.ts';
import { serveWatch } from '../../experiments/watch/server.ts';
import { madeProgress, writeMadeCheckpoint, writeRecord, writeWatched } from '../experiments/watched-folder.ts';
import { repositoryRoot } from '../shared-data.ts';
import { withoutBrowser } from './chromium.ts';

/** Pixels of the first plot that are drawn on. They are read from a copy, for the browser warns of a second look at a canvas. */
const drawnPixels = (page: Page): Promise<number> =>
  page.evaluate(() => {
    const canvas = document.querySelector<HTMLCanvasElement>('.chart canvas')!;
    const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', { willReadFrequently: true })!;
    copy.drawImage(canvas, 0, 0);
    const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
    return data.filter((value, i) => i % 4 === 3 && value > 0).length;
  });

/** What axe objects to: rule, and the first elements. */
async function objections(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => window.axe.run());
  return violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.slice(0, 3).map(({ html }) => html).join(' ')}`); // prettier-ignore
}

t.test('the page of watch in Chromium', { skip: withoutBrowser }, async (t) => {
  const folder = path.join(t.testdir(), 'run');
  const other = path.join(t.testdirName, 'other');
  await writeWatched(folder);
  let server = await serveWatch([folder], { port: 0 });
  const { address } = server;
  const browser = await launchBrowser();
  t.teardown(async () => {
    await browser.close();
    await server.close();
  });
  const page = await browser.newPage({ viewport: { width: 1200, height: 900 }, colorScheme: 'light' });
  const faults: string[] = [];
  let isServed = true;
  page.on('console', (message) => isServed && faults.push(message.text()));
  page.on('pageerror', ({ message }) => faults.push(message));
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(address) && !url.startsWith('data:')) faults.push(url);
  });
  await page.goto(address);
  const text = (): Promise<string> => page.locator('body').innerText();
  /** Until the page says so. */
  const shows = (pattern: string): Promise<unknown> =>
    page.waitForFunction((wanted) => new RegExp(wanted).test(document.body.innerText), pattern, { timeout: 8000 });
  const screenshots = path.join(repositoryRoot(), 'dist/screenshots');
  await mkdir(screenshots, { recursive: true });
  const looks = async (width: number, scheme: 'light' | 'dark'): Promise<void> => {
    await page.emulateMedia({ colorScheme: scheme });
    await page.setViewportSize({ width, height: 900 });
    await page.waitForFunction(() => [...document.querySelectorAll('.plot')].every((plot) => Math.abs(plot.querySelector('.uplot')!.clientWidth - plot.clientWidth) < 2)); // prettier-ignore
    const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    t.ok(over <= 0, `${width} pixels: nothing scrolls sideways`);
    t.same(await objections(page), [], `${width} pixels, ${scheme}: axe`);
    await page.screenshot({ path: path.join(screenshots, `watch-${width}-${scheme}.png`), fullPage: true });
  };

  await page.locator('.chart canvas').nth(3).waitFor();
  await shows('1 min 30 s left');
  t.match(await text(), /1 of 4[^]*12\.5[^]*✓ 0[^]*▶ 1: 55 %[^]*✕ 2[^]*○ 0[^]*loss is NaN[^]*mIoU[^]*0\.58/);
  t.equal(await page.locator('.sample img').count(), 2);
  const before = await drawnPixels(page);
  t.ok(before > 1000, `${before} pixels are drawn`);
  t.match(await page.locator('.plot').first().getAttribute('aria-label'), 'seed 1: 22 points');
  await looks(1200, 'light');

  // The run goes on while it is looked at.
  await writeMadeCheckpoint(folder, 1, 36);
  await writeJson(path.join(folder, 'progress.json'), { ...madeProgress(0.9), secondsLeft: 8 });
  await shows('▶ 1: 90 %');
  await page.waitForFunction(() => document.querySelector('.plot')!.ariaLabel?.includes('seed 1: 36 points'));
  t.ok((await drawnPixels(page)) > before + 20, 'its line is longer');
  await looks(420, 'dark');

  // By keyboard: the cursor of a plot, and another run of the queue.
  await page.locator('.plot').first().focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await shows(' at 2');
  await page.getByRole('button', { name: 'mtl, student' }).focus();
  await page.keyboard.press('Enter');
  await shows('no curves yet');
  t.match(page.url(), /#made%2Fmtl%2C%20student$/);
  await page.getByRole('button', { name: 'stl, baseline' }).click();
  await page.getByLabel('logarithmic').check();
  await page.locator('.chart canvas').first().waitFor();
  t.same(faults, [], 'no message, no request of others');

  // The server goes and comes, with another folder; one is broken and deleted meanwhile.
  isServed = false;
  const { port } = new URL(address);
  await server.close();
  await shows('the server does not answer');
  t.match(await text(), 'stl, baseline', 'what was known stays');
  await writeFile(path.join(folder, 'progress.json'), '{');
  server = await serveWatch([folder, other], { port: Number(port) });
  await shows('live[^]*Cannot be read: progress.json[^]*There is no such folder now');
  isServed = true;
  await writeRecord(other, 0);
  await rm(folder, { recursive: true });
  await shows('There is no such folder now[^]*other[^]*1 of 1');
  t.same(faults, [], 'no message, no request of others');
});
