// Fixtures that a script in Python makes with PyTorch, where a Python that has it is there, and the comparison of a network with
// them: outputs, gradients, running statistics, each by the norm of its error relative to its own.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Test } from 'tap';
import { add, mul, type nn, readSafetensors, sum, tensor, Tensor } from '../../engine/index.ts';
import { repositoryRoot } from '../shared-data.ts';

const execute = promisify(execFile);
/** Where distributions and virtual environments have their Python. */
const interpreters = ['/usr/bin/python3', 'python3'];

export interface Entry {
  shape: readonly number[];
  values: Float32Array;
}
export type Fixture = Map<string, Entry>;

const found = new Map<string, Promise<string | undefined>>();

/** A Python that can import these packages, or undefined. */
export function pythonWith(packages: string): Promise<string | undefined> {
  const find = async (): Promise<string | undefined> => {
    for (const python of interpreters) {
      try {
        await execute(python, ['-c', `import ${packages}`]);
        return python;
      } catch {
        // The next one may have them.
      }
    }
    return undefined;
  };
  const known = found.get(packages) ?? find();
  found.set(packages, known);
  return known;
}

/** Runs a script of this repository, whose first argument is the file to write, and reads what it wrote. */
export async function makeFixture(python: string, script: string, args: readonly string[]): Promise<Fixture> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'wgrad-torch-'));
  try {
    const file = path.join(folder, 'fixture.safetensors');
    await execute(python, [path.join(repositoryRoot(), script), file, ...args]);
    const { tensors } = readSafetensors(await readFile(file), file);
    return new Map([...tensors].map(([key, { shape, data }]) => [key, { shape, values: data as Float32Array }]));
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The entries below a prefix, without it. */
export function below(fixture: Fixture, prefix: string): Fixture {
  const entries = [...fixture].filter(([key]) => key.startsWith(`${prefix}/`));
  return new Map(entries.map(([key, value]) => [key.slice(prefix.length + 1), value]));
}

/** |ours - expected| / |expected|, in Euclidean norms. */
export function relativeError(ours: ArrayLike<number>, expected: ArrayLike<number>): number {
  let [difference, norm] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    difference += (ours[i]! - expected[i]!) ** 2;
    norm += expected[i]! ** 2;
  }
  return Math.sqrt(difference / norm);
}

export const asTensor = ({ shape, values }: Entry): Tensor => tensor(values, shape);

/**
 * Loads the fixture's `state/` into the network, runs `forward` on its `picture` and goes back with its `cotangent/`s, and holds
 * its `output/`, `gradient/` and `after/` (running statistics) entries against what came out, within `tolerance`.
 */
export async function compareWithFixture(
  t: Test,
  fixture: Fixture,
  net: nn.Module,
  forward: (picture: Tensor) => Readonly<Record<string, Tensor>>,
  tolerance: number,
): Promise<void> {
  const state = below(fixture, 'state');
  // The fixture holds floats only: the counts of batches are not in it.
  const names = [...net.namedState()].map(([key]) => key).filter((key) => !key.endsWith('num_batches_tracked'));
  t.same(names.sort(), [...state.keys()].sort(), 'the names are those of PyTorch');
  net.loadStateDict(state);
  const picture = asTensor(fixture.get('picture')!).requireGrad();
  const outputs = forward(picture);
  const cotangents = [...below(fixture, 'cotangent')];
  cotangents
    .map(([name, entry]) => sum(mul(outputs[name]!, asTensor(entry))))
    .reduce((total, each) => add(total, each))
    .backward();
  const errors: [name: string, error: number][] = [];
  const compare = async (name: string, ours: Tensor, expected: Entry): Promise<void> => {
    if (String(ours.shape) !== String(expected.shape)) t.fail(`${name}: ${ours.shape} in place of ${expected.shape}`);
    errors.push([name, relativeError(await ours.array(), expected.values)]);
  };
  for (const [name, expected] of below(fixture, 'output')) await compare(name, outputs[name]!, expected);
  const own = new Map([...net.namedState()].flatMap(([key, value]) => (value instanceof Tensor ? [[key, value]] : [])));
  for (const [key, expected] of below(fixture, 'gradient')) {
    await compare(`gradient of ${key}`, (key === 'picture' ? picture : own.get(key)!).grad!, expected);
  }
  for (const [key, expected] of below(fixture, 'after')) await compare(`${key} afterwards`, own.get(key)!, expected);
  const [worst, error] = errors.reduce((a, b) => (b[1] > a[1] || Number.isNaN(b[1]) ? b : a));
  t.ok(error <= tolerance, `${errors.length} arrays; the worst, ${worst}, is off by ${error.toExponential(1)}`);
}
