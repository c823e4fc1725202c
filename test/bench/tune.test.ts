// `wgrad bench tune` from shapes to a file that a device takes, and what it refuses.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import t from 'tap';
import { largestDifference } from '../../bench/measure/difference.ts';
import { bench } from '../../bench/main.ts';
import { createWasmDevice } from '../../engine/devices/wasm/device.ts';
import { DataError } from '../../engine/index.ts';
import { readTuning, readTuningFile } from '../../experiments/runner/tuning.ts';

t.setTimeout(120_000);

const folder = await mkdtemp(path.join(os.tmpdir(), 'wgrad-tune-'));
t.teardown(() => rm(folder, { recursive: true, force: true }));
const shapes = path.join(folder, 'shapes.json');
const out = path.join(folder, 'tuning.json');

t.test('measures, writes, and keeps the tables of others', async (t) => {
  const shape = { batch: 2, inChannels: 4, height: 9, width: 9, outChannels: 4, kernel: 3 };
  await writeFile(shapes, JSON.stringify([shape, { ...shape, batch: 1 }]));
  t.capture(process.stdout, 'write', () => true);
  const tune = (threads: string) =>
    bench(['tune', '--device', 'wasm', '--threads', threads, '--shapes', shapes, '--seconds', '0', '--out', out]);
  t.equal(await tune('1'), 0);
  t.equal(await tune('2'), 0);
  t.equal(await tune('2'), 0);
  const { tables } = await readTuningFile(out);
  t.same(
    tables.map(({ device, facts }) => [device, facts.threads]),
    [
      ['wasm', 1],
      ['wasm', 2],
    ],
  );
  for (const { entries } of tables) {
    // Both sizes of batch in three directions.
    t.same(entries.map(({ kernel }) => kernel).sort(), [
      ...['conv2d', 'conv2d', 'conv2dInputGradient', 'conv2dInputGradient'],
      ...['conv2dWeightGradient', 'conv2dWeightGradient'],
    ]);
    for (const { plan, usual, speedup } of entries) t.ok(plan === usual ? speedup === 1 : speedup > 1.04);
  }
  const tuning = await readTuning(out);
  t.match(tuning.checksum, /^sha256:[0-9a-f]{64}$/);
  const device = await createWasmDevice({ threads: 2, tuning });
  t.equal(device.facts.tuning, tuning.checksum);
  device.dispose();
});

t.test('a file that is something else is refused before anything is measured', async (t) => {
  const other = path.join(folder, 'other.json');
  await writeFile(other, '{"format": "wgrad-tuning-1", "tables": [{"device": "cuda"}]}');
  await t.rejects(readTuning(other), DataError);
  await t.rejects(readTuning(other), /tables\.0\.device/);
  const said = t.capture(process.stderr, 'write', () => true);
  t.equal(await bench(['tune', '--device', 'wasm', '--shapes', shapes, '--out', other]), 2);
  t.match(String(said()[0]!.args[0]), /^wgrad bench: .*other\.json is not a table of plans/);
  t.match(await readFile(other, 'utf8'), /cuda/, 'it is still there');
  await t.rejects(readTuning(path.join(folder, 'none.json')), DataError);
});

t.test('the largest difference of results', async (t) => {
  t.equal(largestDifference([Float32Array.of(3, 4)], [Float32Array.of(3, 4)]), 0);
  t.equal(largestDifference([Float32Array.of(3, 5)], [Float32Array.of(3, 4)]), 1 / Math.sqrt(12.5));
  t.equal(largestDifference([Float32Array.of(NaN, 1)], [Float32Array.of(NaN, 1)]), 0);
  t.ok(Number.isNaN(largestDifference([Float32Array.of(NaN, 1)], [Float32Array.of(2, 1)])));
});
