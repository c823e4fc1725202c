// Fixtures that a script in Python makes with PyTorch, where a Python that has it is there, and the comparison of a network with
// them: outputs, gradients, running statistics, each by the norm of its error relative to its own.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Test } from 'tap';
import { add, mul, type nn, readSafetensors, scope, sum, tensor, Tensor } from '../../engine/index.ts';
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

/** A network and what it makes of inputs by name: outputs by name. */
export interface Compared {
  net: nn.Module;
  forward(inputs: ReadonlyMap<string, Tensor>): Readonly<Record<string, Tensor>>;
  training: boolean;
  tolerance: number;
}

/**
 * Loads the fixture's `state/` into the network, runs it on its `input/`s and goes back with its `cotangent/`s, and holds its
 * `output/`, `gradient/` and `after/` (running statistics) entries against what came out. Releases the network.
 */
export async function compareWithTorch(
  t: Test,
  fixture: Fixture,
  { net, forward, training, tolerance }: Compared,
): Promise<void> {
  using _ = scope();
  const state = below(fixture, 'state');
  // The fixture holds floats only: the counts of batches are not in it.
  const names = [...net.namedState()].map(([key]) => key).filter((key) => !key.endsWith('num_batches_tracked'));
  t.same(names.sort(), [...state.keys()].sort(), 'the names are those of PyTorch');
  net.loadStateDict(state);
  net.train(training);
  const inputs = new Map([...below(fixture, 'input')].map(([key, entry]) => [key, asTensor(entry).requireGrad()]));
  const outputs = forward(inputs);
  [...below(fixture, 'cotangent')]
    .map(([name, entry]) => sum(mul(outputs[name]!, asTensor(entry))))
    .reduce((total, term) => add(total, term))
    .backward();

  const own = new Map([...net.namedState()].flatMap(([key, value]) => (value instanceof Tensor ? [[key, value]] : [])));
  const errors: [name: string, error: number][] = [];
  const unlike: string[] = [];
  const compare = async (prefix: string, find: (key: string) => Tensor | null | undefined): Promise<void> => {
    for (const [key, expected] of below(fixture, prefix)) {
      const ours = find(key);
      if (String(ours?.shape) !== String(expected.shape)) unlike.push(`${prefix}/${key}`);
      else errors.push([`${prefix}/${key}`, relativeError(await ours!.array(), expected.values)]);
    }
  };
  await compare('output', (key) => outputs[key]);
  await compare('gradient', (key) => (own.get(key) ?? inputs.get(key))?.grad);
  await compare('after', (key) => own.get(key));
  net.dispose();
  t.same(unlike, [], 'every array is there, with its shape');
  const [worst, error] = errors.reduce((a, b) => (b[1] > a[1] || Number.isNaN(b[1]) ? b : a));
  t.ok(error <= tolerance, `${errors.length} arrays; the worst, ${worst}, is off by ${error.toExponential(1)}`);
}
