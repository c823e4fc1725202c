// Input that cannot work: one clear line on stderr, exit status 2, nothing written.
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import t from 'tap';
import { buildProgram } from '../../experiments/cli/program.ts';
import { type PlanCheck, planNames } from '../../experiments/verification/kernels/check.ts';
import { filesBelow, run } from './command.ts';

const smoke = ['--preset', 'smoke', '--device', 'wasm'];

const bad: Record<string, { args: string[]; says: RegExp }> = {
  'a paper that does not exist': {
    args: ['reproduce', 'dmlt', ...smoke],
    says: /no paper 'dmlt'.*Did you mean 'dmtl'\?/,
  },
  'a paper like no other': { args: ['reproduce', 'x', ...smoke], says: /There are: imbalanced-mtl, dmtl/ },
  'a table that does not exist': {
    args: ['reproduce', 'dmtl/tabel3', ...smoke],
    says: /dmtl has no table 'tabel3'.*Did you mean 'table3'\?/,
  },
  'a path that goes too deep': { args: ['reproduce', 'dmtl/table3/x', ...smoke], says: /no paper 'dmtl\/table3\/x'/ },
  'a missing data folder': {
    args: ['reproduce', 'dmtl/table3', ...smoke, '--data', 'nowhere'],
    says: /no MNIST in 'nowhere\/mnist'.*wgrad data fetch mnist --to nowhere/,
  },
  'paper size without data': {
    args: ['reproduce', 'dmtl/table3', '--preset', 'paper', '--device', 'wasm'],
    says: /needs the real MNIST.*wgrad data fetch/,
  },
  'a device that does not exist': {
    args: ['reproduce', '--device', 'cuda'],
    says: /'cuda'.*auto, webgpu, wasm, reference/,
  },
  'no seeds': { args: ['reproduce', '--seeds', '0'], says: /--seeds.*whole number from 1/ },
  'half a seed': { args: ['reproduce', '--seeds', '1.5'], says: /--seeds.*whole number from 1/ },
  'many jobs': { args: ['reproduce', '--jobs', '1e9'], says: /--jobs.*whole number from 1/ },
  'a preset that does not exist': {
    args: ['reproduce', '--preset', 'huge'],
    says: /'huge'.*smoke, tour, laptop, paper/,
  },
  'an option that does not exist': { args: ['reproduce', '--sede', '3'], says: /--sede/ },
  'a command that does not exist': { args: ['reprodcue'], says: /no command 'reprodcue'.*Did you mean 'reproduce'\?/ },
  'a data set that does not exist': { args: ['data', 'fetch', 'mnits'], says: /no data set 'mnits'.*'mnist'/ },
  'an operation that does not exist': {
    args: ['ops', 'conv2'],
    says: /no operation 'conv2'.*nearest are conv2d,.*'wgrad ops' lists all/,
  },
  'operations as two things at once': { args: ['ops', '--json', '--markdown'], says: /either JSON or Markdown/ },
  'one operation as a table': { args: ['ops', 'conv2d', '--markdown'], says: /one operation has no Markdown/ },
  'operations counted without fixtures': { args: ['ops', '--golden', 'nowhere'], says: /nowhere\/manifest\.json/ },
  'a folder without fixtures': {
    args: ['golden', 'nowhere', '--device', 'reference'],
    says: /nowhere\/manifest\.json/,
  },
};

for (const [name, { args, says }] of Object.entries(bad)) {
  t.test(name, async (t) => {
    const folder = t.testdir();
    const { status, stderr, stdout } = await run(args, folder);
    t.equal(status, 2);
    t.match(stderr, says);
    t.equal(stderr.trim().split('\n').length, 1, 'one line');
    t.equal(stdout, '');
    t.notMatch(stderr, /\n\s+at /, 'no stack');
    t.same((await filesBelow(folder)).length, 0, 'nothing is written');
  });
}

t.test('an output folder that cannot be written', async (t) => {
  const folder = t.testdir();
  await writeFile(path.join(folder, 'file'), '');
  const through = await run(['reproduce', 'imbalanced-mtl', ...smoke, '--out', 'file/out'], folder);
  t.equal(through.status, 2);
  t.match(through.stderr, /nothing can be written to .*file\/out.*--out/);
  await mkdir(path.join(folder, 'locked'));
  await chmod(path.join(folder, 'locked'), 0o500);
  if (process.getuid?.() === 0) return; // root may write anywhere
  const locked = await run(['reproduce', 'imbalanced-mtl', ...smoke, '--out', 'locked'], folder);
  t.equal(locked.status, 2);
  t.match(locked.stderr, /nothing can be written/);
});

