// Golden fixtures in a folder, for Node.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { takes } from '../../../engine/call-check.ts';
import { callback, optionsWith, record, text } from '../../../engine/parameters.ts';
import { type Fixtures, type FixtureSource, openFixtures } from './fixtures.ts';
import { type GoldenOptions, type GoldenResult, runFixtures } from './run.ts';

const folder = (directory: string): FixtureSource => ({
  locate: (file) => join(directory, file),
  read: (file) => readFile(join(directory, file)),
});

/** The fixtures in a folder. Throws DataError where it is not one of fixtures. */
export const openFolder = (directory: string): Promise<Fixtures> => openFixtures(folder(directory));

const takesGolden = takes('runGolden', {
  directory: text,
  options: optionsWith<GoldenOptions>({
    device: text,
    family: text,
    begin: callback,
    tuning: record,
    report: callback,
  }),
});

/** Runs all cases (or one family) of a fixture folder on a new device. */
export async function runGolden(...args: [directory: string, options?: GoldenOptions]): Promise<GoldenResult> {
  const [directory, options = {}] = takesGolden(args);
  return runFixtures(await openFolder(directory), options);
}
