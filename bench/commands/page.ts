// `wgrad bench page`: results as one HTML page with roofline and scaling plots, or one of them as a picture.
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { ConfigError, DataError, WgradError } from '../../engine/index.ts';
import { writeWhole } from '../../experiments/runner/files.ts';
import { readDocument, type ReadDocument } from '../report/document.ts';
import { resultsPage } from '../report/page.ts';
import { peersPicture } from '../report/plots.ts';
import { resultsFolder } from '../contestants/roster.ts';
import { print } from '../../experiments/cli/output.ts';
import type { Subcommand } from './subcommand.ts';

const DEFAULT_FILE = 'bench.html';

/** The tracked results that are documents of this program; others stand beside them with formats of their own. */
async function tracked(): Promise<Map<string, ReadDocument>> {
  const results = new Map<string, ReadDocument>();
  const names = await readdir(resultsFolder).catch(() => []);
  for (const name of names.filter((each) => each.endsWith('.json')).sort()) {
    try {
      results.set(name, await readDocument(path.join(resultsFolder, name)));
    } catch (error) {
      if (!(error instanceof WgradError)) throw error;
    }
  }
  return results;
}

interface PageFlags {
  out?: string;
  picture?: string;
}

async function run(files: readonly string[], { out = DEFAULT_FILE, picture }: PageFlags): Promise<number> {
  if (picture !== undefined) {
    const [file, ...others] = files;
    if (file === undefined || others.length > 0) {
      throw new ConfigError('a picture shows one result', { given: `${files.length} files` });
    }
    await writeWhole(picture, await peersPicture(await readDocument(file)));
    print(picture);
    return 0;
  }
  const results =
    files.length > 0
      ? new Map(await Promise.all(files.map(async (file) => [path.basename(file), await readDocument(file)] as const)))
      : await tracked();
  if (results.size === 0) throw new DataError('there are no tracked results', { given: resultsFolder });
  await writeWhole(out, await resultsPage(results));
  print(out);
  return 0;
}

export const page: Subcommand = (program, done) => {
  program
    .command('page')
    .description('results as one HTML page with roofline and scaling plots')
    .argument('[file...]', 'what --out has written (default: the tracked results)')
    .option('--out <file>', `the page (default: ${DEFAULT_FILE})`)
    .option('--picture <file>', 'instead of a page, one result beside its peers as SVG, for light and dark pages')
    .action(async (files: string[], flags: PageFlags) => done(await run(files, flags)));
};
