// `wgrad reproduce --profile` from end to end: the files, the table, and results with the same bits; on webgpu by the GPU's own clock.
// And how the table is written.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import t, { type Test } from 'tap';
import {
  type ChromeTrace,
  createDevice,
  profiled,
  type ProfileRow,
  region,
  summarize,
  zeros,
} from '../../engine/index.ts';
import { profileText } from '../../experiments/cli/profile.ts';
import type { ProfileRecord } from '../../experiments/runner/profile.ts';
import { testedOn, withWebGpu } from '../tested-on.ts';
import { run, runResults } from './command.ts';

/** Most command buffers of one training step: recording many launches into few keeps the GPU busy. */
const MOST_SUBMITS = 4;

const json = async <T>(...parts: string[]): Promise<T> => JSON.parse(await readFile(path.join(...parts), 'utf8')) as T;

/** Trains table 1 of dmtl, whose first run has the two optimisers and both halves of the U-Net. Returns what was profiled. */
async function profiledReproduction(t: Test, device: 'wasm' | 'webgpu', folder: string): Promise<ProfileRecord> {
  const only = ['--only', '1:5', '--jobs', '1', '--seeds', '1'];
  const command = ['reproduce', 'dmtl/table1', '--preset', 'smoke', '--device', device, ...only];
  const out = path.join(folder, 'profiled');
  const { status, stdout, stderr } = await run([...command, '--profile', '--out', out], folder);
  t.equal(status, 0, stderr);
  t.match(stderr, /profile of dmtl multipleOptimizers .*trace\.json/, 'said as soon as it is there');
  t.match(stdout, /Profile of dmtl multipleOptimizers .*, seed 0: means over 5 step\(s\)/);
  t.match(stdout, /\nkernel .*\n(.*\n)*layer .*\n(.*\n)*operation /);

  const records = await json<ProfileRecord[]>(out, 'profile.json');
  t.equal(records.length, 1, 'the first run of the table');
  const record = records[0]!;
  t.match(record, { steps: 5, jobs: 1, step: { dataWaits: 1 } });
  t.ok(record.step.kernelMilliseconds > 0 && record.step.kernelMilliseconds <= record.step.milliseconds);
  t.ok(record.step.dataMilliseconds > 0);
  const layers = record.layers.map(({ name }) => name);
  t.ok(['enc0.conv1', 'dec0.bn2', 'fc3', 'UNet'].every((name) => layers.includes(name)));
  t.same(record.passes.map(({ name }) => name).slice(0, 3), ['forward', 'backward', 'update']);

  const { traceEvents } = await json<ChromeTrace>(out, 'trace.json');
  const spans = traceEvents.filter(({ ph }) => ph === 'X');
  t.equal(spans.filter(({ name }) => name === 'data').length, 5);
  t.equal(spans.filter(({ name }) => /^step \d$/.test(name)).length, 5);

  const plain = path.join(folder, 'plain');
  t.equal((await run([...command, '--out', plain], folder)).status, 0);
  t.same(await runResults(out), await runResults(plain), 'the same bits as without');

  const again = await run([...command, '--profile', '--json', '--out', out], folder);
  t.match(again.stdout, /"notice","text":"dmtl\/table1: nothing to profile/);
  return record;
}

async function testText(t: Test): Promise<void> {
  await t.test('a device without a clock', async (t) => {
    const device = await createDevice('meta');
    const work = (): void => {
      const x = region('data', () => zeros([4, 4], { device }));
      x.add(x).sum().dispose();
      x.dispose();
    };
    const { profile } = await profiled(work, { device });
    const text = profileText({ name: 'a sum', jobs: 2, threads: 1, ...summarize(profile) }, 'trace.json', 120);
    t.match(text, /^Profile of a sum: means over 1 step\(s\), meta .*, 2 runs at a time, which slow one another\n/);
    t.match(text, /waiting for data .* \(1 times\); the device has no clock, launches are counted and not timed/);
    t.match(text, /\nlayer +launches\n\(outside of modules\) +\d\n/);
    t.notMatch(text, /share|GFLOP\/s|forward|submit/);
  });

  await t.test('only the largest rows are shown, with their rates', async (t) => {
    const device = await createDevice('meta');
    const { profile } = await profiled(() => zeros([2], { device }).dispose(), { device });
    const row = (i: number): ProfileRow => ({
      name: `kernel${i}`,
      launches: 2.5,
      milliseconds: 20 - i,
      passes: { backward: 20 - i },
      flops: 4e9,
      bytes: 1e6 * (20 - i),
    });
    const rows = Array.from({ length: 12 }, (_, i) => row(i));
    const summary = { ...summarize(profile), clock: 'device', clockStep: 0.1, kernels: rows, layers: rows } as const;
    const step = {
      ...summary.step,
      milliseconds: 250,
      kernelMilliseconds: 200,
      dataMilliseconds: 20,
      submits: 2,
      launches: 30,
    };
    const text = profileText({ name: 'rows', jobs: 1, threads: 1, ...summary, step }, 'trace.json', 120);
    t.match(text, /step 250\.0 ms: kernels 200\.0 ms \(80 %\), waiting for data 20\.0 ms .*, the rest 30\.0 ms/);
    t.match(text, /30 launches, 2 submit\(s\)/);
    t.match(text, /kernel0 +20\.0 +10 % +200\.0 +1\.0 +2\.5\n/);
    t.match(text, /steps of 100\.0 us/);
    t.match(text, /kernel7/);
    t.notMatch(text, /kernel8|runs at a time/);
  });
}

const parts = testedOn('host', 'wasm', 'webgpu');
if (parts.has('host')) await testText(t);
if (parts.has('wasm')) {
  await t.test('wasm', async (t) => {
    const { clock } = await profiledReproduction(t, 'wasm', t.testdir());
    t.equal(clock, 'host');
  });
}
if (parts.has('webgpu')) {
  await withWebGpu(t, async () => {
    const { clock, step } = await profiledReproduction(t, 'webgpu', t.testdir());
    t.equal(clock, 'device');
    t.ok(step.submits <= MOST_SUBMITS, `${step.launches} launches in ${step.submits} submits`);
  });
}
