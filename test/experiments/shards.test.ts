// A grid in parts: which runs a part has, the jobs that make the parts, and that these together are what one command makes.
import { execFile } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { shellWords } from '../../experiments/cli/shell.ts';
import { parseShard, shardsOf } from '../../experiments/runner/shard.ts';
import { filesBelow, program, run, runResults } from './command.ts';

const folder = t.testdir();

t.test('names of parts', (t) => {
  t.same(parseShard('2/8'), { index: 2, count: 8 });
  for (const text of ['', '0/3', '4/3', '1', '1/', '1/3/5', '-1/3', '1.5/3', 'a/b', '1/10001']) {
    t.throws(() => parseShard(text), { name: 'ConfigError', message: /is not a part of a grid.*2\/8/ }, text);
  }
  t.end();
});

interface Made {
  key: string;
  cost: number;
  request: { paper: string };
  needs: { by: Made }[];
}

/** Runs of which some need one or two that stand before them. */
const grids = fc
  .array(
    fc.record({
      cost: fc.integer({ min: 0, max: 50 }),
      paper: fc.constantFrom('a', 'b', 'c'),
      needs: fc.array(fc.nat(30), { maxLength: 2 }),
    }),
    { maxLength: 40 },
  )
  .map((all) => {
    const runs: Made[] = [];
    for (const [i, { cost, paper, needs }] of all.entries()) {
      const by = needs.flatMap((at) => (at < i && all[at]!.paper === paper ? [{ by: runs[at]! }] : []));
      runs.push({ key: `run ${i}`, cost, request: { paper }, needs: by });
    }
    return runs;
  });

t.test('every run is in one part, with all that it needs', (t) => {
  fc.assert(
    fc.property(grids, fc.integer({ min: 1, max: 9 }), (runs, count) => {
      const shards = shardsOf(runs, count);
      t.equal(shards.size, runs.length);
      for (const { key, needs } of runs) {
        const its = shards.get(key)!;
        if (its < 1 || its > count) t.fail(`${key} is in part ${its}`);
        for (const { by } of needs) if (shards.get(by.key) !== its) t.fail(`${key} is apart from ${by.key}`);
      }
      t.same(shardsOf(runs, count), shards, 'the same each time');
    }),
    { numRuns: 60, seed: 7 },
  );
  t.end();
});

t.test('parts have about as much to do', (t) => {
  const costs = Array.from({ length: 60 }, (_, i) => 1 + ((i * 37) % 11));
  const runs = costs.map((cost, i) => ({ key: `${i}`, cost, request: { paper: 'a' }, needs: [] }));
  const loads = [0, 0, 0, 0];
  for (const [key, part] of shardsOf(runs, 4)) loads[part - 1]! += costs[Number(key)]!;
  t.ok(Math.max(...loads) - Math.min(...loads) <= Math.max(...costs), `loads ${loads.join(', ')}`);
  const lone = ['a', 'b', 'c', 'd'].map((paper) => ({ key: paper, cost: 1, request: { paper }, needs: [] }));
  t.same([...shardsOf(lone, 4).values()].sort(), [1, 2, 3, 4], 'small papers go to different parts');
  t.end();
});

/** A folder with a `wgrad` that a shell finds, made of these lines. */
async function withProgram(name: string, line: string): Promise<NodeJS.ProcessEnv> {
  const bin = path.join(folder, name);
  await mkdir(bin);
  await writeFile(path.join(bin, 'wgrad'), `#!/bin/sh\n${line}\n`);
  await chmod(path.join(bin, 'wgrad'), 0o755);
  // Without the name of a script of npm, as where wgrad is installed.
  const { npm_lifecycle_event: _, ...env } = process.env;
  return { ...env, PATH: `${bin}:${process.env.PATH}` };
}

const tables = ['imbalanced-mtl/table3', 'dmtl/table3'];
const args = ['reproduce', ...tables, '--preset', 'smoke', '--seeds', '1', '--device', 'wasm'];
const env = await withProgram('real', `exec ${shellWords([process.execPath, program])} "$@"`);
const says = await withProgram('echo', 'for word in "$@"; do printf "%s|" "$word"; done');
const sh = async (file: string, more: readonly string[], of: NodeJS.ProcessEnv): Promise<string> =>
  (await promisify(execFile)('sh', [file, ...more], { cwd: folder, env: of })).stdout;
