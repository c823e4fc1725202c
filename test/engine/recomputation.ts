// A step of training with checkpoints and without, on one device: the same bits.
import type { Test } from 'tap';
import {
  checkpoint,
  type Device,
  dropout,
  manualSeed,
  nn,
  random,
  scope,
  setDefaultDevice,
  type Tensor,
  tensor,
} from '../../engine/index.ts';
import { BasicBlock } from '../../models/index.ts';

export type Wrap = <T extends Tensor[]>(f: (...inputs: T) => Tensor, ...inputs: T) => Tensor;
export const direct: Wrap = (f, ...inputs) => f(...inputs);

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

export async function sameBits(t: Test, device: Device): Promise<void> {
  const expected = await step(device, direct);
  t.same(await step(device, outer), expected, device.name);
  t.same(await step(device, nested), expected, `${device.name}, nested`);
  t.notSame(await step(device, (f, ...inputs) => direct(f, ...inputs).mul(2)), expected, 'the comparison can fail');
}
