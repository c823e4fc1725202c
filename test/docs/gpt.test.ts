// docs/gpt.ts as it stands: it learns its poem and recites it, and from PyTorch's weights its loss falls as PyTorch's for 200 steps.
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { transform } from 'esbuild';
import t from 'tap';
import { random, writeSafetensors } from '../../engine/index.ts';
import { below, makeFixture, pythonWith } from '../models/torch-fixture.ts';
import { repositoryRoot } from '../shared-data.ts';

t.setTimeout(240_000);
const source = await readFile(path.join(repositoryRoot(), 'docs/gpt.ts'), 'utf8');
const text = /const text = `([^`]*)`/.exec(source)![1]!;

// In a folder of the checkout, where the package may import itself by its name.
const folder = t.testdir();
const program = path.join(folder, 'gpt.mjs');
await writeFile(program, (await transform(source, { loader: 'ts', target: 'node20' })).code);

/** Runs the example; returns the losses that it prints, every 20 steps, and what it recites. */
async function run(...args: string[]): Promise<{ losses: number[]; recited: string }> {
  const { stdout } = await promisify(execFile)(process.execPath, [program, ...args]);
  const losses = Array.from(stdout.matchAll(/^step \d+: (\S+)$/gm), ([, loss]) => Number(loss));
  return { losses, recited: stdout.slice(stdout.indexOf("'Twas")).trimEnd() };
}

const python = await pythonWith('torch');

/**
 * Largest relative difference of a loss. Both round in float32, and 200 steps of Adam let that grow: to 5e-6 where it was
 * measured.
 */
const TOLERANCE = 1e-4;

/** Writes PyTorch's first weights to a file, and returns its losses with every 20th step. */
async function trainInTorch(weights: string): Promise<Float32Array> {
  const letters = [...new Set(text)].sort();
  const codes = Array.from(text, (letter) => letters.indexOf(letter));
  const windows = Array.from({ length: 200 }, (_, step) => {
    const places = random(1, 'windows', step + 1);
    return Array.from({ length: 16 }, () => places.integer(codes.length - 16));
  });
  const facts = path.join(folder, 'facts.json');
  await writeFile(facts, JSON.stringify({ codes, windows }));
  const fixture = await makeFixture(python!, 'test/docs/gpt_torch.py', [facts]);
  const state = [...below(fixture, 'state')].map(
    ([name, { shape, values }]) => [name, { dtype: 'F32' as const, shape: [...shape], data: values }] as const,
  );
  await writeFile(weights, writeSafetensors({ tensors: new Map(state) }));
  return fixture.get('losses')!.values.filter((_, step) => step % 20 === 19);
}

t.test('it learns and recites', async (t) => {
  const weights = path.join(folder, 'start.safetensors');
  const expected = python && (await trainInTorch(weights));
  const { losses, recited } = await run('200', ...(expected ? [weights] : []));
  t.equal(losses.length, 10);
  t.ok(losses[9]! < losses[0]! / 4, `the loss falls: ${losses.join(' ')}`);
  const [line] = text.split('\n');
  t.ok(recited.startsWith(line!), recited);
  await t.test("its loss follows PyTorch's", { skip: !expected && 'no Python with PyTorch here' }, (t) => {
    const errors = losses.map((loss, i) => Math.abs(loss / (expected as Float32Array)[i]! - 1));
    const most = Math.max(...errors);
    t.ok(most < TOLERANCE, `off by ${most.toExponential(1)} at most`);
    t.end();
  });
});