const emit = async (kind: string, ...more: string[]): Promise<string> => {
  const words = [...args, '--emit', kind, '--shards=3', '--out', 'a part', ...more];
  return (await promisify(execFile)('wgrad', words, { cwd: folder, env })).stdout;
};

t.test('what an array job starts', async (t) => {
  const words = (i: number, out = `a part-${i}-of-3`): string =>
    [...args, '--shard', `${i}/3`, '--out', out, ''].join('|');
  const slurm = path.join(folder, 'slurm.sh');
  await writeFile(slurm, await emit('slurm'));
  t.match(await readFile(slurm, 'utf8'), /^#!\/bin\/bash\n#SBATCH .*\n#SBATCH --array=1-3\n/);
  t.equal(await sh(slurm, [], { ...says, SLURM_ARRAY_TASK_ID: '2' }), words(2));

  const shell = path.join(folder, 'echo.sh');
  await writeFile(shell, await emit('shell'));
  t.equal(await sh(shell, ['3'], says), words(3));
  t.equal(await sh(shell, [], says), [1, 2, 3].map((i) => words(i)).join('') + 'merge|a part-*-of-3|--out|a part|');

  const job = await emit('kubernetes', '--image', 'lab/wgrad:1', '--claim', 'results');
  t.match(job, /completionMode: Indexed\n {2}completions: 3\n.*[^]*image: "lab\/wgrad:1"[^]*claimName: "results"/);
  const command = JSON.parse(/ command: (\[.*\])/.exec(job)![1]!) as [string, string, string];
  const { stdout } = await promisify(execFile)(command[0], command.slice(1), {
    env: { ...says, JOB_COMPLETION_INDEX: '0' },
  });
  t.equal(stdout, words(1));

  const refused = await run([...args, '--emit', 'kubernetes', '--shards', '2'], folder);
  t.equal(refused.status, 2);
  t.match(refused.stderr, /container image.*--image NAME/);
  t.match((await run([...args, '--emit', 'slurm'], folder)).stderr, /needs a number of parts.*--shards N/);
  t.match((await run([...args, '--emit', 'slurm', '--shard', '1/2'], folder)).stderr, /cannot be used with/);
});

t.test('the parts together are what one command makes', async (t) => {
  const whole = await run([...args, '--out', 'whole'], folder);
  t.equal(whole.status, 0, whole.stderr);
  const job = path.join(folder, 'job.sh');
  await writeFile(job, await emit('shell'));
  await sh(job, ['2'], env);
  t.same(
    (await readdir(folder)).filter((name) => name.startsWith('a part')),
    ['a part-2-of-3'],
  );
  const part = await run(['report', 'a part-2-of-3'], folder);
  t.match(part.stdout, /the run of seed 0 is in part [13] of 3/, 'what is elsewhere is said');
  await sh(job, [], env);
  const results = (out: string): Promise<string> => readFile(path.join(folder, out, 'results.json'), 'utf8');
  t.equal(await results('a part'), await results('whole'));
  t.same(await runResults(path.join(folder, 'a part')), await runResults(path.join(folder, 'whole')));
  const parts = [1, 2, 3].map((i) => `a part-${i}-of-3`);
  const shown = await run(['report', ...parts], folder);
  t.equal(shown.status, 0, shown.stderr);
  t.equal(shown.stdout, (await run(['report', 'whole'], folder)).stdout);

  const file = (await filesBelow(path.join(folder, parts[0]!))).find((each) => /^runs\/.*seed-0\.json$/.test(each));
  const edited = path.join(folder, parts[0]!, file!);
  const text = await readFile(edited, 'utf8');
  await writeFile(edited, text.replace(/("metrics": \{\s+"[^"]+": )/, '$11'));
  const differing = await run(['merge', ...parts, '--out', 'a part'], folder);
  t.equal(differing.status, 2);
  t.match(differing.stderr, /are the same run with different results.*wgrad verify/);
});
