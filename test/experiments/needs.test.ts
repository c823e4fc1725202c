// Runs that need runs: their order, the identity that follows from the weights, and what becomes of them where a needed run fails, is
// changed, or the command is killed.
import { cp, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as pass } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { type Paper, type Run, runNamed, withNeeds } from '../../experiments/index.ts';
import { readCheckpoint } from '../../engine/index.ts';
import { writeState } from '../../experiments/runner/checkpoint.ts';
import { cell, column } from '../../experiments/runner/definition.ts';
import { neededFile, neededFiles, queueOf, storeOf, urgencies } from '../../experiments/runner/needs.ts';
import { type Part, planPart } from '../../experiments/runner/plan.ts';
import { type PoolEvents, type QueuedRun, runTasks } from '../../experiments/runner/pool.ts';
import { noData } from '../../experiments/runner/results.ts';
import type { RunRecord } from '../../experiments/runner/store.ts';
import { filesBelow, run, runResults, smokeOf, start } from './command.ts';
import { paper as made } from './made-table.ts';

const runOf = (key: string, ...needs: Run[]): Run => ({
  key,
  settings: () => ({ size: key.length }),
  needs: needs.map((each) => ({ run: each, weights: 'last' })),
});
const teacher = runOf('teacher');
const assistant = runOf('assistant', teacher);
const student = runOf('student', assistant, teacher);
const other = runOf('other');
/** A paper whose only row is the student. */
const paper: Paper = {
  ...made,
  tables: [
    {
      name: 'made',
      title: '',
      besides: [{ corner: '', columns: [column('c', 1)], rows: [['r', cell(student, 'm')]] }],
    },
  ],
};
const part: Part = { paper, tables: paper.tables, preset: 'smoke', seeds: [0, 1], set: {}, data: noData };
const folder = t.testdir();
const planIn = (out: string, runs = [student], notice: (text: string) => void = () => undefined) =>
  planPart(part, runs, { out, device: 'wasm', data: undefined, notice });

const recordOf = (key: string, seed: number): RunRecord => ({
  ...{ paper: 'paper', run: key, seed, preset: 'smoke', configuration: {}, data: noData, seconds: 1 },
  device: { name: 'wasm', description: '', facts: {}, plans: {} },
  result: { metrics: { m: 1 } },
});
const weightsOf = (value: number) => new Map([['w', { shape: [1], values: Float32Array.of(value) }]]);

t.test('needs come first, each once, and are found by name', (t) => {
  t.same(
    withNeeds([student, other, assistant]).map(({ key }) => key),
    ['teacher', 'assistant', 'student', 'other'],
  );
  t.equal(runNamed(paper, 'teacher'), teacher, 'a run that no table reads');
  t.throws(() => runNamed(paper, 'nobody'), { name: 'ConfigError' });
  t.throws(() => neededFile(new Map([['teacher', 'x']]), 'nobody'), {
    name: 'ConfigError',
    message: /'nobody'.*teacher/,
  });
  t.end();
});

t.test('the plan follows what is on disk', async (t) => {
  const out = path.join(folder, 'plan');
  const first = await planIn(out);
  t.same(
    first.map(({ key }) => key),
    ['teacher', 'assistant', 'student'].flatMap((key) => [0, 1].map((seed) => `paper ${key}, seed ${seed}`)),
  );
  t.ok(first.every(({ record }) => record === undefined));
  const chain = urgencies(first.filter(({ request }) => request.seed === 0));
  t.same([...chain.values()].sort(), [1, 2, 3], 'who is waited for is urgent');
  await t.rejects(storeOf(first.at(-1)!, out), { name: 'DataError' }, 'which run it is, nobody knows yet');

  const finish = async (at: number, value: number): Promise<void> => {
    const planned = (await planIn(out))[at]!;
    const store = await storeOf(planned, out);
    await store.keep('last', weightsOf(value), {});
    await store.write(recordOf(planned.request.run, planned.request.seed));
  };
  const onDisk = async () => (await planIn(out)).map(({ record }) => record !== undefined);
  await finish(0, 1);
  await finish(2, 2);
  await finish(4, 3);
  t.same(await onDisk(), [true, false, true, false, true, false], 'each seed has its own');

  const [planned] = await planIn(out);
  const file = (await storeOf(planned!, out)).weightsFile('last');
  await writeState(file, weightsOf(7), {});
  t.same(await onDisk(), [true, false, false, false, false, false], 'a changed teacher makes a changed student');
  await writeState(file, weightsOf(1), {});
  t.same(await onDisk(), [true, false, true, false, true, false], 'the same weights, the same student');

  const told: string[] = [];
  await rm(file);
  const again = await planIn(out, [student], (text) => told.push(text));
  t.ok(again.every(({ record }) => record === undefined));
  t.match(
    told.join('\n'),
    /^.*seed-0\.last\.safetensors is missing or damaged, and another run needs it: the run is made again$/,
  );
  t.ok((await planIn(out, [teacher]))[0]!.record, 'nobody needs its weights: it is finished');
});

