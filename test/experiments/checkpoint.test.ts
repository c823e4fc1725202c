// Checkpoints of runs that a disk has damaged: the run goes on from the one before, or from its beginning, and says so.
import { readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import t from 'tap';
import type { StateDict } from '../../engine/index.ts';
import {
  type Checkpoint,
  readCheckpoint,
  removeCheckpoint,
  writeCheckpoint,
} from '../../experiments/runner/checkpoint.ts';
import { filesBelow, run, runResults, smokeOf, start } from './command.ts';

const folder = t.testdir();
const file = path.join(folder, 'seed-0.safetensors');
const previous = path.join(folder, 'seed-0.previous.safetensors');

const stateOf = (value: number): StateDict =>
  new Map([
    ['weight', { shape: [2, 2], values: Float32Array.of(value, NaN, -0, 1e-40) }],
    ['wide', { shape: [1], values: Float64Array.of(value / 3) }],
    ['count', { shape: [], values: Int32Array.of(value) }],
  ]);
const numbered = (value: number): Checkpoint => ({
  states: { model: stateOf(value), best: stateOf(-value) },
  position: { step: value, curves: { loss: [0.1, value] } },
});
const [first, second] = [numbered(1), numbered(2)];

/** What is read, and what was said meanwhile. */
async function read(fingerprint = 'a'): Promise<{ found: Checkpoint | undefined; notices: string[] }> {
  const notices: string[] = [];
  return { found: await readCheckpoint(file, fingerprint, (text) => notices.push(text)), notices };
}

t.beforeEach(async () => {
  await removeCheckpoint(file);
  await writeCheckpoint(file, first, 'a');
  await writeCheckpoint(file, second, 'a');
});

t.test('the last one is taken, and the one before kept', async (t) => {
  t.same(await read(), { found: second, notices: [] });
  t.same(await filesBelow(folder), ['seed-0.previous.safetensors', 'seed-0.safetensors']);
  t.same(await read('another'), { found: undefined, notices: [] });
  await removeCheckpoint(file);
  t.same(await filesBelow(folder), []);
});

t.test('cut anywhere or with any byte changed it is not taken', async (t) => {
  const whole = await readFile(file);
  const cut = fc.nat(whole.length - 1).map((length) => whole.subarray(0, length));
  const flipped = fc.tuple(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 })).map(([at, mask]) => {
    const bytes = Buffer.from(whole);
    bytes[at]! ^= mask;
    return bytes;
  });
  const property = fc.asyncProperty(fc.oneof(cut, flipped), async (bytes) => {
    await writeFile(file, bytes);
    const { found, notices } = await read();
    if (notices.length === 0) {
      // White space among the header's padding is no damage.
      t.same(found, second);
      return;
    }
    t.same(found, first);
    t.match(notices, [/seed-0\.safetensors(, byte \d+)?: .*: going on from the checkpoint before it$/]);
  });
  await fc.assert(property, { seed: 5, numRuns: 200 });
});

t.test('both damaged: from the beginning', async (t) => {
  await writeFile(file, '');
  await writeFile(previous, (await readFile(previous)).subarray(0, 300));
  const { found, notices } = await read();
  t.equal(found, undefined);
  t.match(notices, [
    /seed-0\.safetensors, byte 0: .*; .*seed-0\.previous\.safetensors, byte 300: .*from its beginning$/,
  ]);
});

t.test('a stop while the last one takes its place', async (t) => {
  await rename(file, `${file}.next`);
  t.same(await read(), { found: first, notices: [] });
  await writeCheckpoint(file, second, 'a');
  t.same(await read(), { found: second, notices: [] });
  t.same(await filesBelow(folder), ['seed-0.previous.safetensors', 'seed-0.safetensors']);
  await rm(previous);
  t.same(await read(), { found: second, notices: [] }, 'the first of a run has none before it');
});

