// The open fixtures in Chromium: webgpu on its software adapter, wasm with and without cross-origin isolation.
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import t, { type Test } from 'tap';
import {
  type BrowserOptions,
  type BrowserResult,
  runGoldenInBrowser,
} from '../../experiments/verification/golden/browser.ts';
import { sharedData } from '../shared-data.ts';
import { softwareAdapter, withoutBrowser } from './chromium.ts';

/** For one run, which takes seconds on an idle machine. */
const LIMIT_MILLISECONDS = 180_000;

const folder = sharedData('golden/open');
const skip = withoutBrowser || (folder === undefined && 'the fixtures are not beside this checkout');

const runs: Record<string, { options: BrowserOptions; check(t: Test, result: BrowserResult): void }> = {
  'webgpu on SwiftShader': {
    options: { device: 'webgpu', args: softwareAdapter },
    check(t, { device, facts }) {
      t.match(device, /^webgpu .*swiftshader/i);
      t.equal(facts.software, true);
    },
  },
  'wasm, cross-origin isolated': {
    options: { device: 'wasm' },
    check(t, { isolated, facts }) {
      t.equal(isolated, true);
      t.equal(facts.threads, Math.min(16, availableParallelism()), 'all threads');
      t.equal(facts.shared, availableParallelism() > 1);
    },
  },
  'wasm, not isolated': {
    options: { device: 'wasm', isolation: false },
    check(t, { isolated, facts }) {
      t.equal(isolated, false);
      t.equal(facts.threads, 1);
      t.equal(facts.shared, false);
    },
  },
};

for (const [name, { options, check }] of Object.entries(runs)) {
  t.test(name, { skip }, async (t) => {
    const manifest = JSON.parse(await readFile(path.join(folder!, 'manifest.json'), 'utf8')) as { cases: unknown[] };
    const signal = AbortSignal.timeout(LIMIT_MILLISECONDS);
    const result = await runGoldenInBrowser(folder!, { ...options, signal });
    t.comment(`${result.device}, ${result.browser}`);
    t.same(result.failures, []);
    t.equal(result.passed, manifest.cases.length);
    t.equal(result.failed, 0);
    check(t, result);
  });
}
