// Fixtures that scripts in test/golden make where a Python with PyTorch is there, and the comparison of a network with one of them: outputs,
// gradients, running statistics, each by the norm of its error relative to its own.
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

interface Entry {
  shape: readonly number[];
  values: Float32Array;
}

/** Arrays by name: `state/NAME`, `input/NAME`, `cotangent/OUTPUT`, `output/OUTPUT`, `gradient/NAME`, `after/NAME`. */
export type Fixture = Map<string, Entry>;

/** A Python that has PyTorch, or undefined. */
export async function pythonWithTorch(): Promise<string | undefined> {
  for (const python of interpreters) {
    try {
      await execute(python, ['-c', 'import torch']);
      return python;
    } catch {
      // The next one may have it.
    }
  }
  return undefined;
}

export const withoutTorch = 'no Python with PyTorch here';

/** Runs a script of test/golden and reads what it wrote. */
export async function makeFixture(python: string, script: string, args: readonly string[]): Promise<Fixture> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'wgrad-fixture-'));
  try {
    const file = path.join(folder, 'fixture.safetensors');
    await execute(python, [path.join(repositoryRoot(), 'test/golden', script), file, ...args]);
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
function relativeError(ours: ArrayLike<number>, expected: ArrayLike<number>): number {
  let [difference, norm] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    difference += (ours[i]! - expected[i]!) ** 2;
    norm += expected[i]! ** 2;
  }
  return Math.sqrt(difference / norm);
}

/** A network and what it makes of inputs by name: outputs by name. */
export interface Compared {
  net: nn.Module;
  forward(inputs: ReadonlyMap<string, Tensor>): Readonly<Record<string, Tensor>>;
  training: boolean;
  tolerance: number;
}

/** Loads the fixture's weights into the network, runs it forward and backward, and compares all that the fixture holds. Releases the network. */
export async function compareWithTorch(
  t: Test,
  fixture: Fixture,
  { net, forward, ...options }: Compared,
): Promise<void> {
  using _ = scope();
  const state = below(fixture, 'state');
  // The fixture holds floats only: the counts of batches are not in it.
  const names = [...net.namedState()].map(([key]) => key).filter((key) => !key.endsWith('num_batches_tracked'));
  t.same(names.sort(), [...state.keys()].sort(), 'the names are those of PyTorch');
  net.loadStateDict(state);
  net.train(options.training);
  const tensors = (prefix: string): Map<string, Tensor> =>
    new Map([...below(fixture, prefix)].map(([key, { shape, values }]) => [key, tensor(values, shape)]));
  const inputs = tensors('input');
  inputs.forEach((input) => input.requireGrad());
  const outputs = forward(inputs);
  const cotangents = tensors('cotangent');
  t.same(Object.keys(outputs).sort(), [...cotangents.keys()].sort(), 'outputs');
  Object.entries(outputs)
    .map(([key, output]) => sum(mul(output, cotangents.get(key)!)))
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
  t.ok(error <= options.tolerance, `${errors.length} arrays; the worst, ${worst}, is off by ${error.toExponential(1)}`);
}
