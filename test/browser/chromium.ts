// What the browser tests share: Chromium with its software adapter, a folder with two small fixtures, and pages that are
// closed whatever happens.
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { writeSafetensors } from '../../engine/index.ts';
import { findBrowser, launchBrowser } from '../../experiments/verification/golden/browser.ts';
import { serveGolden } from '../../experiments/verification/golden/serve.ts';

/** The same adapter on every machine, whatever GPU it has. */
export const softwareAdapter = ['--use-webgpu-adapter=swiftshader'];

/** Why the tests cannot run here, or false. */
export const withoutBrowser: string | false =
  findBrowser() === undefined && 'no Chromium or Chrome is on the path (on Debian: apt install chromium)';

const float32 = (shape: number[], ...values: number[]) => ({
  dtype: 'F32' as const,
  shape,
  data: Float32Array.from(values),
});

/** Writes a set of two cases: relu with its gradient, right in the one, with a wrong gradient in the other. */
export async function writeFixtures(folder: string): Promise<void> {
  const tensors = new Map([
    ['x', float32([4], -1, 0, 2, 3)],
    ['y', float32([4], 0, 0, 2, 3)],
    ['v', float32([4], 5, 6, 7, 8)],
    ['right', float32([4], 0, 0, 7, 8)],
    ['wrong', float32([4], 0, 0, 7, 9)],
  ]);
  const cases = ['right', 'wrong'].map((gradient) => ({
    id: `relu-${gradient}`,
    family: 'made',
    op: 'relu',
    attrs: {},
    inputs: { x: 'x' },
    outputs: { y: 'y' },
    cotangents: { y: 'v' },
    grads: { x: gradient },
    tolerance: { rtol: 0, atol: 0 },
  }));
  const manifest = { format: 'golden-fixtures/1', families: { made: { file: 'made.safetensors' } }, cases };
  await writeFile(path.join(folder, 'manifest.json'), JSON.stringify(manifest));
  await writeFile(path.join(folder, 'made.safetensors'), writeSafetensors({ tensors }));
}

/** Opens the page of a fixture folder, which waits for its form, and closes all when `work` has ended. */
export async function withPage<T>(
  folder: string,
  { isolation = true }: { isolation?: boolean },
  work: (page: Page) => Promise<T>,
): Promise<T> {
  const server = await serveGolden(folder);
  try {
    const browser = await launchBrowser({ args: softwareAdapter });
    try {
      const page = await browser.newPage();
      await page.goto(`${server.address}${isolation ? '' : '?isolated=no'}`);
      return await work(page);
    } finally {
      await browser.close();
    }
  } finally {
    await server.close();
  }
}
