// The book: every chapter is in its contents, every program runs and prints what the page says, every number of a paper's chapter
// stands in the tracked results, and every command has the options that it is given.
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { buildProgram } from '../../experiments/cli/program.ts';
import { papers } from '../../experiments/index.ts';
import { repositoryRoot } from '../shared-data.ts';
import { blocksOf, expected, printedBy } from './blocks.ts';

const root = repositoryRoot();
const text = (page: string): Promise<string> => readFile(path.join(root, page), 'utf8');
const chapters = (await readdir(path.join(root, 'docs'), { recursive: true }))
  .filter((name) => name.endsWith('.md'))
  .map((name) => `docs/${name.replaceAll(path.sep, '/')}`);

/** Programs that another test runs, by page and number. */
const elsewhere: Readonly<Record<string, string>> = {
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

t.test('the contents name every chapter', async (t) => {
  const contents = await text('docs/README.md');
  for (const page of chapters.filter((each) => each !== 'docs/README.md')) {
    t.ok(contents.includes(`](${path.posix.relative('docs', page)})`), page);
  }
});

/** Numbers with a point, and counts such as `2, 1, 1 and 3 of 3`: what could be mistyped. */
const numbersOf = (found: string): string[] => found.match(/\d+\.\d+|\d+, \d+, \d+ and \d+ of \d+/g) ?? [];

t.test('numbers of the papers', async (t) => {
  for (const { name } of papers) {
    const page = await text(`docs/papers/${name}.md`);
    const [, claims, found] = /## What it claims\n([\s\S]*)## What we found\n([\s\S]*)## How to run/.exec(page)!;
    const results = (await text(`experiments/papers/${name}/results/README.md`)).replace(/\s+/g, ' ');
    const numbers = [...numbersOf(claims!), ...numbersOf(found!.replace(/\s+/g, ' '))];
    t.ok(numbers.length > 4, `${name}: ${numbers.length} numbers`);
    for (const number of numbers) t.ok(results.includes(number), `${name}: ${number}`);
  }
});

interface Rung {
  readonly name: string;
  readonly overPrevious: Readonly<Record<'median' | 'min' | 'max', number>>;
}

t.test('what did not pay', async (t) => {
  const page = await text('docs/did-not-pay.md');
  const { ladders } = JSON.parse(await text('bench/results/ladder-2core.json')) as {
    ladders: { name: string; rungs: Rung[] }[];
  };
  const rows = [...page.matchAll(/^\| [^|]+ \| `([^`|]+)` \| `([^`|]+)` \| (\S+) \((\S+) to (\S+)\) \|$/gm)];
  t.equal(rows.length, 7);
  for (const [, ladder, rung, ...said] of rows) {
    const found = ladders.filter(({ name }) => name === ladder).flatMap(({ rungs }) => rungs);
    const all = found.filter(({ name }) => name === rung).map(({ overPrevious: { median, min, max } }) => [median, min, max].map((n) => n.toFixed(2)).join()); // prettier-ignore
    t.ok(all.includes(said.join()), `${ladder}, ${rung}: ${said.join()} among ${all.join('; ')}`);
  }
  const { results } = JSON.parse(await text('bench/results/host-2core.json')) as {
    results: { network: string; device: string; [part: string]: unknown }[];
  };
  const milliseconds = (network: string, part: string): number[] => {
    const times = results.find((each) => each.network === network && each.device === 'wasm')![part];
    const { eager, compiled } = times as Record<'eager' | 'compiled', { median: number }>;
    return [1000 * eager.median, 1000 * compiled.median];
  };
  const [host, step, toy] = [milliseconds('dmtl', 'host'), milliseconds('dmtl', 'step'), milliseconds('toy', 'step')];
  const flowing = page.replace(/\s+/g, ' ');
  t.match(flowing, `(${host.map((ms) => ms.toFixed(2)).join(' to ')} ms for the dMTL U-Net)`);
  t.match(flowing, `(${step.map((ms) => ms.toFixed(0)).join(' to ')} ms, 2 %)`);
  t.match(flowing, `(${toy.map((ms) => ms.toFixed(2)).join(' to ')} ms for the toy network)`);
});

t.test('commands have the options that pages give them', async (t) => {
  const program = buildProgram(() => undefined);
  const tables = papers.flatMap(({ name, tables }) => [name, ...tables.map((table) => `${name}/${table.name}`)]);
  let seen = 0;
  for (const page of chapters) {
    for (const [, line] of (await text(page)).matchAll(/^ {4}wgrad (.+)$/gm)) {
      const words = line!.split(/ {2,}/)[0]!.replace(/[[\]]/g, '').split(/\s+/);
      const command = program.commands.find((each) => each.name() === words[0]);
      t.ok(command, `${page}: ${words[0]}`);
      const inner = command!.commands.find((each) => each.name() === words[1]) ?? command!;
      for (const option of words.filter((word) => word.startsWith('--'))) {
        t.ok(inner.options.some(({ long }) => long === option), `${page}: ${words[0]} ${option}`); // prettier-ignore
      }
      if (words[0] === 'reproduce') {
        for (const word of words.slice(1).filter((each) => /^[a-z-]+\/[a-z0-9-]+$/.test(each))) {
          t.ok(tables.includes(word) || word.startsWith('runs/'), `${page}: ${word}`);
        }
      }
      seen++;
    }
  }
  t.ok(seen > 60, `${seen} commands`);
});