t.test('a run that was killed, with damage to what it had saved', async (t) => {
  const args = smokeOf('dmtl/table3', '--jobs', '1', '--only', 'sequential', '--set', 'epochs=6');
  const whole = await run([...args, '--out', 'whole'], folder);
  t.equal(whole.status, 0, whole.stderr);
  const out = path.join(folder, 'killed');
  const saved = async (): Promise<string[]> =>
    (await filesBelow(out).catch(() => [])).filter((name) => /seed-0(\.previous)?\.safetensors$/.test(name)).sort();
  const damages: [string, (files: string[]) => Promise<void>, RegExp][] = [
    [
      'the last one cut',
      async ([, last]) => writeFile(last!, (await readFile(last!)).subarray(0, 5000)),
      /seed 0: .*seed-0\.safetensors, byte 5000: .*: going on from the checkpoint before it/,
    ],
    [
      'both empty',
      async (files) => void (await Promise.all(files.map((name) => writeFile(name, '')))),
      /seed 0: .*seed-0\.safetensors, byte 0: .*: the run starts again from its beginning/,
    ],
  ];
  for (const [what, damage, notice] of damages) {
    await rm(out, { recursive: true, force: true });
    const first = start([...args, '--out', 'killed'], folder);
    while ((await saved()).length < 2 && first.child.exitCode === null) await sleep(2);
    first.child.kill('SIGKILL');
    await first.ended;
    // The worker ends a moment after its parent.
    await sleep(500);
    const files = await saved();
    t.equal(files.length, 2, `${what}: two checkpoints`);
    await damage(files.map((name) => path.join(out, name)));
    const second = await run([...args, '--out', 'killed'], folder);
    t.equal(second.status, 0, second.stderr);
    t.match(second.stderr, notice, what);
    t.same(
      await runResults(out),
      await runResults(path.join(folder, 'whole')),
      `${what}: the bits of an undisturbed run`,
    );
    t.same(await saved(), [], 'and nothing is left');
  }
});

t.test('a record of a finished run that is damaged', async (t) => {
  const args = smokeOf('imbalanced-mtl/table2', '--seeds', '2', '--out', 'records');
  const whole = await run(args, folder);
  t.equal(whole.status, 0, whole.stderr);
  const out = path.join(folder, 'records');
  const results = await runResults(out);
  const [name] = (await filesBelow(out)).filter((each) => each.endsWith('seed-1.json'));
  const record = path.join(out, name!);
  const text = await readFile(record, 'utf8');
  for (const damaged of [text.slice(0, text.length / 2), text.replace('"metrics"', '"matrics"')]) {
    await writeFile(record, damaged);
    const { status, stderr } = await run(args, folder);
    t.equal(status, 0, stderr);
    t.match(stderr, /seed-1\.json is damaged: the run is made again/);
    t.match(stderr, /1 of 2 runs are on disk already/, 'the rest of the folder is kept');
    t.same(await runResults(out), results);
  }
});

t.test('what a process that was ended by force has left beside a run', async (t) => {
  const args = smokeOf('imbalanced-mtl/table2', '--seeds', '1', '--out', 'left');
  t.equal((await run(args, folder)).status, 0);
  const out = path.join(folder, 'left');
  const record = path.join(
    out,
    (await filesBelow(out)).find((name) => name.endsWith('seed-0.json'))!,
  );
  const stem = record.replace(/json$/, '');
  const hourAgo = Date.now() / 1000 - 3600;
  const left = ['json.0123abcd.part', 'safetensors.next.0123abcd.part', 'network.safetensors.89abcdef.part'];
  for (const name of [...left, 'note.part', 'json.76543210.part']) await writeFile(stem + name, 'half');
  for (const name of [...left, 'note.part']) await utimes(stem + name, hourAgo, hourAgo);
  await rm(record);
  t.equal((await run(args, folder)).status, 0);
  const parts = (await filesBelow(path.dirname(record))).filter((name) => name.endsWith('.part'));
  t.same(
    parts,
    ['seed-0.json.76543210.part', 'seed-0.note.part'],
    'one that may be under way stays, and what is not ours',
  );
});
