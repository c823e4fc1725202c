// The recipes of CONTRIBUTING.md name files, commands and tests that exist.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { buildProgram } from '../experiments/cli/program.ts';
import { filesBelow } from './experiments/command.ts';
import { repositoryRoot } from './shared-data.ts';

const root = repositoryRoot();
const text = await readFile(path.join(root, 'CONTRIBUTING.md'), 'utf8');
const quoted = [...text.matchAll(/`([^`]+)`/g)].map(([, inner]) => inner!.replace(/\s+/g, ' '));

t.test('its paths exist', (t) => {
  const paths = quoted.filter((each) => /^[\w.-]+(\/[\w.-]+)*\/([\w.-]+)?$/.test(each) && !each.startsWith('results'));
  t.ok(paths.length > 30);
  for (const each of paths) t.ok(existsSync(path.join(root, each)), each);
  t.end();
});

t.test('its test files exist', async (t) => {
  const tests = (await filesBelow(path.join(root, 'test'))).filter((file) => file.endsWith('.test.ts'));
  const words = quoted.flatMap((each) => /^npm test -- ([\w/ -]+)$/.exec(each)?.[1]!.split(' ') ?? []);
  t.ok(words.length > 8);
  for (const word of words)
    t.ok(
      tests.some((file) => `test/${file}`.includes(word)),
      word,
    );
});

t.test('its commands exist', (t) => {
  const program = buildProgram(() => undefined);
  const names = quoted.flatMap((each) => /wgrad (?:-- )?([a-z]+)(?: ([a-z]+))?/.exec(each)?.slice(1, 2) ?? []);
  t.ok(names.length > 8);
  for (const name of names)
    t.ok(
      program.commands.some((command) => command.name() === name),
      name,
    );
  t.end();
});
