// Checkpoints change no bit: of a training step of residual blocks with dropout, and of gradients of gradients through random
// programs.
import t, { type Test } from 'tap';
import {
  checkpoint,
  type Device,
  dropout,
  grad,
  liveTensorCount,
  manualSeed,
  nn,
  parameter,
  random,
  scope,
  setDefaultDevice,
  square,
  sum,
  type Tensor,
  tensor,
} from '../../engine/index.ts';
import { BasicBlock } from '../../models/index.ts';
import { onEach, testedOn } from '../tested-on.ts';
import { direct, drawProgram, drawValues, MATRIX, type Wrap } from './programs.ts';

/** Loss, all gradients and all state after one step of two residual blocks with dropout between them. */
async function step(device: Device, wrap: Wrap): Promise<Buffer[]> {
  setDefaultDevice(device);
  manualSeed(3);
  const net = new nn.ModuleList([new BasicBlock(4, 4), new BasicBlock(4, 6, { stride: 2 })]);
  const stream = random(5, 'dropout');
  const x = tensor(random(1, 'x').normalArray(2 * 4 * 9 * 7), [2, 4, 9, 7], { requiresGrad: true });
  const results: ArrayLike<number>[] = [];
  {
    using _ = scope();
    const block = (i: number) => (h: Tensor) => dropout(net.at(i).forward(h), { p: 0.3, training: true, stream });
    const y = wrap(block(1), wrap(block(0), x));
    const weights = tensor(random(2, 'w').normalArray(y.size), y.shape);
    const loss = y.mul(weights).sum();
    loss.backward();
    results.push(await loss.array(), await x.grad!.array(), [stream.position]);
    for (const item of net.parameters()) results.push(await item.grad!.array());
  }
  for (const { values } of (await net.stateDict()).values()) results.push(values);
  net.dispose();
  x.dispose();
  return results.map((values) => Buffer.from(Float64Array.from(values).buffer));
}

const outer: Wrap = (f, ...inputs) => checkpoint(f, ...inputs);
const nested: Wrap = (f, ...inputs) =>
  checkpoint((...xs) => checkpoint((...ys) => checkpoint(f, ...ys).mul(1), ...xs), ...inputs);

async function sameBits(t: Test, device: Device): Promise<void> {
  const expected = await step(device, direct);
  t.same(await step(device, outer), expected, device.name);
  t.same(await step(device, nested), expected, `${device.name}, nested`);
  t.notSame(await step(device, (f, ...inputs) => direct(f, ...inputs).mul(2)), expected, 'the comparison can fail');
}

/** The loss, its gradients, and the gradients and their gradients of what those make up. */
async function bits(seed: number, wrap: Wrap): Promise<Buffer> {
  using _ = scope();
  const x = tensor(drawValues(seed, 0), MATRIX, { requiresGrad: true });
  const p = parameter(drawValues(seed, 1), MATRIX);
  const loss = drawProgram(seed, 2)([x, p], wrap);
  const first = grad(loss, [x, p], { createGraph: true });
  const second = grad(sum(square(first[0]!)).add(sum(first[1]!)), [x, p], { createGraph: true });
  sum(square(second[0]!)).add(loss).backward();
  const results = [loss, ...first, ...second, x.grad!, p.grad!];
  const values = await Promise.all(results.map(async (result) => [...(await result.array())]));
  p.dispose();
  return Buffer.from(Float64Array.from(values.flat()).buffer);
}

/** Compares `count` programs from `seed` on; no tensor is left. */
async function sameBitsOfPrograms(t: Test, device: Device, seed: number, count: number): Promise<void> {
  setDefaultDevice(device);
  const before = liveTensorCount();
  let parts = 0;
  const counting: Wrap = (f, ...inputs) => {
    parts++;
    return checkpoint(f, ...inputs);
  };
  const different: number[] = [];
  for (let i = seed; i < seed + count; i++) {
    const [expected, given] = [await bits(i, direct), await bits(i, counting)];
    if (!expected.equals(given)) different.push(i);
  }
  t.same(different, [], `${device.name}: ${count} programs, ${parts} checkpoints`);
  t.ok(parts > count, 'parts are checkpointed');
  t.equal(liveTensorCount(), before, 'nothing is left');
}

const counts = { reference: 200, wasm: 200, webgpu: 15 } as const;
await onEach(t, testedOn('reference', 'wasm', 'webgpu'), async (t, device, name) => {
  await sameBits(t, device);
  await sameBitsOfPrograms(t, device, 1, counts[name]);
});
