// `wgrad reproduce --preset smoke` from end to end on wasm: results, manifest and report; then the same command killed twice on
// its way, which must end with the same bits.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { type TableResult } from '../../experiments/index.ts';
import { PROGRESS_FILE, progressSchema } from '../../experiments/runner/progress-file.ts';
import { readSealed, withoutSeal } from '../../experiments/runner/seal.ts';
import { WatchedFolder } from '../../experiments/watch/folder.ts';
import { sharedData } from '../shared-data.ts';
import { filesBelow, run, runResults, start } from './command.ts';

const smoke = [
  'reproduce',
  'imbalanced-mtl/table2',
  'dmtl/table3',
  'dmtl/figure11',
  '--preset',
  'smoke',
  '--device',
  'wasm',
];
const folder = t.testdir();
const whole = path.join(folder, 'whole');

const json = async <T>(...parts: string[]): Promise<T> => JSON.parse(await readFile(path.join(...parts), 'utf8')) as T;

t.test('results, manifest and report', async (t) => {
  const { status, stdout, stderr } = await run([...smoke, '--out', whole], folder);
  t.equal(status, 0, stderr);
  t.match(stdout, /dmtl\/table3: training strategies/);
  t.match(stdout, /preset smoke, data: generated digits \(a stand-in/);
  t.match(stderr, /device wasm/);

  const { version, tables } = await json<{ version: number; tables: TableResult[] }>(whole, 'results.json');
  t.equal(version, 2);
  t.same(
    tables.map(({ paper, table }) => `${paper}/${table}`),
    ['imbalanced-mtl/table2', 'dmtl/table3', 'dmtl/figure11'],
  );
  const strategies = await json<TableResult>(whole, 'dmtl', 'table3', 'results.json');
  t.same(withoutSeal(strategies), tables[1]);
  const file = path.join(whole, 'dmtl', 'table3', 'results.json');
  t.equal(readSealed(await readFile(file, 'utf8')).seal, 'whole', 'the file has its checksum');
  const keys = ['version', 'paper', 'table', 'preset', 'device', 'data', 'seeds', 'cells'];
  t.same(Object.keys(withoutSeal(strategies)), keys);
  t.match(strategies, { preset: 'smoke', device: 'wasm', data: { name: 'generated digits', real: false }, seeds: [0] });
  t.same(
    strategies.cells.map(({ published }) => published),
    [0.577, 0.797, 0.858, 0.875],
    'the cells of the paper',
  );
  t.match(await json(whole, 'dmtl', 'table3', 'controls.json'), {
    version: 2,
    cells: [{ published: null, verdict: null }],
  });
  for (const { cells } of tables) {
    for (const cell of cells) {
      t.ok([null, 'not comparable', 'not attempted'].includes(cell.verdict), `${cell.row}: ${cell.verdict}`);
      if (cell.ours) t.equal(cell.ours.values.length, cell.ours.n);
      else t.type(cell.reason, 'string');
    }
  }
  const { claims } = await json<{ claims: { verdict: string }[] }>(whole, 'dmtl', 'table3', 'claims.json');
  t.ok(
    claims.every(({ verdict }) => verdict === 'too few seeds'),
    'one seed decides nothing',
  );
  interface Made {
    flops: number;
    peakBytes: number;
    settings: { epochs: number };
  }
  const { runs } = await json<{ runs: Made[] }>(whole, 'dmtl', 'table3', 'runs.json');
  t.equal(runs.length, 5);
  t.ok(runs.every(({ flops, peakBytes, settings }) => flops > 1e6 && peakBytes > 1e4 && settings.epochs === 2));
  t.match(await json(whole, 'manifest.json'), {
    version: 2,
    node: process.versions.node,
    device: { name: 'wasm' },
    papers: {
      'imbalanced-mtl': { preset: 'smoke', seeds: [0, 1], data: { real: true } },
      dmtl: { preset: 'smoke', seeds: [0], data: { name: 'generated digits', real: false } },
    },
    commandLine: ['wgrad', 'reproduce'],
    plans: { conv2d: [/./], sgdStep: [/./], adamStep: [/./] },
  });
  const report = await readFile(path.join(whole, 'report.html'), 'utf8');
  t.match(report, /generated digits \(a stand-in for the paper&#39;s data\)/);
  t.match(report, /<svg/, 'plots');
  t.match(report, /What is real at equal updates|do not rank as the paper/, 'the conclusion of the toy table');
  t.notMatch(report, /(src|href)="http/, 'nothing is loaded from elsewhere');
  t.notMatch((await filesBelow(whole)).join(' '), /\.part|\.safetensors/, 'no checkpoint or partial file is left');
});

t.test('the folder can be read back, judged again and rendered', async (t) => {
  const again = await run(['report', whole], folder);
  t.equal(again.status, 0, again.stderr);
  t.match(again.stdout, /dmtl\/table3: training strategies.*\n {2}preset smoke, data: generated digits/);
  const markdown = await run(['report', whole, '--markdown'], folder);
  t.match(markdown.stdout, /\| single task \| [\d.]+ \/ 0\.577<br>not comparable \|/);
  const csv = await run(['report', whole, '--csv'], folder);
  t.match(csv.stdout, /^single task,[\d.]+,0,0\.577,not comparable$/m);
  const page = await run(['report', whole, '--html'], folder);
  t.match(page.stdout, /<!doctype html>/);
  t.equal((await run(['report', path.join(folder, 'nothing')], folder)).status, 2);
  t.equal((await run(['report', whole, '--html', '--csv'], folder)).status, 2);
});

t.test('progress.json says what was made, and where', async (t) => {
  const progress = progressSchema.parse(await json(whole, PROGRESS_FILE));
  t.match(progress, { ended: 'done', share: 1, cells: progress.cellsDone });
  t.match(progress.log.map(({ text }) => text).join('\n'), /device wasm[^]*seed 0 is done/);
  t.equal(progress.runs.length, 13);
  for (const { state, place, paper, run, seed } of progress.runs) {
    t.equal(state, 'done');
    t.match(await json(whole, `${place}.json`), { paper, run, seed });
  }
  const { state, groups, problems } = await new WatchedFolder(whole).look();
  t.match({ state, problems }, { state: 'done', problems: [] });
  const keys = progress.runs.map(({ paper, run, seed }) => `${paper} ${run} ${seed}`);
  const found = groups.flatMap(({ paper, run, runs }) => runs.map(({ seed }) => `${paper} ${run} ${seed}`));
  t.same(found.sort(), keys.sort());
});

t.test('the same command again finds everything done', async (t) => {
  const before = await runResults(whole);
  const { status, stdout, stderr } = await run([...smoke, '--out', whole, '--json'], folder);
  t.equal(status, 0);
  t.notMatch(stderr, /./, 'with --json everything is on stdout');
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; text?: string });
  t.match(
    lines.filter(({ type }) => type === 'notice').map(({ text }) => text),
    [/device wasm/, /./, /./, /^13 of 13 runs are on disk already$/],
  );
  t.equal(lines.filter(({ type }) => type === 'table').length, 3);
  t.notOk(lines.some(({ type }) => type === 'run'));
  t.same(await runResults(whole), before);
});

t.test('killed at a checkpoint, interrupted later, then let go on', async (t) => {
  const out = path.join(folder, 'killed');
  const first = start([...smoke, '--out', out], folder);
  let seen: string[] = [];
  for (let i = 0; i < 6000 && first.child.exitCode === null; i++) {
    seen = await filesBelow(out).catch(() => []);
    if (seen.some((file) => file.endsWith('.safetensors'))) break;
    await sleep(5);
  }
  t.ok(
    seen.some((file) => file.endsWith('.safetensors')),
    'a checkpoint has been written',
  );
  first.child.kill('SIGKILL');
  t.equal((await first.ended).signal, 'SIGKILL');
  t.notOk((await filesBelow(out)).includes('results.json'));

  const watched = new WatchedFolder(out);
  const killed = await watched.look();
  t.equal(killed.state, 'stopped', 'the lock that it has left is not held');
  const states = killed.groups.flatMap(({ runs }) => runs.map(({ state }) => state));
  t.equal(states.length, 13);
  t.ok(states.includes('stopped') && states.includes('waiting') && !states.includes('running'), states.join());

  const second = start([...smoke, '--out', out, '--jobs', '1'], folder);
  await second.says('run 3/13');
  t.equal((await watched.look()).state, 'running');
  second.child.kill('SIGINT');
  const interrupted = await second.ended;
  t.equal(interrupted.status, 130);
  t.match(interrupted.stderr, /Stopped\. What is finished is in .*killed; to go on: wgrad reproduce/);
  t.equal(interrupted.stdout, '');
  t.match(await json(out, PROGRESS_FILE), { ended: 'stopped' });

  const third = await run([...smoke, '--out', out], folder);
  t.equal(third.status, 0, third.stderr);
  t.match(third.stderr, /[1-9]\d* of 13 runs are on disk already/);
  t.same(await runResults(out), await runResults(whole), 'the bits of a run that was never killed');
  t.same(await json(out, 'results.json'), await json(whole, 'results.json'));
});

const data = sharedData('data');
t.test('real MNIST is called so', { skip: data ? false : 'no ../shared/data' }, async (t) => {
  const out = path.join(folder, 'real');
  const args = ['reproduce', 'dmtl/lambda', '--preset', 'smoke', '--device', 'wasm', '--data', data!, '--out', out];
  const { status, stdout, stderr } = await run(args, folder);
  t.equal(status, 0, stderr);
  t.match(stdout, /preset smoke, data: MNIST, device wasm/);
  t.match(await json(out, 'manifest.json'), {
    papers: { dmtl: { data: { name: 'MNIST', real: true, checksums: { 't10k-labels-idx1-ubyte.gz': /^f7ae60f9/ } } } },
  });
});