t.test('weights that changed since are refused', async (t) => {
  const file = path.join(folder, 'weights.safetensors');
  await writeState(file, weightsOf(1), {});
  const request = {
    paper: 'paper',
    run: 'student',
    seed: 0,
    preset: 'smoke',
    device: 'wasm',
    data: undefined,
  } as const;
  await t.rejects(neededFiles({ ...request, needs: [{ run: 'teacher', file, checksum: 'another' }] }), {
    name: 'DataError',
    message: /weights\.safetensors has changed since 'teacher' was finished; expected another, got [0-9a-f]{64}/,
  });
  t.same(await neededFiles(request), new Map());
});

/** A queue that makes nothing: `prepare` finds each run on disk, after a while. */
async function drain(
  t: Test,
  needs: Readonly<Record<string, readonly string[]>>,
  options: { jobs?: number; failing?: string; signal?: AbortSignal } = {},
): Promise<{ events: string[]; atOnce: number }> {
  const events: string[] = [];
  let [running, atOnce] = [0, 0];
  const runs = Object.entries(needs).map(([key, own]): QueuedRun => ({
    key,
    request: { paper: 'paper', run: key, seed: 0, preset: 'smoke', device: 'wasm', data: undefined },
    needs: own,
    async prepare() {
      atOnce = Math.max(atOnce, ++running);
      for (const each of own) if (each in needs) t.ok(events.includes(`${each} done`), `${key} waits for ${each}`);
      await pass(5);
      running--;
      if (key === options.failing) throw new Error('no weights');
      return undefined;
    },
  }));
  const ignore = (): void => undefined;
  const told: PoolEvents = {
    ...{ started: ignore, progress: ignore, profile: ignore, notice: ignore },
    done: ({ key }) => void events.push(`${key} done`),
    failed: ({ key }, message) => void events.push(`${key}: ${message}`),
  };
  await runTasks(runs, options.jobs ?? 2, told, options.signal ?? new AbortController().signal);
  return { events, atOnce };
}

t.test('the queue', async (t) => {
  const needs = { pupil: ['student'], student: ['teacher', 'elsewhere'], lone: [], teacher: [], late: [] };
  for (const jobs of [1, 2, 3, 9]) {
    const { events, atOnce } = await drain(t, needs, { jobs });
    t.equal(events.length, 5, `${jobs} at a time`);
    t.ok(atOnce <= jobs);
  }
  t.same((await drain(t, needs, { jobs: 1 })).events[0], 'lone done', 'who need not wait goes on');
  for (const jobs of [1, 3]) {
    const { events } = await drain(t, needs, { jobs, failing: 'teacher' });
    t.same(
      [...events].sort(),
      [
        'late done',
        'lone done',
        "pupil: it needs the run 'student', which failed",
        "student: it needs the run 'teacher', which failed",
        'teacher: no weights',
      ],
      'one line each, and the others are made',
    );
  }
  const { events } = await drain(t, needs, { signal: AbortSignal.abort() });
  t.same(events, [], 'a stopped one ends');
  t.same(
    queueOf([], folder, () => ({ threads: 1 })),
    [],
  );
});

