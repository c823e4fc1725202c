// MultiDepth forward and backward against PyTorch, by fixtures that test/golden/multidepth_torch.py makes where a Python with
// PyTorch is there: outputs, gradients, running statistics, each by the norm of its error relative to its own.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import {
  add,
  type Device,
  mul,
  readSafetensors,
  scope,
  setDefaultDevice,
  sum,
  tensor,
  Tensor,
} from '../../engine/index.ts';
import { MultiDepth, multiDepthOptionsOf } from '../../models/index.ts';
import { repositoryRoot } from '../shared-data.ts';
import { onEach, testedOn } from '../tested-on.ts';

const execute = promisify(execFile);
const script = path.join(repositoryRoot(), 'test/golden/multidepth_torch.py');
/** Where distributions and virtual environments have their Python. */
const interpreters = ['/usr/bin/python3', 'python3'];

interface Entry {
  shape: readonly number[];
  values: Float32Array;
}
type Fixture = Map<string, Entry>;

/** A Python that has PyTorch, or undefined. */
async function pythonWithTorch(): Promise<string | undefined> {
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

/** Runs the script and reads what it wrote. */
async function makeFixture(python: string, args: readonly string[]): Promise<Fixture> {
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
function below(fixture: Fixture, prefix: string): Fixture {
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

const asTensor = ({ shape, values }: Entry): Tensor => tensor(values, shape);

/** Loads the fixture's weights, runs it forward and backward, and compares all that it holds within `tolerance`. */
async function compareWithTorch(t: Test, fixture: Fixture, tolerance: number, training: boolean): Promise<void> {
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

// Of two values that batch norm sees in the 1x1 cells, only the sign would be left: hence three pictures. A relu's input nearer to 0
// than the margin would fall on the other side by rounding alone.
const small = ['--base', '6', '--blocks', '1,1,2,1', '--size', '48', '--batch', '3', '--margin', '2e-5'];

/** With running statistics. With the batch's a hundred layers are chaotic: PyTorch's own float32 is then 5 % away from its float64. */
async function testRunningStatistics(t: Test, device: Device, python: string): Promise<void> {
  setDefaultDevice(device);
  await t.test('the small variant with running statistics', async (t) => {
    await compareWithTorch(t, await makeFixture(python, [...small, '--eval', '--margin', '0']), 1e-4, false);
  });
  await t.test('the paper size with running statistics', async (t) => {
    // The gradients of the other 21 blocks of stage 4 would be as many megabytes again.
    const kept = '^(convbn|res_block[235]|res_block4.layers.(0|22)|head_d_cls|head_d_reg_(c|pyr))';
    const fixture = await makeFixture(python, ['--size', '64', '--batch', '1', '--eval', '--gradients', kept]);
    t.equal(below(fixture, 'state').size, 584);
    await compareWithTorch(t, fixture, 1e-4, false);
  });
}

const devices = testedOn('reference', 'wasm', 'webgpu');
const python = await pythonWithTorch();
if (!python) {
  t.pass('against PyTorch', { skip: 'no Python with PyTorch here' });
} else {
  const fixture = await makeFixture(python, small);
  await onEach(t, devices, async (t, device, name) => {
    setDefaultDevice(device);
    await compareWithTorch(t, fixture, name === 'reference' ? 1e-6 : 1e-4, true);
    if (name === 'wasm') await testRunningStatistics(t, device, python);
  });
}
