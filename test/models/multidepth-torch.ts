// Fixtures of MultiDepth that test/golden/multidepth_torch.py makes where a Python with PyTorch is there, and the comparison
// with them: outputs, gradients, running statistics, each by the norm of its error relative to its own.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Test } from 'tap';
import { add, mul, readSafetensors, scope, sum, tensor, Tensor } from '../../engine/index.ts';
import { MultiDepth, multiDepthOptionsOf } from '../../models/index.ts';
import { repositoryRoot } from '../shared-data.ts';

const execute = promisify(execFile);
const script = path.join(repositoryRoot(), 'test/golden/multidepth_torch.py');
/** Where distributions and virtual environments have their Python. */
const interpreters = ['/usr/bin/python3', 'python3'];

interface Entry {
  shape: readonly number[];
  values: Float32Array;
}
type Fixture = Map<string, Entry>;

let found: Promise<string | undefined> | undefined;

/** A Python that has PyTorch, or undefined. */
export const pythonWithTorch = (): Promise<string | undefined> =>
  (found ??= (async () => {
    for (const python of interpreters) {
      try {
        await execute(python, ['-c', 'import torch']);
        return python;
      } catch {
        // The next one may have it.
      }
    }
    return undefined;
  })());

export const withoutTorch = 'no Python with PyTorch here';

/** Runs the script and reads what it wrote. */
export async function makeFixture(python: string, args: readonly string[]): Promise<Fixture> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'wgrad-multidepth-'));
  try {
    const file = path.join(folder, 'fixture.safetensors');
    await execute(python, [script, file, ...args]);
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

const asTensor = ({ shape, values }: Entry): Tensor => tensor(values, shape);

/** Loads the fixture's weights, runs it forward and backward, and compares all that it holds within `tolerance`. */
export async function compareWithTorch(t: Test, fixture: Fixture, tolerance: number, training: boolean): Promise<void> {
  using _ = scope();
  const state = below(fixture, 'state');
  const net = new MultiDepth({ ...multiDepthOptionsOf(state), dropout: 0 });
  // The fixture holds floats only: the counts of batches are not in it.
  const names = [...net.namedState()].map(([key]) => key).filter((key) => !key.endsWith('num_batches_tracked'));
  t.same(names.sort(), [...state.keys()].sort(), 'the names are those of PyTorch');
  net.loadStateDict(state);
  net.train(training);
  const picture = asTensor(fixture.get('picture')!).requireGrad();
  const output = net.forward(picture) as Required<ReturnType<MultiDepth['forward']>>;
  const cotangent = (name: string): Tensor => asTensor(fixture.get(`cotangent/${name}`)!);
  const loss = add(sum(mul(output.regression, cotangent('regression'))), sum(mul(output.logits, cotangent('logits'))));
  loss.backward();
  const errors: [name: string, error: number][] = [];
  const compare = async (name: string, ours: Tensor, expected: Entry): Promise<void> => {
    t.same(ours.shape, expected.shape, name);
    errors.push([name, relativeError(await ours.array(), expected.values)]);
  };
  await compare('regression', output.regression, fixture.get('output/regression')!);
  await compare('logits', output.logits, fixture.get('output/logits')!);
  await compare('gradient of the picture', picture.grad!, fixture.get('gradient/picture')!);
  const own = new Map([...net.namedState()].flatMap(([key, value]) => (value instanceof Tensor ? [[key, value]] : [])));
  for (const [key, expected] of below(fixture, 'gradient')) {
    if (key !== 'picture') await compare(`gradient of ${key}`, own.get(key)!.grad!, expected);
  }
  for (const [key, expected] of below(fixture, 'after')) await compare(`${key} afterwards`, own.get(key)!, expected);
  net.dispose();
  const [worst, error] = errors.reduce((a, b) => (b[1] > a[1] || Number.isNaN(b[1]) ? b : a));
  t.ok(error <= tolerance, `${errors.length} arrays; the worst, ${worst}, is off by ${error.toExponential(1)}`);
}
