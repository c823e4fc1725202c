// docs/real-data.md: its commands are those that the program has, and those for MNIST, KITTI and the pets are tried on real samples.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { buildProgram } from '../../experiments/cli/program.ts';
import { dataSets } from '../../experiments/data/sets/index.ts';
import { papers } from '../../experiments/index.ts';
import { run } from '../experiments/command.ts';
import { repositoryRoot, sharedData } from '../shared-data.ts';

const text = await readFile(path.join(repositoryRoot(), 'docs/real-data.md'), 'utf8');
const commands = [...text.matchAll(/^ {4}wgrad (.+)$/gm)].map(([, line]) => line!.split(' '));

t.test('commands, tables and data sets exist', (t) => {
  t.ok(commands.length > 15);
  const known = new Map(buildProgram(() => undefined).commands.map((command) => [command.name(), command]));
  const tables = papers.flatMap(({ name, tables }) => [name, ...tables.map((table) => `${name}/${table.name}`)]);
  for (const [name, ...args] of commands) {
    const command = known.get(name!);
    t.ok(command, name);
    if (name === 'reproduce') t.ok(tables.includes(args[0]!), args[0]);
    if (name === 'data') t.ok(Object.keys(dataSets).includes(args[1]!), args[1]);
    const options =
      command!.commands.length > 0 ? command!.commands.find((each) => each.name() === args[0])! : command!;
    for (const option of args.filter((arg) => arg.startsWith('--'))) {
      t.ok(
        options.options.some(({ long }) => long === option),
        `${name} ${option}`,
      );
    }
  }
  for (const { name } of papers)
    t.ok(
      commands.some(([, table]) => table?.split('/')[0] === name),
      `a way for ${name}`,
    );
  t.end();
});

const data = sharedData('data');
const checks = commands.filter(
  ([name, what, set]) => name === 'data' && what === 'check' && ['mnist', 'kitti'].includes(set!),
);
t.test('on real samples', { skip: data ? false : 'no ../shared/data' }, async (t) => {
  t.equal(checks.length, 2);
  for (const [, , set] of checks) {
    const { status, stdout } = await run(['data', 'check', set!, data!], t.testdir());
    t.equal(status, 0, stdout);
    t.match(stdout, /no fault/);
  }
  const smokes = commands.filter((words) => words.includes('smoke'));
  t.equal(smokes.length, 2);
  for (const words of smokes) {
    const args = [...words.map((word) => (word === 'DIR' ? data! : word)), '--device', 'wasm', '--dry-run'];
    const { status, stderr, stdout } = await run(args, t.testdir());
    t.equal(status, 0, stderr);
    t.match(stdout, /runs to make/);
  }
});
