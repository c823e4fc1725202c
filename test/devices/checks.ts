// What must hold on every device: gradients equal to those of float64, flat memory over 2,000 steps, the same bits for the
// same seed, scripts that end by themselves, and errors that are told.
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import {
  crossEntropy,
  type Device,
  grad,
  liveTensorCount,
  manualSeed,
  mseLoss,
  random,
  scope,
  setDefaultDevice,
  SGD,
  tensor,
} from '../../engine/index.ts';
import type { GradientCase } from '../../experiments/verification/operations/case.ts';
import { repositoryRoot } from '../shared-data.ts';
import { makeInputs } from '../../experiments/verification/operations/inputs.ts';
import { Perceptron, UNet } from '../../models/index.ts';

/** Outputs and gradients of a case for a random cotangent. */
async function evaluate({ inputs, f }: GradientCase, seed: number, device: Device): Promise<ArrayLike<number>[]> {
  using _ = scope();
  setDefaultDevice(device);
  const points = makeInputs(inputs, seed, device);
  const result = f(...points);
  const outputs = Array.isArray(result) ? [...result] : [result];
  const tracked = outputs.filter((output) => output.tracked);
  const gradOutputs = tracked.map((y, i) =>
    tensor(random(seed, 'cotangent', i).normalArray(y.size), y.shape, { device }),
  );
  const gradients = tracked.length
    ? grad(
        tracked,
        points.filter((point) => point.requiresGrad),
        { gradOutputs },
      )
    : [];
  return Promise.all([...outputs, ...gradients].map((value) => value.array()));
}

/** Largest excess over atol + rtol |expected| between two devices, below 1 if they agree. */
export async function disagreement(item: GradientCase, seed: number, device: Device, oracle: Device): Promise<number> {
  const expected = await evaluate(item, seed, oracle);
  const actual = await evaluate(item, seed, device);
  let worst = 0;
  expected.forEach((values, i) => {
    for (let k = 0; k < values.length; k++) {
      const excess = Math.abs(actual[i]![k]! - values[k]!) / (1e-5 + 1e-4 * Math.abs(values[k]!));
      worst = Math.max(worst, Number.isNaN(excess) ? Infinity : excess);
    }
  });
  return worst;
}

/** Live tensors and bytes after warm-up and after all steps of a small network. */
export async function memoryOverSteps(device: Device, steps: number) {
  setDefaultDevice(device);
  manualSeed(1);
  const net = new Perceptron([4, 16, 16, 3]);
  const optimizer = new SGD(net.parameters(), { lr: 0.01, momentum: 0.9 });
  const x = tensor(random(1, 'x').normalArray(32), [8, 4]);
  const target = tensor(Int32Array.of(0, 1, 2, 0, 1, 2, 0, 1), [8]);
  const reading = () => {
    const { liveBuffers, liveBytes } = device.statistics();
    return { tensors: liveTensorCount(), liveBuffers, liveBytes };
  };
  let early = reading();
  for (let step = 0; step < steps; step++) {
    {
      using _ = scope();
      const loss = crossEntropy(net.forward(x), target);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      if (step % 100 === 99) await loss.item();
    }
    if (step === 20) early = reading();
  }
  await device.synchronize();
  const late = reading();
  const { pooledBytes, peakBytes } = device.statistics();
  for (const item of [optimizer, net, x, target]) item.dispose();
  return { early, late, pooledBytes, peakBytes };
}

/** The bytes of all parameters after a few steps of a small U-Net. */
export async function trainUNet(device: Device, { steps = 3, baseWidth = 8 } = {}): Promise<ArrayBuffer> {
  setDefaultDevice(device);
  manualSeed(7);
  const net = new UNet({ baseWidth });
  const optimizer = new SGD(net.parameters(), { lr: 0.01, momentum: 0.9, weightDecay: 1e-3 });
  for (let step = 0; step < steps; step++) {
    using _ = scope();
    const stream = random(7, 'batch', step);
    const x = tensor(stream.normalArray(4 * 32 * 32), [4, 1, 32, 32]);
    const depth = tensor(stream.uniformArray(4 * 32 * 32), [4, 1, 32, 32]);
    const label = tensor(
      Int32Array.from([1, 2, 3, 4], (k) => k + step),
      [4],
    );
    const out = net.forward(x);
    const loss = crossEntropy(out.logits, label).add(mseLoss(out.depth, depth));
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
  }
  const parts = [...(await net.stateDict()).values()].map(({ values }) => Float32Array.from(values));
  optimizer.dispose();
  net.dispose();
  return new Blob(parts).arrayBuffer();
}

const run = promisify(execFile);

/** Runs a script that trains on the named device and returns; rejects when it does not end by itself. */
export async function scriptEnds(device: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'wgrad-exit-'));
  const engine = pathToFileURL(join(repositoryRoot(), 'dist/engine/index.js'));
  const script = `
    import { createDevice, nn, scope, setDefaultDevice, SGD, mseLoss, ones, zeros } from ${JSON.stringify(engine.href)};
    setDefaultDevice(await createDevice(${JSON.stringify(device)}));
    const net = new nn.Linear(3, 2);
    const optimizer = new SGD(net.parameters(), { lr: 0.1 });
    for (let i = 0; i < 3; i++) {
      const step = scope();
      mseLoss(net.forward(ones([4, 3])), zeros([4, 2])).backward();
      optimizer.step();
      step[Symbol.dispose]();
    }
    const bias = await net.bias.array();
    console.log(bias.every(Number.isFinite) ? 'trained' : 'failed');`;
  try {
    const path = join(folder, 'train.mjs');
    await writeFile(path, script);
    const { stdout } = await run(process.execPath, [path], { timeout: 60_000 });
    return stdout.trim();
  } finally {
    await rm(folder, { recursive: true });
  }
}