/** UMMT, UMMT-PS and, for that one, MMMT-D. */
const argsFor = (out: string, ...more: string[]): string[] =>
  smokeOf('imbalanced-mtl/table3', '--jobs', '2', '--out', path.join(folder, out), ...more);
const recordsIn = async (out: string): Promise<string[]> =>
  (await filesBelow(path.join(folder, out, 'runs'))).filter((file) => file.endsWith('.json'));

t.test('a student and its teacher on the command line', async (t) => {
  const { stdout: plan } = await run(argsFor('whole', '--dry-run', '--only', 'UMMT-PS'), folder);
  t.match(
    plan,
    /^imbalanced-mtl nyud, MMMT-D, seed 0 +to make.*\n.*nyud, UMMT-PS, seed 0 +to make .* nyud, MMMT-D\n[^]*2 runs to make/m,
  );
  const json = await run(argsFor('whole', '--dry-run', '--json'), folder);
  t.match(json.stdout, /"run":"nyud, UMMT-PS".*"needs":\["nyud, MMMT-D"\]/);
  const whole = await run(argsFor('whole'), folder);
  t.equal(whole.status, 0, whole.stderr);
  t.match(whole.stderr, /run [12]\/3 .*MMMT-D[^]*run 3\/3 .*UMMT-PS/);

  const killed = start(argsFor('killed'), folder);
  await killed.says('MMMT-D, seed 0: ');
  await pass(300);
  killed.child.kill('SIGKILL');
  await killed.ended;
  const resumed = await run(argsFor('killed'), folder);
  t.equal(resumed.status, 0, resumed.stderr);
  t.same(await runResults(path.join(folder, 'killed')), await runResults(path.join(folder, 'whole')));

  const verified = await run(['verify', path.join(folder, 'whole'), '--only', 'nyud, UMMT-PS'], folder);
  t.equal(verified.status, 0, verified.stdout + verified.stderr);
  t.match(verified.stdout, /the same bits/);
});

t.test('another teacher makes another student, beside the first', async (t) => {
  await cp(path.join(folder, 'whole'), path.join(folder, 'changed'), { recursive: true });
  const files = await filesBelow(path.join(folder, 'changed/runs'));
  const file = path.join(
    folder,
    'changed/runs',
    files.find((each) => /MMMT-D.*last\.safetensors$/.test(each))!,
  );
  const { state, metadata } = await readCheckpoint(file);
  const key = 'heads.segmentation.last_layer.3.bias';
  const { shape, values } = state.get(key)!;
  await writeState(
    file,
    new Map([...state, [key, { shape, values: Float32Array.from(values, (value) => value + 3) }]]),
    metadata,
  );
  const { status, stderr } = await run(argsFor('changed'), folder);
  t.equal(status, 0, stderr);
  t.match(stderr, /2 of 3 runs are on disk already/);
  const records = await recordsIn('changed');
  t.equal(records.length, 4);
  const needs = await Promise.all(
    records
      .filter((each) => each.includes('UMMT-PS'))
      .map(
        async (each) =>
          (JSON.parse(await readFile(path.join(folder, 'changed/runs', each), 'utf8')) as RunRecord).needs,
      ),
  );
  t.equal(new Set(needs.map((each) => JSON.stringify(each))).size, 2);
  const checked = await run(['check', path.join(folder, 'changed')], folder);
  t.equal(checked.status, 0, checked.stdout);
});

t.test('without a teacher there is no student', async (t) => {
  const { status, stderr, stdout } = await run(
    argsFor('failing', '--only', 'UMMT-PS', '--set', 'learningRate=1e30'),
    folder,
  );
  t.equal(status, 1);
  t.match(
    stderr,
    /2 run\(s\) failed:\n.*MMMT-D, seed 0: .*\n.*UMMT-PS, seed 0: it needs the run 'nyud, MMMT-D', which failed\n/,
  );
  t.match(stdout, /the run of seed 0 failed: it needs the run 'nyud, MMMT-D', which failed/);
  t.same(await recordsIn('failing'), []);
});
