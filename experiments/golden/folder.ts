// Golden fixtures in a folder, for Node.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Fixtures, type FixtureSource, openFixtures } from './fixtures.ts';
import { type GoldenOptions, type GoldenResult, runFixtures } from './run.ts';

const folder = (directory: string): FixtureSource => ({
  locate: (file) => join(directory, file),
  read: (file) => readFile(join(directory, file)),
});

/** The fixtures in a folder. Throws DataError where it is not one of fixtures. */
export const openFolder = (directory: string): Promise<Fixtures> => openFixtures(folder(directory));

/** Runs all cases (or one family) of a fixture folder on a new device. */
export const runGolden = async (directory: string, options: GoldenOptions = {}): Promise<GoldenResult> =>
  runFixtures(await openFolder(directory), options);
