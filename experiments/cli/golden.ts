// `wgrad golden`: fixtures in this process, in a headless browser, or served for a browser of one's own.
import { once } from 'node:events';
import { ConfigError, type DeviceChoice } from '../../engine/index.ts';
import { pageAddress, runGoldenInBrowser } from '../verification/golden/browser.ts';
import { runGolden } from '../verification/golden/folder.ts';
import { serveGolden } from '../verification/golden/serve.ts';
import { readTuning } from '../runner/tuning.ts';
import { print } from './output.ts';

export interface GoldenFlags {
  device: DeviceChoice;
  /** A file of measured tables. */
  tuning?: string;
  family?: string;
  /** The executable, or true for the one that is found. */
  browser?: string | true;
  /** The port, or true for any. */
  serve?: number | true;
  isolation: boolean;
}

async function inBrowser(dir: string, { browser, ...flags }: GoldenFlags) {
  const executable = browser === true ? undefined : browser;
  const result = await runGoldenInBrowser(dir, { ...flags, executable });
  for (const { id, reason } of result.failures) print(`${id}: ${reason}`);
  print(`${result.device}, ${result.isolated ? '' : 'not '}cross-origin isolated, ${result.browser}`);
  return result;
}

async function serve(dir: string, { serve: port, ...flags }: GoldenFlags): Promise<number> {
  const server = await serveGolden(dir, port === true ? undefined : port);
  print(pageAddress(server.address, flags));
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  await server.close();
  return 0;
}

const tuningOf = ({ tuning }: GoldenFlags) => (tuning === undefined ? undefined : readTuning(tuning));

export async function goldenCommand(dir: string, flags: GoldenFlags): Promise<number> {
  if (flags.browser !== undefined && flags.serve !== undefined) {
    throw new ConfigError('the page is either opened or served', { hint: 'Give --browser or --serve' });
  }
  if (flags.tuning !== undefined && (flags.browser !== undefined || flags.serve !== undefined)) {
    throw new ConfigError('measured plans apply to this process only', {
      hint: 'Leave out --browser and --serve, or --tuning',
    });
  }
  if (!flags.isolation && flags.browser === undefined && flags.serve === undefined) {
    throw new ConfigError('isolation applies to browsers only', {
      hint: 'Give --browser or --serve with --no-isolation',
    });
  }
  if (flags.serve !== undefined) return serve(dir, flags);
  const report = (id: string, failure: string | undefined): void => {
    if (failure !== undefined) print(`${id}: ${failure}`);
  };
  const { passed, failed } = flags.browser
    ? await inBrowser(dir, flags)
    : await runGolden(dir, { device: flags.device, tuning: await tuningOf(flags), family: flags.family, report });
  print(`${passed} passed, ${failed} failed`);
  return failed > 0 ? 1 : 0;
}
