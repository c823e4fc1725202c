// Runs made by the workers of a queue, with a real server: workers that are killed and paused, a server that goes down with and without its
// data, and that the end is what one undisturbed command makes. The trial of the gate is one; more: `--runs 50` and a `--seed`.
import { readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { setTimeout as pass } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import t, { type Test } from 'tap';
import { random } from '../../engine/index.ts';
import { publish, runFilesBelow, takeOver } from '../../experiments/queue/attempts.ts';
import { checkQueueUrl, shownUrl } from '../../experiments/queue/url.ts';
import type { RunJobData } from '../../experiments/queue/jobs.ts';
import { flowsOf } from '../../experiments/queue/producer.ts';
import { writeWhole } from '../../experiments/runner/files.ts';
import { filesBelow, run, type Running, runResults, smokeOf, start } from './command.ts';
import { dataOf } from './queued.ts';
import { noServer, startServer } from './redis.ts';

const { values } = parseArgs({ options: { runs: { type: 'string' }, seed: { type: 'string' } }, strict: false });
const TRIALS = Number(values.runs ?? 1);
const chance = random(Number(values.seed ?? Date.now() % 1e6), 'instants of faults', 0);

const folder = t.testdir();
const skip = noServer;

t.test('URLs of servers', (t) => {
  for (const url of ['redis://h', 'rediss://user:secret@h:7000/2', 'redis://[::1]:6379'])
    t.equal(checkQueueUrl(url), url);
  for (const text of ['', 'h:6379', 'http://h', 'redis://', '/tmp/socket']) {
    t.throws(() => checkQueueUrl(text), { name: 'ConfigError', message: /expected redis:\/\/.*rediss:\/\// }, text);
  }
  t.equal(shownUrl('redis://user:secret@h:7000/2'), 'redis://user:***@h:7000/2');
  t.end();
});

t.test('attempts: one counts, whoever writes', async (t) => {
  const out = path.join(folder, 'attempts');
  const at = (attempt: string, file: string): string => path.join(out, 'attempts/job', attempt, 'runs/p/r', file);
  const write = async (attempt: string, file: string, text: string): Promise<void> =>
    writeWhole(at(attempt, file), text);
  await write('a', 'seed-0.safetensors', 'checkpoint of a');
  await pass(20);
  await write('b', 'seed-0.safetensors', 'checkpoint of b');
  await write('b', 'seed-0.safetensors.next', 'half');
  await takeOver(out, 'job', path.join(out, 'attempts/job/c'));
  t.equal(await readFile(at('c', 'seed-0.safetensors'), 'utf8'), 'checkpoint of b', 'the last one is gone on from');
  await write('c', 'seed-0.last.safetensors', 'weights of c');
  await rm(at('c', 'seed-0.safetensors'));
  await write('c', 'seed-0.json', 'record of c');
  t.same(await runFilesBelow(path.join(out, 'attempts/job/c')), [
    'runs/p/r/seed-0.last.safetensors',
    'runs/p/r/seed-0.json',
  ]);
  await Promise.all([publish(out, 'job', 'c'), publish(out, 'job', 'c'), publish(out, 'job', 'c')]);
  t.same(await filesBelow(out), ['runs/p/r/seed-0.json', 'runs/p/r/seed-0.last.safetensors']);
  // One that was paused while it published, and goes on when another has long been counted.
  await write('a', 'seed-0.json', 'record of a');
  await write('a', 'seed-0.last.safetensors', 'weights of a');
  await publish(out, 'job', 'a');
  t.equal(await readFile(path.join(out, 'runs/p/r/seed-0.json'), 'utf8'), 'record of c');
  t.equal(await readFile(path.join(out, 'runs/p/r/seed-0.last.safetensors'), 'utf8'), 'weights of c');
  t.end();
});

t.test('flows', (t) => {
  const asked = [
    ['teacher', []], ['shared', []], ['student', ['teacher']], ['one', ['shared']], ['other', ['shared', 'student']],
  ] as const; // prettier-ignore
  const flows = flowsOf(asked.map(([id, needs]) => ({ id, data: dataOf(id, needs) })), 3); // prettier-ignore
  const ids = (nodes: readonly { opts?: unknown; children?: unknown }[] = []): unknown[] =>
    nodes.map(({ opts, children }) => [(opts as { jobId: string }).jobId, ...ids(children as [])]);
  t.same(ids(flows), [['shared'], ['one'], ['other', ['student', ['teacher']]]]);
  t.same((flows[0]!.data as RunJobData).then, ['one', 'other'], 'who needs a shared one is woken by it');
  t.same(flows.map(({ opts }) => opts!.priority), [60_001, 60_003, 60_004], 'in their order'); // prettier-ignore
  t.end();
});

/** A worker process; `lease` in seconds. */
const worker = (url: string, ...more: string[]): Running =>
  start(['worker', '--queue', url, '--jobs', '1', '--lease', '2', ...more], folder);

async function ended(each: Running): Promise<void> {
  each.child.kill('SIGCONT');
  each.child.kill('SIGTERM');
  const { status, stderr } = await each.ended;
  t.ok(status === 143 || each.child.signalCode === 'SIGKILL', `a worker ends: ${status}, ${stderr}`);
}

const grid = (out: string, ...more: string[]): string[] =>
  smokeOf('imbalanced-mtl/table3', '--out', path.join(folder, out), ...more);
const results = (out: string): Promise<string> => readFile(path.join(folder, out, 'results.json'), 'utf8');

async function sameAsWhole(t: Test, out: string): Promise<void> {
  t.equal(await results(out), await results('whole'));
  t.same(await runResults(path.join(folder, out)), await runResults(path.join(folder, 'whole')));
  const files = await filesBelow(path.join(folder, out));
  t.same(files.filter((file) => /\.part$|\.next$|^lock/.test(file)), [], 'nothing is half written'); // prettier-ignore
}

t.test('a student, its teacher, and workers that share the folder or do not', { skip }, async (t) => {
  const whole = await run(grid('whole'), folder);
  t.equal(whole.status, 0, whole.stderr);
  const server = await startServer(t.testdir(), 'secret');
  const wrong = await run(['queue', 'status', '--queue', server.url.replace('secret', 'guess')], folder);
  t.equal(wrong.status, 2);
  t.match(wrong.stderr, /^wgrad: the queue at redis:\/\/:\*\*\*@127.0.0.1:\d+ cannot be reached.*WRONGPASS/);
  const first = start(grid('apart', '--queue', server.url), folder);
  await first.says('no worker is at');
  const apart = worker(server.url);
  const done = await first.ended;
  t.equal(done.status, 0, done.stderr);
  await sameAsWhole(t, 'apart');
  const status = await run(['queue', 'status', '--queue', server.url], folder);
  t.match(
    status.stdout,
    new RegExp(`^1 worker: ${hostname()}:${apart.child.pid}\n0 runs waiting.*\n0 under way\n0 done.*\n0 failed\n`),
  );
  await ended(apart);
  await server.kill();
});

t.test('workers killed, paused past their lease, and a server that goes down', { skip }, async (t) => {
  const folderOfServer = t.testdir();
  const server = await startServer(folderOfServer);
  for (let trial = 0; trial < TRIALS; trial++) {
    const out = `trial-${trial}`;
    const shared = path.join(folder, out);
    const asking = start(grid(out, '--queue', server.url), folder);
    const [killed, paused, whole] = [1, 2, 3].map(() => worker(server.url, '--out', shared)) as [
      Running,
      Running,
      Running,
    ];
    await Promise.race([killed.says('started'), paused.says('started'), asking.ended]);
    await pass(chance.uniform() * 2000);
    killed.child.kill('SIGKILL');
    paused.child.kill('SIGSTOP');
    await pass(chance.uniform() * 1000);
    await server.kill();
    await server.start(trial % 2 === 1);
    await pass(2500 + chance.uniform() * 1000);
    paused.child.kill('SIGCONT');
    const { status, stderr } = await asking.ended;
    t.equal(status, 0, stderr);
    t.match(stderr, /is lost.*trying again[^]*is back/, 'the command says that the server was away');
    await sameAsWhole(t, out);
    await Promise.all([ended(killed), ended(paused), ended(whole)]);
  }
  await server.kill();
});

t.test('a failing run is kept aside, tried again, taken out', { skip }, async (t) => {
  const server = await startServer(t.testdir());
  const only = ['--only', 'UMMT-PS', '--set', 'learningRate=1e30', '--queue', server.url];
  const one = worker(server.url);
  const failing = await run(grid('failing', ...only), folder);
  t.equal(failing.status, 1);
  t.match(
    failing.stderr,
    /2 run\(s\) failed:\n.*MMMT-D, seed 0: .*\n.*UMMT-PS, seed 0: it needs the run 'nyud, MMMT-D', which failed\n/,
  );
  const queue = (...words: string[]) => run(['queue', ...words, '--queue', server.url], folder);
  const status = await queue('status');
  t.equal(status.status, 1);
  t.match(status.stdout, /2 failed:\n(.*\n)* {2}imbalanced-mtl nyud, MMMT-D, seed 0: .*not finite/);
  await ended(one);
  t.match((await queue('retry', 'imbalanced-mtl nyud, MMMT-D, seed 0')).stdout, /1 run to be tried again/);
  t.match((await queue('drain')).stdout, /MMMT-D, seed 0\n1 run taken out/);
  t.match((await queue('remove', 'imbalanced-mtl nyud, UMMT-PS, seed 0')).stdout, /1 run taken out/);
  const none = await queue('remove', 'imbalanced-mtl nyud, UMMT-PS, seed 0');
  t.equal(none.status, 2);
  t.match(none.stderr, /the queue has no run 'imbalanced-mtl nyud, UMMT-PS, seed 0'/);
  await server.kill();
});

t.test('without the packages', async (t) => {
  // A copy of the program where nothing is installed beside it finds neither.
  await writeFile(path.join(folder, 'hide.mjs'), `
    export async function resolve(name, context, next) {
      if (name === 'bullmq') throw Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' });
      return next(name, context);
    }`); // prettier-ignore
  const env = { ...process.env, NODE_OPTIONS: `--experimental-loader ${path.join(folder, 'hide.mjs')} --no-warnings` };
  const { status, stderr } = await start(['queue', 'status', '--queue', 'redis://127.0.0.1:1'], folder, env).ended;
  t.equal(status, 2);
  t.match(stderr, /needs the packages bullmq and ioredis.*npm install bullmq@[\d.]+ ioredis@[\d.]+$/m);
  const away = await run(['queue', 'status', '--queue', 'redis://127.0.0.1:1'], folder);
  t.equal(away.status, 2);
  t.match(away.stderr, /the queue at redis:\/\/127.0.0.1:1 cannot be reached.*ECONNREFUSED.*redis-server/);
});
