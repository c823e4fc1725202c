// Pages for people name files, commands and tests that exist, and link to what is there.
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { buildProgram } from '../../experiments/cli/program.ts';
import { filesBelow } from '../experiments/command.ts';
import { repositoryRoot } from '../shared-data.ts';

const root = repositoryRoot();
const docs = (await readdir(path.join(root, 'docs'), { recursive: true })).filter((name) => name.endsWith('.md'));
const commands = new Set(buildProgram(() => undefined).commands.map((command) => command.name()));

for (const page of ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...docs.map((name) => `docs/${name}`)]) {
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
