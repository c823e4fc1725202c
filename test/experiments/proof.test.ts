// What a sceptic may ask of a run folder: is it whole (check), does it come out again (verify), how does it differ (diff).
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import t, { type Test } from 'tap';
import { checkFolder, type Fault } from '../../experiments/runner/check.ts';
import { writeCheckpoint, writeState } from '../../experiments/runner/checkpoint.ts';
import { differences } from '../../experiments/runner/difference.ts';
import { readRunFolder } from '../../experiments/runner/read-results.ts';
import { chooseRuns } from '../../experiments/runner/recorded-runs.ts';
import { writeSealed } from '../../experiments/runner/seal.ts';
import { repositoryRoot } from '../shared-data.ts';
import { filesBelow, run } from './command.ts';
import { trackedResults } from './tracked-results.ts';

const root = repositoryRoot();
const made = t.testdir();
const options = ['--preset', 'smoke', '--device', 'wasm', '--jobs', '2'];
const three = path.join(made, 'three');
await run(['reproduce', 'imbalanced-mtl/table2', '--seeds', '3', ...options, '--out', three], made);
const table = 'imbalanced-mtl/table2';

const describe = (folder: string, faults: readonly Fault[]): string[] =>
  faults.map(({ kind, file, what }) => `${kind} ${path.relative(folder, file)}: ${what}`);

/** A copy of the folder, changed; what the check finds. */
async function changed(t: Test, change: (folder: string) => Promise<void>): Promise<string[]> {
  const folder = path.join(t.testdir(), 'copy');
  await cp(three, folder, { recursive: true });
  await change(folder);
  return describe(folder, (await checkFolder(folder)).faults);
}

/** Changes one digit of the last number that follows `before`: its first one, or its last one, which may make no other number. */
async function changeDigit(file: string, before: RegExp, which: 'first' | 'last' = 'first'): Promise<void> {
  const text = await readFile(file, 'utf8');
  const found = [...text.matchAll(new RegExp(`${before.source}[^\\d]*([\\d.]+)`, 'g'))].at(-1)!;
  const at = found.index + found[0].length - (which === 'first' ? found[1]!.length : 1);
  await writeFile(file, text.slice(0, at) + String((Number(text[at]) + 1) % 10) + text.slice(at + 1));
}

const runFileIn = async (folder: string): Promise<string> => {
  const files = (await filesBelow(path.join(folder, 'runs'))).filter((file) => file.endsWith('seed-1.json'));
  return path.join(folder, 'runs', files[0]!);
};

t.test('a folder as it was written has no fault', async (t) => {
  const { status, stdout } = await run(['check', three], made);
  t.equal(status, 0, stdout);
  t.match(stdout, /1 table computed anew from 3 run files, 0 checkpoints: 0 faults/);
  const manifest = JSON.parse(await readFile(path.join(three, 'manifest.json'), 'utf8')) as Record<string, unknown>;
  t.match(manifest, {
    source: { revision: /^([0-9a-f]{40}|unknown)$/ },
    lock: /^sha256:[0-9a-f]{64}$/,
    resultVersion: 1,
    device: { name: 'wasm', facts: { threads: Number } },
    plans: { matmul: Array },
    papers: { 'imbalanced-mtl': { preset: 'smoke', seeds: [0, 1, 2], data: { real: true } } },
    configurations: { 'imbalanced-mtl': { toy: Object } },
  });
  const reformatted = await changed(t, async (folder) => {
    const file = path.join(folder, table, 'claims.json');
    await writeFile(file, JSON.stringify(JSON.parse(await readFile(file, 'utf8'))));
  });
  t.same(reformatted, [], 'the layout of a file is no fault');
});

