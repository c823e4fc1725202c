// Golden fixtures in a folder, for Node.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type FixtureSource, openFixtures } from './fixtures.ts';
import { type GoldenOptions, type GoldenResult, runFixtures } from './run.ts';

const folder = (directory: string): FixtureSource => ({
  locate: (file) => join(directory, file),
  read: (file) => readFile(join(directory, file)),
});

/** Runs all cases (or one family) of a fixture folder on a new device. */
export const runGolden = async (directory: string, options: GoldenOptions = {}): Promise<GoldenResult> =>
  runFixtures(await openFixtures(folder(directory)), options);