t.test('commands that only tell', async (t) => {
  const folder = t.testdir();
  const list = await run(['list'], folder);
  t.equal(list.status, 0);
  t.match(list.stdout, /dmtl\/table3/);
  t.match(list.stdout, /imbalanced-mtl\/table1\n.*\n.*not attempted/);
  const doctor = await run(['doctor', '--json'], folder);
  t.equal(doctor.status, 0);
  const facts = JSON.parse(doctor.stdout) as {
    auto: string;
    node: string;
    devices: { device: string; works: boolean }[];
  };
  t.equal(facts.node, process.versions.node);
  t.match(facts.auto, /^(webgpu|wasm)$/);
  t.ok(facts.devices.find(({ device }) => device === 'wasm')!.works);
  const help = await run(['--help'], folder);
  t.equal(help.status, 0);
  for (const command of ['reproduce', 'list', 'doctor', 'data', 'golden', 'ops', 'bench'])
    t.match(help.stdout, command);
});

t.test('plans of kernels', async (t) => {
  const folder = t.testdir();
  const { status, stdout } = await run(['kernel', '--json', '--launches', '2'], folder);
  t.equal(status, 0, 'no plan of the library has a fault');
  const checks = stdout.trim().split('\n').map((line) => JSON.parse(line) as PlanCheck); // prettier-ignore
  t.same(checks.map(({ name }) => name), planNames()); // prettier-ignore
  t.ok(checks.filter(({ launches }) => launches > 0).length > 60, 'most are launched by the cases of operations');
  const stepped = await run(['kernel', 'prefixSum.lines', '--step', '1', '--statements', '5'], folder);
  t.match(
    stepped.stdout,
    /^prefixSum\.lines \{.*\}\ninvocation \(1, 0, 0\)[^]*statements more\n.*line \d+ adds 4 times$/m,
  );
  for (const [words, says] of [
    [['matmull'], /no kernel or plan 'matmull'; expected matmul,/],
    [['matmul', '--step', '0'], /one plan is stepped through at a time.*matmul\.tiles64/],
    [['prefixSum.lines', '--step', '9999'], /no invocation 9999,0,0 in pass 0/],
    [['prefixSum.lines', '--step', '1,b'], /'1,b' is invalid.*three whole numbers/],
  ] as const) {
    const refused = await run(['kernel', ...words], folder);
    t.equal(refused.status, 2, words.join(' '));
    t.match(refused.stderr, says);
  }
});

t.test('no option and no argument of any command takes an empty value', async (t) => {
  /** Parses words as the command line does, and returns what it says about them. */
  const parse = async (words: readonly string[]): Promise<string> => {
    const program = buildProgram(() => undefined);
    const all = (command: Command): Command[] => [command, ...command.commands.flatMap(all)];
    for (const command of all(program)) command.exitOverride().configureOutput({ outputError: () => undefined });
    return program.parseAsync(words, { from: 'user' }).then(
      () => 'nothing',
      (error: Error) => error.message,
    );
  };
  /** Parsed by the benchmarks' own program: see below. */
  const forwarded = ['bench', 'compile'];
  const check = async (command: Command, path: readonly string[]): Promise<void> => {
    for (const each of command.commands)
      if (!forwarded.includes(each.name())) await check(each, [...path, each.name()]);
    if (command.commands.length > 0) return;
    for (const option of command.options.filter(({ required, optional }) => required || optional)) {
      t.match(await parse([...path, `${option.long}=`]), /must not be empty/, `${path.join(' ')} ${option.long}`);
    }
    for (const [i] of command.registeredArguments.entries()) {
      const others = path[0] === 'predict' ? ['multidepth', 'x', 'x'] : ['x', 'x'];
      const options = command.options.flatMap(({ mandatory, long }) => (mandatory ? [long!, 'redis://x'] : []));
      const words = [...options, ...others.slice(0, command.registeredArguments.length).with(i, '')];
      t.match(await parse([...path, ...words]), /must not be empty/, `${path.join(' ')}, argument ${i + 1}`);
    }
  };
  await check(
    buildProgram(() => undefined),
    [],
  );
  for (const args of [
    ['bench', 'quick', '--out='],
    ['bench', 'compare', ''],
    ['compile', ''],
    ['compile', 'toy', '--size='],
    ['reproduce', 'dmtl', '--out', ''],
  ]) {
    const { status, stderr } = await run(args, t.testdir());
    t.equal(status, 2, args.join(' '));
    t.match(stderr, /must not be empty/);
  }
});
