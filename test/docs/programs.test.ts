// Every program of the pages runs, each in a thread of its own, and prints what the page says.
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { repositoryRoot } from '../shared-data.ts';
import { blocksOf, expected, printedBy } from './blocks.ts';

const root = repositoryRoot();
const text = (page: string): Promise<string> => readFile(path.join(root, page), 'utf8');
const chapters = (await readdir(path.join(root, 'docs'), { recursive: true }))
  .filter((name) => name.endsWith('.md'))
  .map((name) => `docs/${name}`);

/** Programs that another test runs, by page and number. */
const elsewhere: Readonly<Record<string, string>> = {
  'docs/browser.md 1': 'test/browser/training.test.ts',
  'docs/training.md 1': 'test/experiments/own-training.test.ts',
  'docs/commands.md 2': 'test/docs/readme.test.ts',
};

t.test('programs', async (t) => {
  const folder = t.testdir();
  let run = 0;
  for (const page of chapters) {
    for (const [i, block] of blocksOf(await text(page)).entries()) {
      const name = `${page} ${i + 1}`;
      if (elsewhere[name]) {
        t.match(await text(elsewhere[name]), path.basename(page), `${name} is run by ${elsewhere[name]}`);
        continue;
      }
      const printed = await printedBy(block, folder, name.replace(/\W/g, '-'));
      t.equal(printed, expected(block), `${page}, line ${block.line}`);
      run++;
    }
  }
  t.ok(run >= 15, `${run} programs`);
});
