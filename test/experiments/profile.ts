// `wgrad reproduce --profile` from end to end on one device: the files, the table, and results with the same bits.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Test } from 'tap';
import type { ChromeTrace } from '../../engine/index.ts';
import type { ProfileRecord } from '../../experiments/runner/profile.ts';
import { run, runResults } from './command.ts';

const json = async <T>(...parts: string[]): Promise<T> => JSON.parse(await readFile(path.join(...parts), 'utf8')) as T;

/** Trains table 1 of dmtl, whose first run has the two optimisers and both halves of the U-Net. Returns what was profiled. */
export async function profiledReproduction(t: Test, device: 'wasm' | 'webgpu', folder: string): Promise<ProfileRecord> {
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
