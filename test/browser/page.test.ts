// The page and `wgrad golden --browser` on small fixtures: what passes, what fails, and what cannot be run.
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { runGoldenInBrowser } from '../../experiments/verification/golden/browser.ts';
import { runGolden } from '../../experiments/verification/golden/folder.ts';
import { run } from '../experiments/command.ts';
import { softwareAdapter, withoutBrowser, withPage, writeFixtures } from './chromium.ts';

/** For one run, which takes seconds on an idle machine. */
const LIMIT_MILLISECONDS = 180_000;

const limited = () =>
  ({ device: 'wasm', args: softwareAdapter, signal: AbortSignal.timeout(LIMIT_MILLISECONDS) }) as const;

t.test('a right and a wrong gradient, as in Node', { skip: withoutBrowser }, async (t) => {
  const folder = t.testdir();
  await writeFixtures(folder);
  const { failures } = await runGolden(folder, { device: 'wasm' });
  t.match(failures, [{ id: 'relu-wrong', reason: /^gradient of x\[3\] is 8, expected 9/ }]);
  for (const device of ['wasm', 'webgpu', 'reference'] as const) {
    const result = await runGoldenInBrowser(folder, { ...limited(), device });
    t.match(result, { passed: 1, failed: 1 }, device);
    t.same(result.failures, failures, device);
  }
});

t.test('fixtures that cannot be run end the run with an error', { skip: withoutBrowser }, async (t) => {
  const folder = t.testdir();
  await writeFixtures(folder);
  const refuses = async (message: RegExp, name = 'DataError', family?: string): Promise<void> => {
    await t.rejects(runGoldenInBrowser(folder, { ...limited(), family }), { name, message }, String(message));
  };
  await refuses(/no such family.*expected made, got none/, 'ConfigError', 'none');
  const file = path.join(folder, 'made.safetensors');
  const content = await readFile(file);
  await writeFile(file, content.subarray(0, content.length - 3));
  await refuses(/made\.safetensors, byte \d+: the file ends inside/);
  await writeFile(file, 'nothing of the kind');
  await refuses(/made\.safetensors, byte 0: bad header length/);
  await writeFile(path.join(folder, 'manifest.json'), '{}');
  await refuses(/not a fixture manifest/);
  await writeFile(path.join(folder, 'manifest.json'), '{');
  await refuses(/not JSON/);
});

t.test('missing files end the run with an error', { skip: withoutBrowser }, async (t) => {
  const folder = t.testdir({ 'manifest.json': '' });
  await writeFixtures(folder);
  const manifest = await readFile(path.join(folder, 'manifest.json'), 'utf8');
  await writeFile(path.join(folder, 'manifest.json'), manifest.replace('made.safetensors', 'lost.safetensors'));
  const message = /cannot read the fixtures.*lost\.safetensors/;
  await t.rejects(runGoldenInBrowser(folder, limited()), { name: 'DataError', message });
  await t.rejects(runGolden(folder), { name: 'DataError', message });
});

t.test('what the page shows', { skip: withoutBrowser }, async (t) => {
  const folder = t.testdir();
  await writeFixtures(folder);
  await withPage(folder, {}, async (page) => {
    await page.evaluate(() => window.wgradGolden);
    t.same(await page.locator('select[name=family] option').allTextContents(), ['all', 'made']);
    await page.selectOption('select[name=device]', 'wasm');
    await page.selectOption('select[name=family]', 'made');
    await page.click('button');
    await page.waitForURL(/device=wasm/);
    await page.locator('#state.failed').waitFor();
    t.equal(await page.locator('#state').textContent(), '1 passed, 1 failed');
    t.match(await page.title(), '1 passed, 1 failed');
    t.match(await page.locator('#failures li').allTextContents(), [/^relu-wrong: gradient of x\[3\] is 8, expected 9/]);
    t.match(await page.locator('#facts').textContent(), /runs onwasm \(.*SIMD.*cross-origin isolatedyes/);
    t.equal(await page.locator('select[name=device]').inputValue(), 'wasm', 'the form keeps what was asked for');
    await page.goto(page.url().replace('made', 'none'));
    await page.locator('#state.refused').waitFor();
    t.match(await page.locator('#state').textContent(), /no such family.*expected made, got none$/);
  });
});

t.test('a run that is stopped', { skip: withoutBrowser }, async (t) => {
  const folder = t.testdir();
  await writeFixtures(folder);
  await t.rejects(runGoldenInBrowser(folder, { ...limited(), signal: AbortSignal.timeout(1) }));
});

t.test('the command', { skip: withoutBrowser }, async (t) => {
  const folder = t.testdir();
  await writeFixtures(folder);
  const ran = await run(['golden', '.', '--browser', '--device', 'wasm', '--no-isolation'], folder);
  t.equal(ran.stderr, '');
  t.equal(ran.status, 1);
  const [failure, device, counts, ...rest] = ran.stdout.trimEnd().split('\n');
  t.match(failure, /^relu-wrong: gradient of x\[3\]/);
  t.match(device, /^wasm \(.*, 1 thread\), not cross-origin isolated, Chromium \d+/);
  t.equal(counts, '1 passed, 1 failed');
  t.same(rest, []);
});
