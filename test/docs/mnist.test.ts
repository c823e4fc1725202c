// docs/mnist.ts as it stands, on a fraction of MNIST where it is there and on generated digits. The whole run, to above 99 %, is
// timed by bench/suites/mnist.ts.
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { transform } from 'esbuild';
import t, { type Test } from 'tap';
import { DIGIT_SIZE } from '../../experiments/data/digits.ts';
import { generatedDigits } from '../../experiments/data/synthetic/digits.ts';
import { repositoryRoot, sharedData } from '../shared-data.ts';

const source = await readFile(path.join(repositoryRoot(), 'docs/mnist.ts'), 'utf8');
const { code } = await transform(source, { loader: 'ts', target: 'node20' });

// In a folder of the checkout, where the package may import itself by its name.
const program = path.join(t.testdir(), 'mnist.mjs');
await writeFile(program, code);

/** Runs the example and returns the accuracy, in percent, that it prints after each epoch. */
async function run(t: Test, ...args: string[]): Promise<number[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [program, ...args]);
  t.match(stdout, new RegExp(`of ${args[2]} test digits\n$`));
  return Array.from(stdout.matchAll(/^epoch \d+: (\S+) %/gm), ([, percent]) => Number(percent));
}

/** An IDX file of bytes. */
function idx(shape: readonly number[], values: Uint8Array): Buffer {
  const header = Buffer.from([0, 0, 8, shape.length, ...shape.flatMap((n) => [n >> 24, n >> 16, n >> 8, n])]);
  return Buffer.concat([header, values]);
}

async function writeGenerated(folder: string, count: number): Promise<void> {
  const digits = generatedDigits();
  for (const [name, cohort] of [
    ['train', 'train'],
    ['t10k', 'test'],
  ] as const) {
    const pixels = new Uint8Array(count * DIGIT_SIZE ** 2);
    for (let i = 0; i < count; i++) {
      pixels.set(
        digits.pixels(cohort, i).map((grey) => 255 * grey),
        i * DIGIT_SIZE ** 2,
      );
    }
    const labels = Uint8Array.from({ length: count }, (_, i) => digits.label(cohort, i));
    await writeFile(path.join(folder, `${name}-images-idx3-ubyte.gz`), idx([count, DIGIT_SIZE, DIGIT_SIZE], pixels));
    await writeFile(path.join(folder, `${name}-labels-idx1-ubyte.gz`), idx([count], labels));
  }
}

t.test('it fits on a screen', (t) => {
  const lines = source.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('//'));
  t.ok(lines.length <= 50, `${lines.length} lines`);
  t.end();
});

t.test('generated digits', async (t) => {
  const folder = t.testdir();
  await writeGenerated(folder, 1000);
  const [first, last] = await run(t, folder, '2', '1000');
  t.ok(last! > 90, `${first} %, then ${last} %`);
});

const real = sharedData('data/mnist');
t.test('a tenth of MNIST', { skip: !real && 'MNIST is not in ../shared/data/mnist' }, async (t) => {
  const [accuracy] = await run(t, real!, '1', '6000');
  t.ok(accuracy! > 90, `${accuracy} %`);
});
