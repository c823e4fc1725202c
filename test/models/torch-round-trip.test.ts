// Checkpoints to and from PyTorch: its weights give its outputs here, and ours, after a step of training, give ours there.
// Runs with any python3 that can import torch and torchvision.
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import {
  createDevice,
  loadCheckpoint,
  type nn,
  noGrad,
  random,
  readCheckpoint,
  saveCheckpoint,
  scope,
  setDefaultDevice,
  SGD,
  type StateEntry,
  type Tensor,
  tensor,
} from '../../engine/index.ts';
import { DenseNet, EfficientNetV2S, ResNet } from '../../models/index.ts';
import { repositoryRoot } from '../shared-data.ts';
import { pythonWith } from './torch-fixture.ts';

const run = promisify(execFile);
const script = path.join(repositoryRoot(), 'test/models/torch_round_trip.py');

const python = await pythonWith('torch, torchvision');
const builders: Readonly<Record<string, () => nn.Module & { forward(x: Tensor): Tensor }>> = {
  resnet18: () => new ResNet(18),
  resnet50_dilated: () => new ResNet(50, { replaceStrideWithDilation: [false, true, true] }),
  densenet121: () => new DenseNet(121, { memoryEfficient: true }),
  efficientnet_v2_s: () => new EfficientNetV2S(),
};

/** Largest difference over the largest value. */
function relativeDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let [difference, largest] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    difference = Math.max(difference, Math.abs(actual[i]! - expected[i]!));
    largest = Math.max(largest, Math.abs(expected[i]!));
  }
  return actual.length === expected.length ? difference / largest : NaN;
}

if (!python) {
  t.pass('round trip through PyTorch', { skip: 'no python3 here can import torch and torchvision' });
} else {
  t.setTimeout(600_000);
  setDefaultDevice(await createDevice('wasm'));
  for (const [name, build] of Object.entries(builders)) {
    await t.test(name, async (t) => {
      const folder = await mkdtemp(path.join(tmpdir(), 'wgrad-torch-'));
      t.teardown(() => rm(folder, { recursive: true }));
      await run(python, [script, 'make', name, folder]);
      const values = (await readCheckpoint(path.join(folder, 'torch-values.safetensors'))).state;
      const network = build();
      t.teardown(() => network.dispose());
      const report = await loadCheckpoint(path.join(folder, 'torch.safetensors'), network);
      t.same(report, { missing: [], unexpected: [], metadata: {} });

      using _ = scope();
      const x = tensor(values.get('x')!.values, values.get('x')!.shape);
      const forward = async (): Promise<StateEntry> => {
        network.eval();
        const y = noGrad(() => network.forward(x));
        return { shape: y.shape, values: await y.array() };
      };
      const first = await forward();
      const before = relativeDifference(first.values, values.get('y')!.values);
      t.ok(before < 1e-4, `torch's weights give torch's outputs: ${before}`);

      network.train();
      const y = network.forward(x);
      y.mul(tensor(random(1, 'cotangent').normalArray(y.size), y.shape))
        .mean()
        .backward();
      new SGD(network.parameters(), { lr: 0.01 }).step();
      const trained = await forward();
      t.ok(relativeDifference(trained.values, first.values) > 1e-3, 'a step of training changes the outputs');
      await saveCheckpoint(path.join(folder, 'wgrad.safetensors'), network);
      await saveCheckpoint(
        path.join(folder, 'wgrad-values.safetensors'),
        new Map([
          ['x', values.get('x')!],
          ['y', trained],
        ]),
      );
      const { stdout } = await run(python, [script, 'check', name, folder]);
      const found = JSON.parse(stdout) as { difference: number };
      t.match(found, { counts: [3], metadata: { format: 'pt' }, sameTypes: true });
      t.ok(found.difference < 1e-4, `our weights give our outputs there: ${found.difference}`);
    });
  }
}
