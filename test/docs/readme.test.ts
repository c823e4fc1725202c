// The README: its code runs as it stands and learns, and its counts are those of today.
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { transform } from 'esbuild';
import t from 'tap';
import { papers } from '../../experiments/papers/index.ts';
import { trackedResults } from '../experiments/tracked-results.ts';
import { repositoryRoot, sharedData } from '../shared-data.ts';

const root = repositoryRoot();
const readme = await readFile(path.join(root, 'README.md'), 'utf8');
const readJson = async <T>(file: string): Promise<T> => JSON.parse(await readFile(file, 'utf8')) as T;

t.test('its code', async (t) => {
  const blocks = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, block]) => block!);
  t.equal(blocks.length, 1);
  const [example] = blocks;
  const lines = example!.trim().split('\n');
  t.ok(lines.length <= 20, `${lines.length} lines`);
  // In a folder of the checkout, where the package may import itself by its name.
  const program = path.join(t.testdir(), 'example.mjs');
  await writeFile(program, (await transform(example!, { loader: 'ts', target: 'node20' })).code);
  const { stdout } = await promisify(execFile)(process.execPath, [program], { timeout: 60_000 });
  const losses = Array.from(stdout.matchAll(/^(\d+) (\S+)$/gm), ([, step, loss]) => [Number(step), Number(loss)]);
  t.same(
    losses.map(([step]) => step),
    [50, 100, 150, 200],
  );
  t.ok(losses[3]![1]! < 0.05, `the last loss is small: ${losses[3]![1]}`);
  t.match(stdout, '[ 0, 1, 1, 0 ]', 'and it tells the classes apart');
});

t.test('the code of the section on ONNX', async (t) => {
  const page = await readFile(path.join(root, 'docs/commands.md'), 'utf8');
  const block = [...page.matchAll(/```ts\n([\s\S]*?)```/g)]
    .map(([, each]) => each!)
    .find((each) => each.includes('wgrad/onnx'))!;
  const folder = t.testdir();
  const program = path.join(folder, 'example.mjs');
  await writeFile(program, (await transform(block, { loader: 'ts', target: 'node20' })).code);
  const { stdout } = await promisify(execFile)(process.execPath, [program], { cwd: folder, timeout: 60_000 });
  t.match(
    stdout,
    /name: 'input'.*shape: \[ 'batch', 2 \].*'0\.weight', '0\.bias', '2\.weight', '2\.bias'.*\[ 2, 3 \]/s,
  );
});

t.test('the code of docs/batches.md', async (t) => {
  const page = await readFile(path.join(root, 'docs/batches.md'), 'utf8');
  const [module, program] = ['js', 'ts'].map(
    (kind) => new RegExp(`\`\`\`${kind}\\n([\\s\\S]*?)\`\`\``).exec(page)![1]!,
  );
  const folder = t.testdir({ 'waves.js': module! });
  const main = path.join(folder, 'main.mjs');
  await writeFile(main, (await transform(program!, { loader: 'ts', target: 'node20' })).code);
  const { stdout } = await promisify(execFile)(process.execPath, [main], { timeout: 60_000 });
  const epochs = stdout.trim().split('\n').map((line) => line.split(' ').map(Number)); // prettier-ignore
  t.equal(epochs.length, 8);
  t.ok(epochs[7]![1]! < epochs[0]![1]! / 2, stdout);
});

t.test('its counts of papers', (t) => {
  const rows = [...readme.matchAll(/^\|.*\[Results\]\(experiments\/papers\/([\w-]+)\/results\) \|$/gm)];
  t.same(rows.map(([, name]) => name).sort(), trackedResults.map(({ paper }) => paper.name).sort());
  const missing = readme.match(/No results are tracked yet\. \|$/gm)?.length ?? 0;
  t.equal(rows.length + missing, papers.length);
  const numbers = ['none', 'one', 'two', 'three', 'four', 'five'];
  t.match(readme, new RegExp(`${numbers[rows.length]} of\\s+${numbers[rows.length + missing]} so far`));
  t.end();
});

const golden = sharedData('golden/open/manifest.json');
t.test('its counts of golden cases', { skip: !golden && 'the fixtures are not beside this checkout' }, async (t) => {
  const { cases } = await readJson<{ cases: { op: string }[] }>(golden!);
  const operations = new Set(cases.map(({ op }) => op)).size;
  t.match(readme, `All ${cases.length} golden cases (${operations} operations)`);
});

t.test('what it says of the example on MNIST', async (t) => {
  interface Run {
    readonly seconds: number;
    readonly accuracyPercent: readonly number[];
  }
  const { seconds, accuracyPercent } = await readJson<Run>(path.join(root, 'bench/results/mnist-2core.json'));
  const said = `to ${accuracyPercent.at(-1)!.toFixed(1)} % of the test digits in\\s+${Math.round(seconds)} seconds`;
  t.match(readme, new RegExp(said));
  t.ok(accuracyPercent.at(-1)! > 99);
});