t.test('a changed digit', async (t) => {
  const cases: [string, RegExp, RegExp][] = [
    ['results.json', /"mean":/, /^edited .*results.json: cells: average MSE, MTL T-S: ours: mean is [\d.]+, should be/],
    ['results.json', /"published":/, /^edited .*results.json: cells: .*published is/],
    ['results.json', /"values": \[/, /^edited .*table2.results.json: cells: .* ours: /],
    ['controls.json', /"std":/, /^edited .*controls.json: cells: .* std is/],
    ['claims.json', /"mean":/, /^edited .*claims.json: claims: .* mean is/],
    ['claims.json', /"seedsHolding":/, /^edited .*claims.json: claims: .* seedsHolding is/],
    ['runs.json', /"flops":/, /^edited .*runs.json: runs: toy: flops is/],
  ];
  for (const [name, before, fault] of cases) {
    const found = await changed(t, (folder) => changeDigit(path.join(folder, table, name), before));
    t.match(found[0], fault, `${name} ${before}`);
    t.ok(
      found.every((each) => !each.includes('runs/')),
      'the run files are not blamed',
    );
  }
  for (const name of ['results.json', 'controls.json', 'claims.json']) {
    const found = await changed(t, (folder) => changeDigit(path.join(folder, table, name), /"mean":/, 'last'));
    t.match(found[0], new RegExp(`^edited .*${name}: `), `the last digit in ${name}`);
  }
  const inRun = await changed(t, async (folder) => changeDigit(await runFileIn(folder), /"MTL mse":/));
  t.equal(inRun.length, 1, 'one fault in one file');
  t.match(inRun[0], /^edited runs.imbalanced-mtl.*seed-1.json: its content is not what was written/);
  const inList = await changed(t, (folder) => changeDigit(path.join(folder, 'results.json'), /"mean":/));
  t.match(inList, [
    /^edited results.json: its content/,
    /^edited results.json: imbalanced-mtl.table2: cells: .* mean is/,
  ]);
  const inManifest = await changed(t, (folder) => changeDigit(path.join(folder, 'manifest.json'), /"seeds": \[/));
  t.match(inManifest, [/^edited manifest.json: its content/]);
});

t.test('an edited verdict with a checksum of its own does not follow from the values', async (t) => {
  const found = await changed(t, async (folder) => {
    const file = path.join(folder, table, 'claims.json');
    const { checksum: _, ...claims } = JSON.parse(await readFile(file, 'utf8')) as {
      checksum: string;
      claims: { verdict: string }[];
    };
    await writeSealed(file, { ...claims, claims: claims.claims.map((each) => ({ ...each, verdict: 'holds' })) });
  });
  t.ok(found.length > 0);
  t.match(found[0], /^stale .*claims.json: claims: .*: verdict is holds, should be/);
});

t.test('missing, damaged, of another version', async (t) => {
  const half = async (file: string): Promise<void> => {
    const bytes = await readFile(file);
    await writeFile(file, bytes.subarray(0, bytes.length / 2));
  };
  t.match(await changed(t, async (folder) => half(path.join(folder, table, 'claims.json'))), [
    /^damaged .*claims.json/,
  ]);
  t.match(await changed(t, async (folder) => half(path.join(folder, table, 'controls.json'))), [
    /^damaged .*controls.json/,
  ]);
  t.match(await changed(t, async (folder) => half(await runFileIn(folder))), [
    /^damaged runs.*seed-1.json/,
    /^missing .*table2: there is no complete file of run 'toy', seed 1/,
  ]);
  t.match(await changed(t, async (folder) => rm(await runFileIn(folder))), [
    /^missing .*table2: there is no complete file of run 'toy', seed 1, made as the table says/,
  ]);
  t.match(await changed(t, (folder) => rm(path.join(folder, table, 'claims.json'))), [/^missing .*claims.json/]);
  t.match(await changed(t, (folder) => rm(path.join(folder, 'manifest.json'))), [/^missing manifest.json/]);
  const newer = await changed(t, async (folder) => {
    const file = path.join(folder, 'manifest.json');
    await writeFile(file, (await readFile(file, 'utf8')).replace('"version": 2', '"version": 3'));
  });
  t.match(newer[0], /^stale manifest.json: it is of version 3, a version that this wgrad does not know/);
  const other = await changed(t, async (folder) => {
    const file = await runFileIn(folder);
    const { checksum: _, ...record } = JSON.parse(await readFile(file, 'utf8')) as { checksum: string };
    await writeSealed(file, { ...record, version: 0 });
  });
  t.match(other[0], /^stale runs.*seed-1.json: made by version 0 of the trainer, not 1/);
  const settings = await changed(t, async (folder) => {
    for (const file of (await filesBelow(folder)).filter((each) =>
      /seed-\d.json$|runs.json$|manifest.json$/.test(each),
    )) {
      const { checksum: _, ...content } = JSON.parse(
        (await readFile(path.join(folder, file), 'utf8')).replace(/"batch": \d+/, '"batch": 7'),
      ) as { checksum: string };
      await writeSealed(path.join(folder, file), content);
    }
  });
  t.match(settings, [/^stale .*table2: run 'toy' was made with other settings than it has now: batch is 7, should be/]);
});

t.test('checkpoints and weights with a flipped byte', async (t) => {
  const state = new Map([['weight', { shape: [3], values: new Float32Array([1, 2, 3]) }]]);
  const folder = path.join(t.testdir(), 'copy');
  await cp(three, folder, { recursive: true });
  const files = ['a.safetensors', 'a.weights.safetensors'].map((name) =>
    path.join(folder, 'runs', 'imbalanced-mtl', name),
  );
  await writeCheckpoint(files[0]!, { states: { net: state }, position: 3 }, 'x');
  await writeState(files[1]!, state, { format: 'pt' });
  t.match(await checkFolder(folder), { faults: [], checkpoints: 2 });
  for (const file of files) {
    const bytes = await readFile(file);
    for (const at of [bytes.length - 1, bytes.length - 12, 20]) {
      await writeFile(
        file,
        bytes.map((byte, i) => (i === at ? byte ^ 1 : byte)),
      );
      t.match((await checkFolder(folder)).faults, [{ kind: 'damaged', file }], `${path.basename(file)}, byte ${at}`);
    }
    await writeFile(file, bytes);
  }
});

t.test('the tracked results are whole', async (t) => {
  for (const { paper, folder: results } of trackedResults) {
    const manifests = (await filesBelow(results)).filter((file) => path.basename(file) === 'manifest.json');
    t.ok(manifests.length > 0, paper.name);
    for (const manifest of manifests) {
      const folder = path.join(results, path.dirname(manifest));
      t.same((await checkFolder(folder)).faults, [], folder);
    }
  }
  const copy = path.join(t.testdir(), 'copy');
  await cp(path.join(root, 'experiments/papers/dmtl/results/laptop'), copy, { recursive: true });
  await changeDigit(path.join(copy, 'table3/results.json'), /"values": \[/);
  const { status, stdout } = await run(['check', copy], copy);
  t.equal(status, 1);
  t.match(stdout, /^edited: .*table3.results.json: cells: /m);
});

t.test('verify', async (t) => {
  const same = await run(['verify', three, '--runs', '2'], made);
  t.equal(same.status, 0, same.stderr);
  t.equal(
    same.stdout,
    "imbalanced-mtl: run 'toy', seed 0: the same bits\nimbalanced-mtl: run 'toy', seed 1: the same bits\n",
  );
  const close = await run(['verify', three, '--device', 'reference', '--json'], made);
  t.equal(close.status, 0, close.stderr);
  const verified = JSON.parse(close.stdout) as { agreement: string; made: { at: string[] }[]; numbers: unknown[] };
  t.equal(verified.agreement, 'the same within the spread over seeds');
  t.ok(verified.numbers.length > 0);
  t.ok(verified.made.some(({ at }) => at.join() === 'device,name'));
  t.ok(verified.made.some(({ at }) => at.join() === 'plans,matmul'));

  const copy = path.join(t.testdir(), 'copy');
  await cp(three, copy, { recursive: true });
  await rm(path.join(copy, 'runs'), { recursive: true });
  t.match((await run(['verify', copy], made)).stdout, /the same bits/, 'from the values by seed');
  const file = path.join(copy, table, 'results.json');
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace(/("values": \[\s*)0\./, '$15.'));
  const neither = await run(['verify', copy], made);
  t.equal(neither.status, 1);
  t.match(neither.stdout, /seed 0: different\n {2}ST mse: 5\.\d+, now 0\.\d+/);
  const unknown = await run(['verify', three, '--only', 'toys'], made);
  t.equal(unknown.status, 2);
  t.match(unknown.stderr, /the folder has no run 'toys'.*toy/);
});

t.test('the runs that verify takes', async (t) => {
  const folder = await readRunFolder(path.join(root, 'experiments/papers/dmtl/results/laptop'));
  const runs = await chooseRuns(folder, 1000);
  t.ok(runs.length > 30);
  const keys = runs.map(({ run: key, seed }) => `${key}, ${seed}`);
  t.equal(new Set(keys).size, keys.length, 'each once');
  t.equal(runs[0]!.seed, Math.min(...runs.map(({ seed }) => seed)));
  t.ok(
    runs.every(({ seed }, i) => i === 0 || seed >= runs[i - 1]!.seed),
    'of one seed after the other',
  );
  t.same(
    (await chooseRuns(folder, 2)).map(({ run: key, seed }) => `${key}, ${seed}`),
    keys.slice(0, 2),
  );
  const key = runs[0]!.run;
  t.ok((await chooseRuns(folder, 1000, key)).every((each) => each.run === key));
});

t.test('the toy of the tracked results comes out again', async (t) => {
  const folder = path.join(root, 'experiments/papers/imbalanced-mtl/results/paper');
  const { status, stdout, stderr } = await run(['verify', folder], made);
  t.equal(status, 0, stdout + stderr);
  t.match(stdout, /run 'toy', seed 0: the same/);
});

t.test('diff', async (t) => {
  const same = await run(['diff', three, three], made);
  t.equal(same.status, 0);
  t.match(same.stdout, /say the same/);
  const four = path.join(made, 'four');
  await run(['reproduce', table, '--seeds', '4', ...options, '--out', four], made);
  const { status, stdout } = await run(['diff', three, four], made);
  t.equal(status, 0);
  t.match(stdout, /^imbalanced-mtl\/table2:$/m);
  t.match(stdout, /seeds 0\.\.2/);
  t.match(stdout, /cells: average MSE, ST/);
  t.notMatch(stdout, /plans|settings|preset: /, 'only what differs');
  const json = JSON.parse((await run(['diff', three, four, '--json'], made)).stdout) as Record<string, object[]>;
  t.match(json, { tables: [{ name: table }], manifest: [{ at: ['command'] }] });

  const copy = path.join(t.testdir(), 'copy');
  await cp(three, copy, { recursive: true });
  const file = path.join(copy, table, 'results.json');
  const text = await readFile(file, 'utf8');
  await writeFile(
    file,
    text.replace(/("values": \[\s*0\.\d{12})\d/, (_, kept: string) => `${kept}${kept.at(-1) === '1' ? 2 : 1}`),
  );
  const hidden = await run(['diff', three, copy], made);
  t.match(hidden.stdout, /values: average MSE, ST: seed 0/, 'a digit that is not shown');
  t.same(differences({ a: [1, 2], b: NaN }, { a: [1, 3], b: NaN }), [{ at: ['a', '1'], a: 2, b: 3 }]);
  t.same(
    differences(
      [
        { row: 'x', column: 'y', v: 1 },
        { row: 'z', column: 'y', v: 2 },
      ],
      [{ row: 'z', column: 'y', v: 2 }],
    ),
    [{ at: ['x, y'], a: { row: 'x', column: 'y', v: 1 }, b: undefined }],
    'lists are aligned by name',
  );
});
