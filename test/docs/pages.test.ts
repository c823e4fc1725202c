// Pages for people name files, commands, options, tables and tests that exist, and link to what is there; the contents name every
// chapter; numbers of the papers' chapters stand in the tracked results, and those of what did not pay in the benchmarks.
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { buildProgram } from '../../experiments/cli/program.ts';
import { papers } from '../../experiments/papers/index.ts';
import { filesBelow } from '../experiments/command.ts';
import { repositoryRoot } from '../shared-data.ts';

const root = repositoryRoot();
const docs = (await readdir(path.join(root, 'docs'), { recursive: true })).filter((name) => name.endsWith('.md'));
const text = (page: string): Promise<string> => readFile(path.join(root, page), 'utf8');
const chapters = docs.map((name) => `docs/${name}`);
const program = buildProgram(() => undefined);
const commands = new Set(program.commands.map((command) => command.name()));

for (const page of ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...chapters]) {
  const text = await readFile(path.join(root, page), 'utf8');
  const quoted = [...text.matchAll(/`([^`\n]+(?:\n[^`\n]+)?)`/g)].map(([, inner]) => inner!.replace(/\s+/g, ' '));

  t.test(page, (t) => {
    const paths = quoted.filter((each) =>
      /^(engine|kernels|models|experiments|bench|test|docs)(\/[\w.-]+)+\/?$/.test(each),
    );
    if (page === 'CONTRIBUTING.md') t.ok(paths.length > 30);
    for (const each of paths) t.ok(existsSync(path.join(root, each)), each);
    const links = [...text.matchAll(/\]\(([^)#\s]+)/g)]
      .map(([, link]) => link!)
      .filter((link) => !/^https?:/.test(link));
    for (const link of links) t.ok(existsSync(path.resolve(root, path.dirname(page), link)), link);
    const lines = [...quoted, ...text.split('\n').filter((line) => line.startsWith('    '))];
    const named = lines.flatMap((line) => /\bwgrad (?:-- )?([a-z]+)\b/.exec(line)?.[1] ?? []);
    for (const name of named) t.ok(commands.has(name), `wgrad ${name}`);
    t.end();
  });
}

t.test('the tests that CONTRIBUTING.md names exist', async (t) => {
  const text = await readFile(path.join(root, 'CONTRIBUTING.md'), 'utf8');
  const tests = (await filesBelow(path.join(root, 'test'))).filter((file) => file.endsWith('.test.ts'));
  const words = [...text.matchAll(/`npm test -- ([\w/ -]+)`/g)].flatMap(([, each]) => each!.split(' '));
  t.ok(words.length > 8);
  for (const word of words) t.ok(tests.some((file) => `test/${file}`.includes(word)), word); // prettier-ignore
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
  const claims = [...page.matchAll(/^\| [^|]+ \| ([^|]+) \| \[[^\]]+\]\(\.\.\/(experiments\S+)\) \|$/gm)];
  t.equal(claims.length, 7);
  for (const [, said, results] of claims) {
    const found = (await text(results!)).replace(/\s+/g, ' ');
    for (const number of numbersOf(said!)) t.ok(found.includes(number), `${results}: ${number}`);
  }
  const flowing = page.replace(/\s+/g, ' ');
  t.match(flowing, `(${host.map((ms) => ms.toFixed(2)).join(' to ')} ms for the dMTL U-Net)`);
  t.match(flowing, `(${step.map((ms) => ms.toFixed(0)).join(' to ')} ms, 2 %)`);
  t.match(flowing, `(${toy.map((ms) => ms.toFixed(2)).join(' to ')} ms for the toy network)`);
  const { cases } = JSON.parse(await text('bench/results/step-2core.json')) as {
    cases: { name: string; peers: { name: string; ratio: Readonly<Record<'median' | 'min' | 'max', number>> }[] }[];
  };
  const block = cases.find(({ name }) => name.startsWith('dense-block'))!;
  const { median, min, max } = block.peers.find(({ name }) => name === 'pytorch')!.ratio;
  t.match(flowing, `${median.toFixed(2)} times its speed on two threads (${min.toFixed(2)} to ${max.toFixed(2)})`);
});

/** Commands whose options are known only where they run. */
const otherwise = ['bench', 'compile', 'queue'];

t.test('commands have the options, tables and papers that pages give them', async (t) => {
  const tables = new Set(papers.flatMap(({ name, tables }) => tables.map((table) => `${name}/${table.name}`)));
  const unknown: string[] = [];
  let seen = 0;
  for (const page of chapters) {
    for (const [, line] of (await text(page)).matchAll(/^ {4}wgrad (.+)$/gm)) {
      const [name, ...words] = line!.split(/ {2,}/)[0]!.replace(/[[\]]/g, '').split(/\s+/);
      const command = program.commands.find((each) => each.name() === name);
      const options = (command?.commands.find((each) => each.name() === words[0]) ?? command)?.options ?? [];
      const isTable = (word: string): boolean => papers.some((paper) => word.startsWith(`${paper.name}/`));
      const wrong = words.filter((word) =>
        word.startsWith('--')
          ? !otherwise.includes(name!) && !options.some(({ long }) => long === word)
          : isTable(word) && !tables.has(word),
      );
      unknown.push(...(command ? wrong : [name!]).map((word) => `${page}: ${name} ${word}`));
      seen++;
    }
  }
  t.same(unknown, []);
  t.ok(seen > 60, `${seen} commands`);
});
