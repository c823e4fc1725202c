// The golden runner in a headless Chromium: serves the page, opens it and takes its result. Driven by playwright-core,
// which is no dependency of the package and is loaded when it is needed.
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Browser } from 'playwright-core';
import type * as Playwright from 'playwright-core';
import { ConfigError, DataError, type DeviceChoice, DeviceError, WgradError } from '../../../engine/index.ts';
import type { PageOutcome } from './page.ts';
import type { GoldenResult } from './run.ts';
import { serveGolden } from './serve.ts';

export interface BrowserOptions {
  device?: DeviceChoice;
  /** Only this family. */
  family?: string | undefined;
  /** false: no cross-origin isolation, so that `wasm` has one thread. */
  isolation?: boolean;
  /** The browser to start. By default Chromium or Chrome where the system keeps them. */
  executable?: string | undefined;
  /** More command-line arguments of the browser. */
  args?: readonly string[];
  /** Closes the browser; the run is then rejected. */
  signal?: AbortSignal;
}

export interface BrowserResult extends GoldenResult {
  /** Name and version. */
  browser: string;
  isolated: boolean;
}

/** Loading a page and starting a browser take seconds, and longer on a busy machine. */
const START_MILLISECONDS = 120_000;

/** Chromium hides WebGPU on Linux. With these it takes a GPU through Vulkan, or else its own software adapter. */
const webgpuArguments = ['--enable-unsafe-webgpu', '--enable-features=Vulkan'];

const errors: Readonly<Record<string, typeof WgradError>> = { ConfigError, DataError, DeviceError };

/** Chromium or Chrome on the path, or undefined. */
export function findBrowser(): string | undefined {
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
  const folders = (process.env.PATH ?? '').split(path.delimiter);
  return names.flatMap((name) => folders.map((folder) => path.join(folder, name))).find(existsSync);
}

/** Starts a headless browser. Throws ConfigError where it or playwright-core is missing. */
export async function launchBrowser({ executable = findBrowser(), args = [] }: BrowserOptions = {}): Promise<Browser> {
  let playwright: typeof Playwright;
  try {
    playwright = await import('playwright-core');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    const hint = 'Run `npm install playwright-core`, or open the page of `wgrad golden DIR --serve` by hand';
    throw new ConfigError('the npm package `playwright-core` is not installed', { operation: 'golden', hint, cause });
  }
  try {
    return await playwright.chromium.launch({
      ...(executable === undefined ? { channel: 'chrome' } : { executablePath: executable }),
      args: [...webgpuArguments, ...args],
      timeout: START_MILLISECONDS,
    });
  } catch (cause) {
    throw new ConfigError('the browser does not start', {
      operation: 'golden',
      given: executable ?? 'no browser on the path',
      hint: 'Install Chromium (on Debian `apt install chromium`) or name the executable: --browser EXECUTABLE',
      cause,
    });
  }
}

/** The page's address with what it is to do. */
export function pageAddress(address: string, { device = 'auto', family, isolation = true }: BrowserOptions): string {
  const asked = new URLSearchParams({ device });
  if (family !== undefined) asked.set('family', family);
  if (!isolation) asked.set('isolated', 'no');
  return `${address}?${asked.toString()}`;
}

/**
 * Runs all cases (or one family) of a fixture folder in a headless browser. Throws ConfigError where the browser or
 * playwright-core is missing, and what the page throws: DataError for damaged fixtures, DeviceError for a missing device.
 */
export async function runGoldenInBrowser(directory: string, options: BrowserOptions = {}): Promise<BrowserResult> {
  const browser = await launchBrowser(options);
  const close = (): void => void browser.close();
  options.signal?.addEventListener('abort', close);
  try {
    options.signal?.throwIfAborted();
    const server = await serveGolden(directory);
    try {
      const page = await browser.newPage();
      page.setDefaultTimeout(START_MILLISECONDS);
      const broken = new Promise<never>((_, reject) => {
        page.on('pageerror', reject);
        page.on('crash', () => reject(new DeviceError('the page crashed', { operation: 'golden' })));
      });
      const run = async (): Promise<PageOutcome> => {
        await page.goto(pageAddress(server.address, options));
        await page.waitForFunction(() => window.wgradGolden !== undefined);
        return (await page.evaluate(() => window.wgradGolden))!;
      };
      const { result, error, isolated } = await Promise.race([run(), broken]);
      if (error) throw new (errors[error.name] ?? WgradError)(error.message);
      return { ...result!, isolated, browser: `Chromium ${browser.version()}` };
    } finally {
      await server.close();
    }
  } finally {
    options.signal?.removeEventListener('abort', close);
    await browser.close();
  }
}
